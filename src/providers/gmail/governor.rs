//! Keeps every user's calls within Gmail's allowance, what a person waits for first.
//!
//! Gmail grants each user so many units a minute, and calls cost between one and some hundred. A bucket fills evenly at 97
//! hundredths of the allowance and holds 3 hundredths, so that no minute, wherever it begins, sees more than all of it. When
//! Gmail asks to wait, no call of that user leaves before the time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How much of the allowance flows evenly; the rest is what may be used at once.
const FLOW: f64 = 0.97;

/// Calls of one user that run at once; fewer when Gmail complains.
const AT_ONCE: usize = 10;

/// Calls that go well before one more at once is tried.
const CALM: usize = 200;

/// A user of whom nothing was heard for so long begins anew.
const FORGET: Duration = Duration::from_secs(600);

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A person waits for it.
    Interactive,
    /// Nobody waits for it.
    Background,
}

/// The governor of all users.
#[derive(Clone)]
pub(super) struct Governor {
    units_per_minute: f64,
    users: Cache<String, Arc<User>>,
}

impl Governor {
    pub(super) fn new(units_per_minute: u32) -> Self {
        let users = Cache::builder().time_to_idle(FORGET).max_capacity(100_000).build();
        Self { units_per_minute: f64::from(units_per_minute.max(1)), users }
    }

    /// The allowance of one user.
    pub(super) fn user(&self, key: &str) -> Arc<User> {
        self.users.get_with_by_ref(key, || Arc::new(User::new(self.units_per_minute)))
    }
}

/// The allowance of one user.
pub(super) struct User {
    state: Mutex<State>,
    /// Interactive calls that wait for their turn.
    waiting: AtomicUsize,
    /// Background calls go one after another to the gate.
    queue: tokio::sync::Mutex<()>,
    freed: Notify,
}

struct State {
    level: f64,
    capacity: f64,
    per_second: f64,
    filled_at: Instant,
    held_until: Instant,
    running: usize,
    most: usize,
    calm: usize,
}

/// A call that runs; the place is free again when it is dropped.
pub(super) struct Place(Arc<User>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = state.running.saturating_sub(1);
        drop(state);
        self.0.freed.notify_waiters();
    }
}

/// An interactive call that waits, counted for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a call may not leave yet.
enum Wait {
    /// Nothing helps but time.
    For(Duration),
    /// Another call must end first.
    ForAPlace,
}

impl User {
    fn new(units_per_minute: f64) -> Self {
        let now = Instant::now();
        let capacity = units_per_minute * (1.0 - FLOW);
        let state = State {
            level: capacity,
            capacity,
            per_second: units_per_minute * FLOW / 60.0,
            filled_at: now,
            held_until: now,
            running: 0,
            most: AT_ONCE,
            calm: 0,
        };
        Self {
            state: Mutex::new(state),
            waiting: AtomicUsize::new(0),
            queue: tokio::sync::Mutex::new(()),
            freed: Notify::new(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a call of so many units may leave.
    pub(super) async fn admit(self: &Arc<Self>, units: u32, lane: Lane) -> Place {
        let units = f64::from(units);
        let _waiting = (lane == Lane::Interactive).then(|| Waiting::new(&self.waiting));
        let _queue = match lane {
            Lane::Background => Some(self.queue.lock().await),
            Lane::Interactive => None,
        };
        loop {
            let freed = self.freed.notified();
            let people_wait = lane == Lane::Background && self.waiting.load(Ordering::Relaxed) > 0;
            let wait = self.state().take(units, lane, people_wait);
            match wait {
                None => return Place(Arc::clone(self)),
                Some(Wait::For(time)) => tokio::time::sleep(time).await,
                Some(Wait::ForAPlace) => freed.await,
            }
        }
    }

    /// Gmail asks to be left alone.
    pub(super) fn hold(&self, time: Duration) {
        let mut state = self.state();
        state.held_until = state.held_until.max(Instant::now() + time);
        // What was thought to be left of the allowance is not.
        state.level = state.level.min(0.0);
    }

    /// Too many calls ran at once.
    pub(super) fn crowd(&self) {
        let mut state = self.state();
        state.most = (state.most / 2).max(1);
        state.calm = 0;
    }

    /// A call went well.
    pub(super) fn well(&self) {
        let mut state = self.state();
        state.calm += 1;
        if state.calm >= CALM && state.most < AT_ONCE {
            state.most += 1;
            state.calm = 0;
        }
    }
}

impl State {
    fn take(&mut self, units: f64, lane: Lane, people_wait: bool) -> Option<Wait> {
        let now = Instant::now();
        let passed = now.duration_since(self.filled_at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.capacity);
        self.filled_at = now;
        if self.held_until > now {
            return Some(Wait::For(self.held_until - now));
        }
        if self.running >= self.most {
            return Some(Wait::ForAPlace);
        }
        // What nobody waits for leaves something in the bucket, and steps back while somebody waits.
        let reserve = if lane == Lane::Background { self.capacity / 3.0 } else { 0.0 };
        let needed = (units + reserve).min(self.capacity);
        if people_wait || self.level < needed {
            let missing = (needed - self.level).max(1.0);
            return Some(Wait::For(Duration::from_secs_f64(missing / self.per_second)));
        }
        self.level -= units;
        self.running += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn units_within(user: &Arc<User>, time: Duration, units: u32, lane: Lane) -> u32 {
        let end = Instant::now() + time;
        let mut used = 0;
        while let Ok(place) = tokio::time::timeout_at(end, user.admit(units, lane)).await {
            used += units;
            drop(place);
        }
        used
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_than_the_allowance_and_nearly_all_of_it_is_used() {
        let user = Governor::new(6_000).user("u");
        let first = units_within(&user, Duration::from_secs(60), 20, Lane::Background).await;
        assert!((5_700..=6_000).contains(&first), "{first}");
        let next = units_within(&user, Duration::from_secs(600), 20, Lane::Background).await;
        assert!((57_000..=60_000).contains(&next), "{next}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_person_waits_for_overtakes() {
        let user = Governor::new(600).user("u");
        let busy = {
            let user = user.clone();
            tokio::spawn(async move { units_within(&user, Duration::from_secs(60), 20, Lane::Background).await })
        };
        tokio::time::sleep(Duration::from_secs(10)).await;
        let began = Instant::now();
        drop(user.admit(5, Lane::Interactive).await);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        busy.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leaves_before_the_time_that_gmail_asked_for() {
        let user = Governor::new(6_000).user("u");
        user.hold(Duration::from_secs(30));
        let began = Instant::now();
        drop(user.admit(1, Lane::Interactive).await);
        assert!(began.elapsed() >= Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_dearer_than_the_bucket_leaves_when_it_is_full() {
        let user = Governor::new(600).user("u");
        drop(user.admit(100, Lane::Interactive).await);
        let began = Instant::now();
        drop(user.admit(1, Lane::Interactive).await);
        assert!(began.elapsed() > Duration::from_secs(5), "it is paid for afterwards");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_thinned_and_grows_again() {
        let user = Governor::new(6_000_000).user("u");
        user.crowd();
        assert_eq!(user.state().most, AT_ONCE / 2);
        (0..CALM).for_each(|_| user.well());
        assert_eq!(user.state().most, AT_ONCE / 2 + 1);
    }
}
