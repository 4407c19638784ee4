//! Who carries people's changes of a mailbox to its provider: a lease of its own, so that it never waits for a sync.

use chrono::Duration;
use diesel::QueryResult;
use diesel::dsl::exists;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::super::model::{Phase, Status};
use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, mailbox_operation_items};
use crate::ids::{AccountId, OrgId};
use crate::on_conn;

/// How long a claim lasts without a renewal.
const LEASE: Duration = Duration::seconds(60);

/// A claim on carrying out the changes of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// The mailbox.
    pub account: AccountId,
    /// Its organization.
    pub org: OrgId,
    token: String,
}

impl Accounts {
    /// Claims mailboxes with changes that are due; those that are paused, removed or wait for a person are passed over.
    pub async fn claim_carrier(&self, limit: i64) -> QueryResult<Vec<Carrier>> {
        let now = self.clock.now();
        let ids = waiting(&mut self.db.read().await?, now, limit).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let token = format!("{}:{}", self.instance, Uuid::now_v7());
        let mut conn = self.db.write().await?;
        let claimed: Vec<(AccountId, OrgId)> = on_conn!(&mut conn, |c| {
            let free = email_accounts::carried_until.is_null().or(email_accounts::carried_until.lt(now));
            diesel::update(email_accounts::table.filter(email_accounts::id.eq_any(&ids)).filter(free))
                .set((email_accounts::carried_by.eq(&token), email_accounts::carried_until.eq(now + LEASE)))
                .returning((email_accounts::id, email_accounts::organization_id))
                .get_results(c)
                .await
        })?;
        Ok(claimed.into_iter().map(|(account, org)| Carrier { account, org, token: token.clone() }).collect())
    }

    /// Renews a claim inside a transaction.
    ///
    /// # Errors
    /// `NotFound` when the claim was lost; the transaction must not be committed then.
    pub async fn renew_carrier(&self, tx: &mut DbConn, carrier: &Carrier) -> QueryResult<()> {
        let until = self.clock.now() + LEASE;
        let renewed = on_conn!(tx, |c| {
            let ours =
                email_accounts::table.find(carrier.account).filter(email_accounts::carried_by.eq(&carrier.token));
            diesel::update(ours).set(email_accounts::carried_until.eq(until)).execute(c).await
        })?;
        if renewed == 1 { Ok(()) } else { Err(diesel::result::Error::NotFound) }
    }

    /// Gives a claim back; one that was lost is left to its new holder.
    pub async fn release_carrier(&self, carrier: &Carrier) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        on_conn!(&mut conn, |c| {
            let ours =
                email_accounts::table.find(carrier.account).filter(email_accounts::carried_by.eq(&carrier.token));
            diesel::update(ours)
                .set((
                    email_accounts::carried_by.eq(None::<String>),
                    email_accounts::carried_until.eq(None::<Timestamp>),
                ))
                .execute(c)
                .await
        })?;
        Ok(())
    }

    /// Frees the claims that this instance held when it died.
    pub async fn release_own_carriers(&self) -> QueryResult<usize> {
        let mut conn = self.db.write().await?;
        let mine = format!("{}:%", self.instance);
        on_conn!(&mut conn, |c| {
            use diesel::TextExpressionMethods;
            diesel::update(email_accounts::table.filter(email_accounts::carried_by.like(&mine)))
                .set((
                    email_accounts::carried_by.eq(None::<String>),
                    email_accounts::carried_until.eq(None::<Timestamp>),
                ))
                .execute(c)
                .await
        })
    }
}

async fn waiting(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<AccountId>> {
    on_conn!(conn, |c| {
        let due = mailbox_operation_items::table
            .filter(mailbox_operation_items::account_id.eq(email_accounts::id))
            .filter(mailbox_operation_items::state.eq("pending"))
            .filter(mailbox_operation_items::next_attempt_at.le(now));
        email_accounts::table
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::phase.ne(Phase::Paused.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(email_accounts::carried_until.is_null().or(email_accounts::carried_until.lt(now)))
            .filter(exists(due))
            .order(email_accounts::id)
            .limit(limit)
            .select(email_accounts::id)
            .load(c)
            .await
    })
}
