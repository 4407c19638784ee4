//! Orders for notifications at a provider: when they are made and renewed, and what came of them.

use chrono::Duration;
use diesel::QueryResult;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::model::{Phase, Provider, Status};
use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::schema::{email_accounts, email_doorbells};
use crate::ids::{AccountId, OrgId};
use crate::on_conn;

/// How long an order is under way before somebody else may make it.
const CLAIM: Duration = Duration::minutes(3);

/// The longest wait before an order is tried again.
const LONGEST_WAIT: Duration = Duration::hours(6);

/// A mailbox whose notifications are to be ordered, renewed or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The mailbox.
    pub account: AccountId,
    /// Its organization.
    pub org: OrgId,
    /// What the provider calls the standing order: the topic at Gmail, the subscription's id at Microsoft.
    pub reference: Option<String>,
}

/// What the columns of an order hold.
type OrderRow = (AccountId, OrgId, Option<String>);
const ORDER: (email_accounts::id, email_accounts::organization_id, email_accounts::webhook_id) =
    (email_accounts::id, email_accounts::organization_id, email_accounts::webhook_id);

/// Notifications that a provider has promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise<'a> {
    /// How they come: `webhook` or `pull`.
    pub push: &'a str,
    /// What the provider calls the order.
    pub reference: &'a str,
    /// Until when they come.
    pub until: Timestamp,
    /// When the order is to be renewed.
    pub renew_at: Timestamp,
    /// The digest of what must stand in each of them.
    pub secret_hash: Option<&'a [u8]>,
}

impl Accounts {
    /// Claims live mailboxes whose notifications are to be ordered or renewed.
    pub async fn claim_orders(&self, provider: Provider, limit: i64) -> QueryResult<Vec<Order>> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let open = || email_doorbells::due_at.is_null().or(email_doorbells::due_at.le(now));
        let query = email_accounts::table
            .left_join(email_doorbells::table)
            .filter(email_accounts::provider.eq(provider.as_str()))
            .filter(email_accounts::phase.eq(Phase::Live.as_str()))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(open())
            .order(email_accounts::id)
            .limit(limit)
            .select(email_accounts::id);
        let ids: Vec<AccountId> = on_conn!(&mut conn, |c| query.load(c).await)?;
        drop(conn);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.db.write().await?;
        for id in &ids {
            let new = (email_doorbells::account_id.eq(id), email_doorbells::due_at.eq(now));
            let query = diesel::insert_into(email_doorbells::table).values(new).on_conflict_do_nothing();
            on_conn!(&mut conn, |c| query.execute(c).await)?;
        }
        let due = email_doorbells::table.filter(email_doorbells::account_id.eq_any(&ids)).filter(open());
        let query =
            diesel::update(due).set(email_doorbells::due_at.eq(now + CLAIM)).returning(email_doorbells::account_id);
        let claimed: Vec<AccountId> = on_conn!(&mut conn, |c| query.get_results(c).await)?;
        let query = email_accounts::table.filter(email_accounts::id.eq_any(&claimed)).select(ORDER);
        let orders: Vec<OrderRow> = on_conn!(&mut conn, |c| query.load(c).await)?;
        Ok(orders.into_iter().map(order).collect())
    }

    /// Notes what a provider has promised. The bell counts as good when it has rung once after that.
    pub async fn note_promise(&self, id: AccountId, promise: &Promise<'_>) -> QueryResult<()> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let account = diesel::update(email_accounts::table.find(id)).set((
                email_accounts::push.eq(promise.push),
                email_accounts::webhook_id.eq(promise.reference),
                email_accounts::webhook_expires_at.eq(promise.until),
            ));
            on_conn!(&mut *tx, |c| account.execute(c).await)?;
            let bell = diesel::update(email_doorbells::table.find(id)).set((
                email_doorbells::missed_at.eq(now),
                email_doorbells::due_at.eq(promise.renew_at),
                email_doorbells::failures.eq(0),
                email_doorbells::error_code.eq(None::<String>),
                email_doorbells::error_message.eq(None::<String>),
                email_doorbells::secret_hash.eq(promise.secret_hash),
            ));
            on_conn!(&mut *tx, |c| bell.execute(c).await)?;
            Ok(())
        })
        .await
    }

    /// Notes that notifications could not be ordered, and when to try again: after `wait`, and twice as long each time.
    /// `words` are a code and what people are told. What was promised before still holds to its end.
    pub async fn note_refusal(&self, id: AccountId, wait: Duration, words: Option<(&str, &str)>) -> QueryResult<()> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let count = diesel::update(email_doorbells::table.find(id))
                .set(email_doorbells::failures.eq(email_doorbells::failures + 1))
                .returning(email_doorbells::failures);
            let failures: i32 = on_conn!(&mut *tx, |c| count.get_result(c).await)?;
            let bell = diesel::update(email_doorbells::table.find(id)).set((
                email_doorbells::due_at.eq(now + grown(wait, failures)),
                email_doorbells::error_code.eq(words.map(|(code, _)| code)),
                email_doorbells::error_message.eq(words.map(|(_, message)| message)),
            ));
            on_conn!(&mut *tx, |c| bell.execute(c).await)?;
            let over = email_accounts::webhook_expires_at.is_null().or(email_accounts::webhook_expires_at.le(now));
            let account = diesel::update(email_accounts::table.find(id).filter(over))
                .set((email_accounts::push.eq("none"), email_accounts::webhook_expires_at.eq(None::<Timestamp>)));
            on_conn!(&mut *tx, |c| account.execute(c).await)?;
            Ok(())
        })
        .await
    }

    /// Notes that nobody rings for a mailbox any more; a new order is due when it is live again.
    pub async fn note_silence(&self, id: AccountId) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let account = diesel::update(email_accounts::table.find(id)).set((
                email_accounts::push.eq("none"),
                email_accounts::webhook_id.eq(None::<String>),
                email_accounts::webhook_expires_at.eq(None::<Timestamp>),
            ));
            on_conn!(&mut *tx, |c| account.execute(c).await)?;
            let bell = diesel::update(email_doorbells::table.find(id))
                .set((email_doorbells::due_at.eq(None::<Timestamp>), email_doorbells::secret_hash.eq(None::<Vec<u8>>)));
            on_conn!(&mut *tx, |c| bell.execute(c).await)?;
            Ok(())
        })
        .await
    }

    /// Mailboxes that are still rung for though they are paused or disconnected.
    pub async fn rung_in_vain(&self, provider: Provider) -> QueryResult<Vec<Order>> {
        let mut conn = self.db.read().await?;
        let query = email_accounts::table
            .filter(email_accounts::provider.eq(provider.as_str()))
            .filter(
                email_accounts::phase
                    .eq(Phase::Paused.as_str())
                    .or(email_accounts::status.eq(Status::Disconnected.as_str())),
            )
            .filter(email_accounts::webhook_id.is_not_null())
            .select(ORDER);
        let found: Vec<OrderRow> = on_conn!(&mut conn, |c| query.load(c).await)?;
        Ok(found.into_iter().map(order).collect())
    }

    /// Makes orders due that failed, or that were made with another reference: the operator may have changed the settings.
    pub async fn reorder(&self, provider: Provider, reference: Option<&str>) -> QueryResult<usize> {
        let now = self.clock.now();
        let ours = || email_accounts::table.filter(email_accounts::provider.eq(provider.as_str()));
        let mut conn = self.db.write().await?;
        let failed = email_doorbells::table
            .filter(email_doorbells::failures.gt(0))
            .filter(email_doorbells::account_id.eq_any(ours().select(email_accounts::id)));
        let query = diesel::update(failed).set(email_doorbells::due_at.eq(now));
        let mut due = on_conn!(&mut conn, |c| query.execute(c).await)?;
        if let Some(reference) = reference {
            let other = ours().filter(email_accounts::webhook_id.ne(reference)).select(email_accounts::id);
            let bells = email_doorbells::table.filter(email_doorbells::account_id.eq_any(other));
            let query = diesel::update(bells).set(email_doorbells::due_at.eq(now));
            due += on_conn!(&mut conn, |c| query.execute(c).await)?;
        }
        Ok(due)
    }

    /// Notes that no mailbox of a provider is rung for any more: the operator has taken the settings away.
    pub async fn silence_all(&self, provider: Provider) -> QueryResult<usize> {
        let ours = || email_accounts::table.filter(email_accounts::provider.eq(provider.as_str()));
        let mut conn = self.db.write().await?;
        let query = diesel::update(ours().filter(email_accounts::webhook_id.is_not_null())).set((
            email_accounts::push.eq("none"),
            email_accounts::webhook_id.eq(None::<String>),
            email_accounts::webhook_expires_at.eq(None::<Timestamp>),
        ));
        let silenced = on_conn!(&mut conn, |c| query.execute(c).await)?;
        let bells = email_doorbells::table
            .filter(email_doorbells::account_id.eq_any(ours().select(email_accounts::id)))
            .filter(email_doorbells::due_at.is_not_null());
        let query = diesel::update(bells).set((
            email_doorbells::due_at.eq(None::<Timestamp>),
            email_doorbells::error_code.eq(None::<String>),
            email_doorbells::error_message.eq(None::<String>),
        ));
        on_conn!(&mut conn, |c| query.execute(c).await)?;
        Ok(silenced)
    }
}

fn order((account, org, reference): OrderRow) -> Order {
    Order { account, org, reference }
}

/// A wait that doubles with each failure.
fn grown(wait: Duration, failures: i32) -> Duration {
    let doublings = failures.clamp(1, 10) - 1;
    (wait * (1 << doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_order_is_tried_again_later_and_later() {
        let wait = |failures| grown(Duration::minutes(2), failures).num_minutes();
        assert_eq!([1, 2, 3, 8, 99].map(wait), [2, 4, 8, 256, 360]);
    }
}
