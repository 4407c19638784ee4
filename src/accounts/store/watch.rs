//! Who listens to a mailbox, so that it is listened to once in all copies of the process together.

use chrono::Duration;
use diesel::QueryResult;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::model::{Phase, Provider, Status};
use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::schema::email_accounts;
use crate::ids::{AccountId, OrgId};
use crate::on_conn;

/// How long a claim lasts without a renewal.
const LEASE: Duration = Duration::seconds(60);

impl Accounts {
    /// Claims live IMAP mailboxes that nobody listens to, also those that this instance held when it died.
    pub async fn claim_watches(&self, limit: i64) -> QueryResult<Vec<(AccountId, OrgId)>> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let free = || email_accounts::watched_until.is_null().or(email_accounts::watched_until.lt(now));
        let query = email_accounts::table
            .filter(email_accounts::provider.eq(Provider::Imap.as_str()))
            .filter(email_accounts::phase.eq(Phase::Live.as_str()))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(free())
            .order(email_accounts::id)
            .limit(limit)
            .select(email_accounts::id);
        let ids: Vec<AccountId> = on_conn!(&mut conn, |c| query.load(c).await)?;
        drop(conn);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.db.write().await?;
        let query = diesel::update(email_accounts::table.filter(email_accounts::id.eq_any(&ids)).filter(free()))
            .set((email_accounts::watched_by.eq(&*self.run), email_accounts::watched_until.eq(now + LEASE)))
            .returning((email_accounts::id, email_accounts::organization_id));
        on_conn!(&mut conn, |c| query.get_results(c).await)
    }

    /// Renews all claims of this process; answers the mailboxes that it may go on listening to.
    pub async fn renew_watches(&self) -> QueryResult<Vec<(AccountId, OrgId)>> {
        let until = self.clock.now() + LEASE;
        let mut conn = self.db.write().await?;
        let ours = email_accounts::table
            .filter(email_accounts::watched_by.eq(&*self.run))
            .filter(email_accounts::phase.eq(Phase::Live.as_str()))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null());
        let query = diesel::update(ours)
            .set(email_accounts::watched_until.eq(until))
            .returning((email_accounts::id, email_accounts::organization_id));
        on_conn!(&mut conn, |c| query.get_results(c).await)
    }

    /// Gives back all claims of this process.
    pub async fn release_watches(&self) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        let query = diesel::update(email_accounts::table.filter(email_accounts::watched_by.eq(&*self.run)))
            .set((email_accounts::watched_by.eq(None::<String>), email_accounts::watched_until.eq(None::<Timestamp>)));
        on_conn!(&mut conn, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Frees the claims that this instance held when it died.
    pub async fn release_own_watches(&self) -> QueryResult<usize> {
        use diesel::TextExpressionMethods;
        let mine = format!("{}:%", self.instance);
        let mut conn = self.db.write().await?;
        let query = diesel::update(email_accounts::table.filter(email_accounts::watched_by.like(&mine)))
            .set((email_accounts::watched_by.eq(None::<String>), email_accounts::watched_until.eq(None::<Timestamp>)));
        on_conn!(&mut conn, |c| query.execute(c).await)
    }

    /// Notes how news of a mailbox arrive.
    pub async fn set_push(&self, id: AccountId, push: &str) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        let other = email_accounts::table.find(id).filter(email_accounts::push.ne(push));
        on_conn!(&mut conn, |c| diesel::update(other).set(email_accounts::push.eq(push)).execute(c).await)?;
        Ok(())
    }
}
