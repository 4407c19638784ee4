//! The rules of reading and keeping facts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use diesel::QueryResult;

use super::dto::{EventDto, EventParams};
use super::store;
use crate::access::Access;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{ApiError, ApiResult};
use crate::http::Page;
use crate::ids::{OrgId, UserId};

/// How long facts can be read again.
const KEPT: Duration = Duration::days(30);

/// The facts of this server; cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    db: Db,
    clock: Clock,
    pub(super) listened: Listened,
}

impl Outbox {
    /// Takes the handles that it needs.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, listened: Listened::default() }
    }

    /// A page of the caller's facts.
    pub(super) async fn list(&self, access: &Access, params: &EventParams) -> ApiResult<Page<EventDto>> {
        let asked = params.cursor.or(params.after).map(|after| after.0);
        if let Some(after) = asked
            && let Some(earliest) = self.expired(access.org, after).await?
        {
            return Err(ApiError::events_expired(earliest));
        }
        let rows = self.after(access.org, access.user, asked.unwrap_or(0), params.limit.probe()).await?;
        let more = rows.len() > params.limit.rows();
        let items: Vec<EventDto> = rows.into_iter().take(params.limit.rows()).collect();
        let next_cursor = items.last().filter(|_| more).map(|last| last.seq.to_string());
        Ok(Page { items, next_cursor })
    }

    /// The facts after a number that a user may read, in order, up to a limit.
    pub async fn after(&self, org: OrgId, user: UserId, after: i64, limit: i64) -> QueryResult<Vec<EventDto>> {
        let mut conn = self.db.read().await?;
        let head = store::head(&mut conn, org).await?;
        if head <= after {
            return Ok(Vec::new());
        }
        let rows = store::page(&mut conn, org, user, (after, head), limit).await?;
        Ok(rows.into_iter().map(EventDto::from).collect())
    }

    /// The last number that an organization gave; 0 before the first.
    pub async fn head(&self, org: OrgId) -> QueryResult<i64> {
        store::head(&mut self.db.read().await?, org).await
    }

    /// Whether facts after a number are not kept any more; then the first number that is.
    pub async fn expired(&self, org: OrgId, after: i64) -> QueryResult<Option<i64>> {
        let earliest = store::earliest(&mut self.db.read().await?, org).await?;
        Ok(earliest.filter(|earliest| after.saturating_add(1) < *earliest))
    }

    /// Deletes what is older than 30 days, in steps between which others may write; answers how many facts it was.
    ///
    /// What goes is always a run from the start, so that the numbers that are kept have no gaps.
    pub async fn purge_expired(&self) -> QueryResult<usize> {
        let time = self.clock.now() - KEPT;
        let mut purged = 0;
        let orgs = store::with_facts(&mut self.db.read().await?).await?;
        for org in orgs {
            let below = store::kept_from(&mut self.db.read().await?, org, time).await?;
            loop {
                let (mut conn, _turn) = self.db.write_background().await?;
                match store::delete_below(&mut conn, org, below).await? {
                    0 => break,
                    deleted => purged += deleted,
                }
            }
        }
        Ok(purged)
    }

    /// Says that somebody waits for an organization's facts, as long as the answer lives.
    pub fn listen(&self, org: OrgId) -> Listening {
        self.listened.add(org)
    }
}

/// Organizations whose facts somebody in this process waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Listened(Arc<Mutex<HashMap<OrgId, usize>>>);

impl Listened {
    fn add(&self, org: OrgId) -> Listening {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(org).or_default() += 1;
        Listening { org, listened: self.clone() }
    }

    /// Which they are.
    pub(super) fn orgs(&self) -> Vec<OrgId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

/// Somebody waits for an organization's facts.
#[derive(Debug)]
pub struct Listening {
    org: OrgId,
    listened: Listened,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listened = self.listened.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = listened.get_mut(&self.org) {
            *count -= 1;
            if *count == 0 {
                listened.remove(&self.org);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_listened_to_until_the_last_has_gone() {
        let (listened, org) = (Listened::default(), OrgId::new());
        let (first, second) = (listened.add(org), listened.add(org));
        drop(first);
        assert_eq!(listened.orgs(), [org]);
        drop(second);
        assert!(listened.orgs().is_empty());
    }
}
