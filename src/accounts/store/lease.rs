//! Who syncs a mailbox: leases in its row, so that several copies share the work and a dead one's is taken over.
//!
//! A pass claims the row, renews the claim in each of its transactions, and gives it back with its outcome. A claim that was
//! lost (the process stood still, another copy took over) makes the next transaction fail, so two passes never write at once.

use chrono::Duration;
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, QueryDsl};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::RunQueryDsl;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use super::super::model::{Phase, Status};
use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::email_accounts;
use crate::events::AccountRef;
use crate::ids::{AccountId, OrgId, UserId};
use crate::on_conn;
use crate::outbox::{self, Fact};

/// How long a claim lasts without a renewal.
const LEASE: Duration = Duration::seconds(60);

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::minutes(30);

/// Refusals of a password in a row, minutes apart, before a person is asked: some servers answer so when they are busy.
const REFUSALS: i32 = 3;

/// A claim on a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The mailbox.
    pub account: AccountId,
    /// Its organization.
    pub org: OrgId,
    /// When it was claimed.
    pub since: Timestamp,
    token: String,
}

/// What a pass came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It went well; the next is due at the given time.
    Done {
        /// When the next pass is due.
        next: Timestamp,
    },
    /// It failed in a way that may pass by itself.
    Failed {
        /// The public code.
        code: String,
        /// What happened and what to do.
        message: String,
        /// Whether the sign-in was refused, which a person must mend if it stays so.
        refused: bool,
    },
    /// It was stopped before its end (the server stops, or a person paused it); it goes on later.
    Stopped,
}

/// How the mailbox stands after a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It is well.
    Well,
    /// It was well before and is not now.
    NewError,
    /// It is still not well.
    StillError,
    /// It waits for a person now.
    Disconnected,
}

impl Accounts {
    /// Claims mailboxes of a phase that are due, the longest overdue first.
    pub async fn claim_due(&self, phase: Phase, limit: i64) -> QueryResult<Vec<Lease>> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        let ids = due(&mut conn, phase, now, limit).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let token = format!("{}:{}", self.instance, Uuid::now_v7());
        let claimed: Vec<(AccountId, OrgId)> = on_conn!(&mut conn, |c| {
            let free = email_accounts::claimed_until.is_null().or(email_accounts::claimed_until.lt(now));
            diesel::update(email_accounts::table.filter(email_accounts::id.eq_any(&ids)).filter(free))
                .set((email_accounts::claimed_by.eq(&token), email_accounts::claimed_until.eq(now + LEASE)))
                .returning((email_accounts::id, email_accounts::organization_id))
                .get_results(c)
                .await
        })?;
        Ok(claimed.into_iter().map(|(account, org)| Lease { account, org, since: now, token: token.clone() }).collect())
    }

    /// Claims one mailbox, unless somebody else holds it or it is not to be synced now.
    pub async fn claim_one(&self, id: AccountId) -> QueryResult<Option<Lease>> {
        let now = self.clock.now();
        let token = format!("{}:{}", self.instance, Uuid::now_v7());
        let mut conn = self.db.write().await?;
        let free = email_accounts::table
            .find(id)
            .filter(email_accounts::phase.ne(Phase::Paused.as_str()))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(email_accounts::claimed_until.is_null().or(email_accounts::claimed_until.lt(now)));
        let query = diesel::update(free)
            .set((email_accounts::claimed_by.eq(&token), email_accounts::claimed_until.eq(now + LEASE)))
            .returning(email_accounts::organization_id);
        let org: Option<OrgId> = on_conn!(&mut conn, |c| query.get_result(c).await.optional())?;
        Ok(org.map(|org| Lease { account: id, org, since: now, token }))
    }

    /// Renews a claim inside a transaction.
    ///
    /// # Errors
    /// `NotFound` when the claim was lost or the mailbox was paused; the transaction must not be committed then.
    pub async fn renew(&self, tx: &mut DbConn, lease: &Lease) -> QueryResult<()> {
        let until = self.clock.now() + LEASE;
        let renewed = on_conn!(tx, |c| {
            diesel::update(
                email_accounts::table.find(lease.account).filter(email_accounts::claimed_by.eq(&lease.token)),
            )
            .set(email_accounts::claimed_until.eq(until))
            .execute(c)
            .await
        })?;
        if renewed == 1 { Ok(()) } else { Err(diesel::result::Error::NotFound) }
    }

    /// Marks the first import as done, inside the engine's transaction; a paused mailbox stays paused.
    ///
    /// What went wrong on the way is over with it: a mailbox that is live and shows an old error would be a riddle.
    pub async fn complete_backfill(&self, tx: &mut DbConn, id: AccountId, now: Timestamp) -> QueryResult<()> {
        on_conn!(tx, |c| {
            let running = email_accounts::table.find(id).filter(email_accounts::phase.eq(Phase::Backfill.as_str()));
            diesel::update(running)
                .set((
                    email_accounts::phase.eq(Phase::Live.as_str()),
                    email_accounts::backfill_finished_at.eq(now),
                    email_accounts::status.eq(Status::Active.as_str()),
                    email_accounts::error_code.eq(None::<String>),
                    email_accounts::error_message.eq(None::<String>),
                    email_accounts::consecutive_failures.eq(0),
                    email_accounts::updated_at.eq(now),
                ))
                .execute(c)
                .await
        })?;
        Ok(())
    }

    /// Gives a claim back with what the pass came to; a change for the worse is a fact, for which to ring.
    pub async fn finish(&self, lease: &Lease, outcome: &Outcome) -> QueryResult<Pass> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            let found: Option<(UserId, String, i32, Option<Timestamp>, String)> = on_conn!(tx, |c| {
                email_accounts::table
                    .find(lease.account)
                    .filter(email_accounts::claimed_by.eq(&lease.token))
                    .select((
                        email_accounts::user_id,
                        email_accounts::status,
                        email_accounts::consecutive_failures,
                        email_accounts::sync_requested_at,
                        email_accounts::phase,
                    ))
                    .first(c)
                    .await
                    .optional()
            })?;
            let Some((user, status, failures, requested, phase)) = found else { return Ok(Pass::Well) };
            if *outcome == Outcome::Stopped {
                let next = (phase != Phase::Paused.as_str()).then_some(now);
                give_back(tx, lease.account, next).await?;
                return Ok(Pass::Well);
            }
            let after = After::new(&status, failures, outcome, now, requested.is_some_and(|at| at > lease.since));
            let next = if phase == Phase::Paused.as_str() { None } else { after.next };
            on_conn!(tx, |c| {
                let ours = email_accounts::table.find(lease.account);
                diesel::update(ours)
                    .set((
                        email_accounts::status.eq(after.status.as_str()),
                        email_accounts::error_code.eq(after.error.map(|(code, _)| code)),
                        email_accounts::error_message.eq(after.error.map(|(_, message)| message)),
                        email_accounts::consecutive_failures.eq(after.failures),
                    ))
                    .execute(c)
                    .await
            })?;
            set_time(tx, lease.account, now, after.error.is_none()).await?;
            give_back(tx, lease.account, next).await?;
            let account = AccountRef { org: lease.org, user, account: lease.account };
            outbox::record(tx, after.fact(account).into_iter().collect(), now).await?;
            Ok(after.pass)
        })
        .await
    }

    /// Frees the claims that this instance held when it died.
    pub async fn release_own(&self) -> QueryResult<usize> {
        let mut conn = self.db.write().await?;
        let mine = format!("{}:%", self.instance);
        on_conn!(&mut conn, |c| {
            use diesel::TextExpressionMethods;
            diesel::update(email_accounts::table.filter(email_accounts::claimed_by.like(&mine)))
                .set((
                    email_accounts::claimed_by.eq(None::<String>),
                    email_accounts::claimed_until.eq(None::<Timestamp>),
                ))
                .execute(c)
                .await
        })
    }
}

async fn due(conn: &mut DbConn, phase: Phase, now: Timestamp, limit: i64) -> QueryResult<Vec<AccountId>> {
    on_conn!(conn, |c| {
        email_accounts::table
            .filter(email_accounts::next_sync_at.le(now))
            .filter(email_accounts::status.ne(Status::Disconnected.as_str()))
            .filter(email_accounts::phase.eq(phase.as_str()))
            .filter(email_accounts::removed_at.is_null())
            .filter(email_accounts::claimed_until.is_null().or(email_accounts::claimed_until.lt(now)))
            .order(email_accounts::next_sync_at)
            .limit(limit)
            .select(email_accounts::id)
            .load(c)
            .await
    })
}

async fn give_back(tx: &mut DbConn, id: AccountId, next: Option<Timestamp>) -> QueryResult<usize> {
    on_conn!(tx, |c| {
        diesel::update(email_accounts::table.find(id))
            .set((
                email_accounts::next_sync_at.eq(next),
                email_accounts::claimed_by.eq(None::<String>),
                email_accounts::claimed_until.eq(None::<Timestamp>),
            ))
            .execute(c)
            .await
    })
}

async fn set_time(tx: &mut DbConn, id: AccountId, now: Timestamp, success: bool) -> QueryResult<usize> {
    on_conn!(tx, |c| {
        let row = diesel::update(email_accounts::table.find(id));
        if success {
            row.set(email_accounts::last_sync_at.eq(now)).execute(c).await
        } else {
            row.set(email_accounts::last_error_at.eq(now)).execute(c).await
        }
    })
}

/// The row after a pass.
struct After<'a> {
    status: Status,
    error: Option<(&'a str, &'a str)>,
    failures: i32,
    next: Option<Timestamp>,
    pass: Pass,
}

impl<'a> After<'a> {
    fn new(status: &str, failures: i32, outcome: &'a Outcome, now: Timestamp, asked_again: bool) -> Self {
        let again = |next| if asked_again { now } else { next };
        match outcome {
            Outcome::Done { next } => {
                Self { status: Status::Active, error: None, failures: 0, next: Some(again(*next)), pass: Pass::Well }
            }
            Outcome::Stopped => {
                let status = Status::parse(status).unwrap_or(Status::Active);
                Self { status, error: None, failures, next: Some(again(now)), pass: Pass::Well }
            }
            Outcome::Failed { code, message, refused } => {
                let failures = failures.saturating_add(1);
                let error = Some((code.as_str(), message.as_str()));
                if *refused && failures >= REFUSALS {
                    return Self {
                        status: Status::Disconnected,
                        error,
                        failures,
                        next: None,
                        pass: Pass::Disconnected,
                    };
                }
                let pass = if status == Status::Error.as_str() { Pass::StillError } else { Pass::NewError };
                Self {
                    status: Status::Error,
                    error,
                    failures,
                    next: Some(again(now + backoff(failures, *refused))),
                    pass,
                }
            }
        }
    }
}

impl After<'_> {
    /// What others are told: only of a change for the worse, not of each try that fails again.
    fn fact(&self, account: AccountRef) -> Option<Fact> {
        let (code, message) = self.error?;
        match self.pass {
            Pass::NewError => Some(Fact::account_error(account, code, message)),
            Pass::Disconnected => Some(Fact::account_given_up(account, code, message)),
            Pass::Well | Pass::StillError => None,
        }
    }
}

/// Doubles from five seconds (a refused sign-in: one minute) to half an hour, give or take a fifth.
fn backoff(failures: i32, refused: bool) -> Duration {
    let first = if refused { 60_000 } else { 5_000 };
    let doublings = failures.clamp(1, 12) - 1;
    let wait = Duration::milliseconds(first << doublings).min(MAX_BACKOFF);
    let mut byte = [128];
    // Without random numbers the wait is only less spread out.
    let _ = SystemRandom::new().fill(&mut byte);
    let percent = 80 + i32::from(byte[0]) * 40 / 255;
    wait * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_half_an_hour_and_is_spread() {
        for (failures, seconds) in [(1, 5), (2, 10), (5, 80), (9, 1280), (30, 1800)] {
            let wait = backoff(failures, false).num_milliseconds();
            assert!((seconds * 800..=seconds * 1200).contains(&wait), "{failures}: {wait} ms");
        }
    }

    #[test]
    fn a_refused_sign_in_asks_a_person_only_when_it_stays_so() {
        let now = Timestamp::from_micros(0).unwrap();
        let outcome = Outcome::Failed { code: "imap_login_failed".into(), message: "no".into(), refused: true };
        assert_eq!(After::new("active", 0, &outcome, now, false).pass, Pass::NewError);
        assert_eq!(After::new("error", 1, &outcome, now, false).pass, Pass::StillError);
        let last = After::new("error", 2, &outcome, now, false);
        assert_eq!((last.pass, last.status, last.next), (Pass::Disconnected, Status::Disconnected, None));
    }

    #[test]
    fn a_request_during_a_pass_brings_another_at_once() {
        let now = Timestamp::from_micros(0).unwrap();
        let done = Outcome::Done { next: now + Duration::minutes(10) };
        assert_eq!(After::new("active", 0, &done, now, true).next, Some(now));
        assert_eq!(After::new("error", 4, &done, now, false).failures, 0);
    }
}
