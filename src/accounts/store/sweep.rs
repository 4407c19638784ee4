//! When the mail of a mailbox was last compared with the provider's, mail by mail.

use chrono::Duration;
use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::email_accounts;
use crate::ids::AccountId;
use crate::on_conn;

/// How often all mail is compared without anybody asking.
const EVERY: Duration = Duration::hours(24);

impl Accounts {
    /// Whether every mail is to be compared in the next pass: a day after the last time, or because a person asked.
    pub async fn is_sweep_due(&self, id: AccountId, now: Timestamp) -> QueryResult<bool> {
        let mut conn = self.db.read().await?;
        let query =
            email_accounts::table.find(id).select((email_accounts::swept_at, email_accounts::sweep_requested_at));
        let (swept, requested): (Option<Timestamp>, Option<Timestamp>) = on_conn!(&mut conn, |c| query.first(c).await)?;
        let Some(swept) = swept else { return Ok(true) };
        Ok(swept + EVERY <= now || requested.is_some_and(|at| at > swept))
    }

    /// Notes that every mail was compared in a pass that began at the given time; belongs into the engine's transaction.
    pub async fn complete_sweep(&self, tx: &mut DbConn, id: AccountId, began: Timestamp) -> QueryResult<()> {
        let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::swept_at.eq(began));
        on_conn!(tx, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Makes a pass due now: a running one is followed by another.
    pub async fn request_pass(&self, id: AccountId) -> QueryResult<()> {
        super::request_sync(&mut self.db.write().await?, id, self.clock.now()).await
    }
}

/// Notes that a person waits for a comparison of every mail.
pub(in crate::accounts) async fn request(tx: &mut DbConn, id: AccountId, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::sweep_requested_at.eq(now));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}
