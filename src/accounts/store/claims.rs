//! Who carries people's changes of a mailbox to its provider, and who sends its mail: two claims of their own, so that
//! neither waits for a sync or for the other.

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
use crate::db::schema::{email_accounts, email_outgoing, mailbox_operation_items};
use crate::ids::{AccountId, OrgId};
use crate::on_conn;

/// How long a claim lasts without a renewal.
const LEASE: Duration = Duration::seconds(60);

/// The claim's columns are types in diesel: each kind of claim is the same code over two other columns.
macro_rules! claim {
    (
        $(#[$doc:meta])* $name:ident over $by:ident, $until:ident from $waiting:ident:
        $claim:ident, $renew:ident, $release:ident, $release_own:ident
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            /// The mailbox.
            pub account: AccountId,
            /// Its organization.
            pub org: OrgId,
            token: String,
        }

        impl Accounts {
            /// Claims mailboxes for which work is due.
            pub async fn $claim(&self, limit: i64) -> QueryResult<Vec<$name>> {
                let now = self.clock.now();
                let ids = $waiting(&mut self.db.read().await?, now, limit).await?;
                if ids.is_empty() {
                    return Ok(Vec::new());
                }
                let token = format!("{}:{}", self.instance, Uuid::now_v7());
                let mut conn = self.db.write().await?;
                let claimed: Vec<(AccountId, OrgId)> = on_conn!(&mut conn, |c| {
                    let free = email_accounts::$until.is_null().or(email_accounts::$until.lt(now));
                    diesel::update(email_accounts::table.filter(email_accounts::id.eq_any(&ids)).filter(free))
                        .set((email_accounts::$by.eq(&token), email_accounts::$until.eq(now + LEASE)))
                        .returning((email_accounts::id, email_accounts::organization_id))
                        .get_results(c)
                        .await
                })?;
                Ok(claimed.into_iter().map(|(account, org)| $name { account, org, token: token.clone() }).collect())
            }

            /// Renews a claim inside a transaction.
            ///
            /// # Errors
            /// `NotFound` when the claim was lost; the transaction must not be committed then.
            pub async fn $renew(&self, tx: &mut DbConn, claim: &$name) -> QueryResult<()> {
                let until = self.clock.now() + LEASE;
                let renewed = on_conn!(tx, |c| {
                    let ours = email_accounts::table.find(claim.account).filter(email_accounts::$by.eq(&claim.token));
                    diesel::update(ours).set(email_accounts::$until.eq(until)).execute(c).await
                })?;
                if renewed == 1 { Ok(()) } else { Err(diesel::result::Error::NotFound) }
            }

            /// Gives a claim back; one that was lost is left to its new holder.
            pub async fn $release(&self, claim: &$name) -> QueryResult<()> {
                let mut conn = self.db.write().await?;
                on_conn!(&mut conn, |c| {
                    let ours = email_accounts::table.find(claim.account).filter(email_accounts::$by.eq(&claim.token));
                    diesel::update(ours)
                        .set((email_accounts::$by.eq(None::<String>), email_accounts::$until.eq(None::<Timestamp>)))
                        .execute(c)
                        .await
                })?;
                Ok(())
            }

            /// Frees the claims that this instance held when it died.
            pub async fn $release_own(&self) -> QueryResult<usize> {
                let mut conn = self.db.write().await?;
                let mine = format!("{}:%", self.instance);
                on_conn!(&mut conn, |c| {
                    use diesel::TextExpressionMethods;
                    diesel::update(email_accounts::table.filter(email_accounts::$by.like(&mine)))
                        .set((email_accounts::$by.eq(None::<String>), email_accounts::$until.eq(None::<Timestamp>)))
                        .execute(c)
                        .await
                })
            }
        }
    };
}

claim! {
    /// A claim on carrying out the changes of a mailbox.
    Carrier over carried_by, carried_until from to_carry:
    claim_carrier, renew_carrier, release_carrier, release_own_carriers
}

claim! {
    /// A claim on sending the mail of a mailbox, filing its copies and mirroring its drafts.
    Mailer over mailed_by, mailed_until from to_mail:
    claim_mailer, renew_mailer, release_mailer, release_own_mailers
}

/// Mailboxes with changes that are due; those that are paused, removed or wait for a person are passed over.
async fn to_carry(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<AccountId>> {
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

/// Mailboxes with mail to send, to file or to mirror, in no order: none may wait for the others. Those that are removed or
/// wait for a person are passed over: their mail waits with them.
async fn to_mail(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<Vec<AccountId>> {
    on_conn!(conn, |c| {
        let of = || email_outgoing::table.filter(email_outgoing::account_id.eq(email_accounts::id));
        let open = email_accounts::mail_not_before.is_null().or(email_accounts::mail_not_before.le(now));
        let send = exists(of().filter(email_outgoing::due_at.le(now)));
        let file = exists(of().filter(email_outgoing::file_due_at.le(now)));
        let mirror = exists(of().filter(email_outgoing::mirror_due_at.le(now)));
        email_accounts::table
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(email_accounts::mailed_until.is_null().or(email_accounts::mailed_until.lt(now)))
            .filter(open.and(send).or(file).or(mirror))
            .order(diesel::dsl::sql::<diesel::sql_types::BigInt>("random()"))
            .limit(limit)
            .select(email_accounts::id)
            .load(c)
            .await
    })
}
