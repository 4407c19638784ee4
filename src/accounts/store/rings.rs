//! Which mailboxes a notification of a provider is about, and that they are looked at now.

use std::collections::HashMap;

use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel::{NullableExpressionMethods, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::{Phase, Provider, Status};
use super::super::service::Accounts;
use crate::db::schema::{email_accounts, email_doorbells};
use crate::events::AccountRef;
use crate::ids::{AccountId, OrgId, UserId};
use crate::on_conn;

diesel::define_sql_function! {
    /// The text in lower case.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// The columns of [`AccountRef`].
type Reference = (AccountId, OrgId, UserId);
const REFERENCE: (email_accounts::id, email_accounts::organization_id, email_accounts::user_id) =
    (email_accounts::id, email_accounts::organization_id, email_accounts::user_id);

/// Mailboxes of a provider that a ring wakes. One that fails keeps its own time: the ring does not say that the cause is gone.
macro_rules! ringable {
    ($provider:expr) => {
        email_accounts::table
            .filter(email_accounts::provider.eq($provider.as_str()))
            .filter(email_accounts::phase.ne(Phase::Paused.as_str()))
            .filter(email_accounts::status.eq(Status::Active.as_str()))
            .filter(email_accounts::removed_at.is_null())
    };
}

impl Accounts {
    /// Rings for every mailbox of an address, in whichever organization: a pass becomes due, and a running one is followed by
    /// another.
    pub async fn ring_address(&self, provider: Provider, address: &str) -> QueryResult<Vec<AccountRef>> {
        let address = address.trim().to_lowercase();
        let mut conn = self.db.read().await?;
        let query = ringable!(provider).filter(lower(email_accounts::email_address).eq(&address)).select(REFERENCE);
        let found: Vec<Reference> = on_conn!(&mut conn, |c| query.load(c).await)?;
        drop(conn);
        self.ring(found).await
    }

    /// Rings for the mailbox with this standing order at its provider, when the secret is the right one. Answers nothing for
    /// an order that nobody here has made.
    pub async fn ring_order(
        &self,
        provider: Provider,
        reference: &str,
        is_genuine: impl Fn(&[u8]) -> bool,
    ) -> QueryResult<Option<Vec<AccountRef>>> {
        let mut conn = self.db.read().await?;
        let query = email_accounts::table
            .inner_join(email_doorbells::table)
            .filter(email_accounts::provider.eq(provider.as_str()))
            .filter(email_accounts::webhook_id.eq(reference))
            .select((email_accounts::id, email_doorbells::secret_hash));
        let known: Vec<(AccountId, Option<Vec<u8>>)> = on_conn!(&mut conn, |c| query.load(c).await)?;
        if known.is_empty() {
            return Ok(None);
        }
        let genuine = known.into_iter().filter(|(_, hash)| hash.as_deref().is_some_and(&is_genuine));
        let ids: Vec<AccountId> = genuine.map(|(id, _)| id).collect();
        let query = ringable!(provider).filter(email_accounts::id.eq_any(&ids)).select(REFERENCE);
        let found: Vec<Reference> = on_conn!(&mut conn, |c| query.load(c).await)?;
        drop(conn);
        self.ring(found).await.map(Some)
    }

    async fn ring(&self, found: Vec<Reference>) -> QueryResult<Vec<AccountRef>> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<AccountId> = found.iter().map(|(account, ..)| *account).collect();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let now = self.clock.now();
            let wanted = email_accounts::table.filter(email_accounts::id.eq_any(&ids));
            let request = diesel::update(wanted)
                .set((email_accounts::next_sync_at.eq(now), email_accounts::sync_requested_at.eq(now)));
            on_conn!(&mut *tx, |c| request.execute(c).await)?;
            for id in &ids {
                on_conn!(&mut *tx, |c| {
                    diesel::insert_into(email_doorbells::table)
                        .values((email_doorbells::account_id.eq(id), email_doorbells::rung_at.eq(now)))
                        .on_conflict(email_doorbells::account_id)
                        .do_update()
                        .set(email_doorbells::rung_at.eq(now))
                        .execute(c)
                        .await
                })?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        Ok(found.into_iter().map(|(account, org, user)| AccountRef { org, user, account }).collect())
    }

    /// Whether another mailbox of the same address counts on the notifications: Gmail knows one order for each address.
    pub async fn shares_bell(&self, id: AccountId, provider: Provider, address: &str) -> QueryResult<bool> {
        let mut conn = self.db.read().await?;
        let query = email_accounts::table
            .filter(email_accounts::provider.eq(provider.as_str()))
            .filter(email_accounts::phase.ne(Phase::Paused.as_str()))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(lower(email_accounts::email_address).eq(address.trim().to_lowercase()))
            .filter(email_accounts::id.ne(id))
            .count();
        let others: i64 = on_conn!(&mut conn, |c| query.get_result(c).await)?;
        Ok(others > 0)
    }

    /// Notes that rings of a kind do not come through at present, or, without words, that they do again.
    pub async fn note_deaf(&self, push: &str, words: Option<(&str, &str)>) -> QueryResult<()> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        let rung = email_accounts::table.filter(email_accounts::push.eq(push)).select(email_accounts::id);
        let bells = email_doorbells::table.filter(email_doorbells::account_id.eq_any(rung));
        let told = (
            email_doorbells::error_code.eq(words.map(|(code, _)| code)),
            email_doorbells::error_message.eq(words.map(|(_, message)| message)),
        );
        if words.is_some() {
            let query = diesel::update(bells).set((told, email_doorbells::missed_at.eq(now)));
            on_conn!(&mut conn, |c| query.execute(c).await)?;
        } else {
            let query = diesel::update(bells.filter(email_doorbells::error_code.is_not_null())).set(told);
            on_conn!(&mut conn, |c| query.execute(c).await)?;
        }
        Ok(())
    }

    /// Why news of some mailboxes are not told of by their providers: a code and words.
    pub(in crate::accounts) async fn push_errors(
        &self,
        ids: &[AccountId],
    ) -> QueryResult<HashMap<AccountId, (String, String)>> {
        let mut conn = self.db.read().await?;
        let query = email_doorbells::table
            .filter(email_doorbells::account_id.eq_any(ids))
            .filter(email_doorbells::error_code.is_not_null().and(email_doorbells::error_message.is_not_null()))
            .select((
                email_doorbells::account_id,
                email_doorbells::error_code.assume_not_null(),
                email_doorbells::error_message.assume_not_null(),
            ));
        let found: Vec<(AccountId, String, String)> = on_conn!(&mut conn, |c| query.load(c).await)?;
        Ok(found.into_iter().map(|(id, code, message)| (id, (code, message))).collect())
    }
}
