//! Signs of life of a mailbox that is asked over HTTP, by which it is decided how soon to look again.

use chrono::Duration;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::{NullableExpressionMethods, OptionalExtension, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::{Phase, Provider, Status};
use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, email_doorbells};
use crate::ids::{AccountId, UserId};
use crate::on_conn;

/// News that come so long after the last ring were not rung for.
const LATE: Duration = Duration::minutes(2);

/// A mailbox that was looked at so lately is not looked at again because somebody uses it.
const LATELY: Duration = Duration::seconds(10);

/// The signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// When something last happened in it, or a person last used it.
    pub active_at: Option<Timestamp>,
    /// When its provider last told of news.
    pub rung_at: Option<Timestamp>,
    /// When there last were news of which it did not tell, or when it was told to show that it does.
    pub missed_at: Option<Timestamp>,
    /// Until when the provider has promised to tell; nothing when it was not asked to.
    pub rings_until: Option<Timestamp>,
}

impl Signs {
    /// The signs when news were found now. A bell that should have told of them and did not is not relied on any more.
    fn with_news(self, now: Timestamp) -> Self {
        let was_rung_for = self.rung_at.is_some_and(|at| now - at < LATE);
        Self { active_at: Some(now), missed_at: if was_rung_for { self.missed_at } else { Some(now) }, ..self }
    }

    /// Whether the provider can be relied on to tell of news.
    pub fn bell_is_good(&self, now: Timestamp) -> bool {
        self.rings_until.is_some_and(|until| now < until) && self.rung_at.is_some_and(|at| Some(at) > self.missed_at)
    }
}

/// Providers that are asked over HTTP.
const ASKED: [&str; 2] = [Provider::Gmail.as_str(), Provider::Outlook.as_str()];

impl Accounts {
    /// The signs of life of a mailbox; nothing for one whose server is listened to.
    pub async fn signs(&self, id: AccountId) -> QueryResult<Option<Signs>> {
        let mut conn = self.db.read().await?;
        let query = email_accounts::table
            .left_join(email_doorbells::table)
            .filter(email_accounts::id.eq(id))
            .filter(email_accounts::provider.eq_any(ASKED))
            .select((
                email_doorbells::active_at.nullable(),
                email_doorbells::rung_at.nullable(),
                email_doorbells::missed_at.nullable(),
                email_accounts::webhook_expires_at,
            ));
        let found: Option<(Option<Timestamp>, Option<Timestamp>, Option<Timestamp>, Option<Timestamp>)> =
            on_conn!(&mut conn, |c| query.first(c).await.optional())?;
        Ok(found.map(|(active_at, rung_at, missed_at, rings_until)| Signs {
            active_at,
            rung_at,
            missed_at,
            rings_until,
        }))
    }

    /// The same after a pass; when that found news, they are a sign of life as well.
    pub async fn signs_after_pass(&self, id: AccountId, found_news: bool) -> QueryResult<Option<Signs>> {
        let signs = self.signs(id).await?;
        let Some(signs) = signs.filter(|_| found_news) else { return Ok(signs) };
        let now = self.clock.now();
        let signs = signs.with_news(now);
        let (mut conn, _turn) = self.db.write_background().await?;
        note_active(&mut conn, &[id], now).await?;
        if signs.missed_at == Some(now) {
            let query = diesel::update(email_doorbells::table.find(id)).set(email_doorbells::missed_at.eq(now));
            on_conn!(&mut conn, |c| query.execute(c).await)?;
        }
        Ok(Some(signs))
    }

    /// Notes that a person is at work: with one mailbox, or with all of hers. Those that nobody rings for are looked at soon.
    pub async fn note_use(&self, user: UserId, only: Option<AccountId>) -> QueryResult<bool> {
        let now = self.clock.now();
        let mut conn = self.db.read().await?;
        let found: Vec<(AccountId, Option<Timestamp>)> = on_conn!(&mut conn, |c| {
            let mut query = email_accounts::table
                .filter(email_accounts::user_id.eq(user))
                .filter(email_accounts::provider.eq_any(ASKED))
                .filter(email_accounts::phase.eq(Phase::Live.as_str()))
                .filter(email_accounts::status.eq(Status::Active.as_str()))
                .filter(email_accounts::removed_at.is_null())
                .select((email_accounts::id, email_accounts::last_sync_at))
                .into_boxed();
            if let Some(id) = only {
                query = query.filter(email_accounts::id.eq(id));
            }
            query.load(c).await
        })?;
        drop(conn);
        let mut soon = Vec::new();
        for (id, looked_at) in &found {
            let is_rung_for = self.signs(*id).await?.is_some_and(|signs| signs.bell_is_good(now));
            if !is_rung_for && looked_at.is_none_or(|at| at + LATELY <= now) {
                soon.push(*id);
            }
        }
        if found.is_empty() {
            return Ok(false);
        }
        let all: Vec<AccountId> = found.into_iter().map(|(id, _)| id).collect();
        let mut conn = self.db.write().await?;
        note_active(&mut conn, &all, now).await?;
        let later =
            email_accounts::table.filter(email_accounts::id.eq_any(&soon)).filter(email_accounts::next_sync_at.gt(now));
        let query = diesel::update(later)
            .set((email_accounts::next_sync_at.eq(now), email_accounts::sync_requested_at.eq(now)));
        Ok(on_conn!(&mut conn, |c| query.execute(c).await)? > 0)
    }
}

/// Notes that something happened in mailboxes.
async fn note_active(conn: &mut DbConn, ids: &[AccountId], now: Timestamp) -> QueryResult<()> {
    for id in ids {
        on_conn!(&mut *conn, |c| {
            diesel::insert_into(email_doorbells::table)
                .values((email_doorbells::account_id.eq(id), email_doorbells::active_at.eq(now)))
                .on_conflict(email_doorbells::account_id)
                .do_update()
                .set(email_doorbells::active_at.eq(now))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_that_was_silent_when_there_were_news_is_not_relied_on() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
        let now = at(10_000);
        let rung = |seconds| Signs {
            rung_at: Some(at(seconds)),
            missed_at: Some(at(1)),
            rings_until: Some(at(20_000)),
            active_at: None,
        };
        assert!(rung(9_990).bell_is_good(now) && rung(9_990).with_news(now).bell_is_good(now));
        assert!(rung(9_000).bell_is_good(now) && !rung(9_000).with_news(now).bell_is_good(now));
        assert_eq!(rung(9_000).with_news(now).active_at, Some(now));
        assert!(!rung(9_990).bell_is_good(at(20_000)), "its time is over");
        assert!(!Signs { rung_at: None, ..rung(0) }.bell_is_good(now), "it never rang");
        assert!(!Signs { rung_at: Some(at(1)), ..rung(0) }.bell_is_good(now), "it has not rung since it was asked to");
    }
}
