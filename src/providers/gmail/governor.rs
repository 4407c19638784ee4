//! Keeps every user's calls within Gmail's allowance, what a person waits for first.
//!
//! Gmail grants each user so many units a minute, and calls cost between one and some hundred. The units flow evenly, a
//! little slower than they are granted, and few of them may be saved up: so no minute, wherever it begins, sees more than the
//! allowance, though answers take longer one time and shorter another. While Gmail asks to be left alone, no call of that user
//! leaves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Queue, Notify};
use tokio::time::Instant;

use crate::providers::ProviderError;

/// How much of the allowance flows.
const FLOW: f64 = 0.965;

/// How much of it may be saved up. Together with the flow it leaves nearly a second's worth for calls that are late on their way.
const SAVED: f64 = 0.02;

/// Of what is saved up, background calls leave this much to people.
const RESERVE: f64 = 1.0 / 3.0;

/// Calls of one user that run at once, parts of batches counted singly; fewer when Gmail complains.
const AT_ONCE: u32 = 42;

/// Of these, background calls leave so many to people.
const FOR_PEOPLE: u32 = 2;

/// Answers that come well before one more call at once is tried again.
const CALM: u32 = 20;

/// Mails of one batch. Gmail takes a hundred and then refuses most of them.
const BATCH: u32 = 20;

/// The longest time that anybody is held back; whoever asks for more is asked again then.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Users that are remembered before those with nothing to remember are forgotten.
const FEW: usize = 1_000;

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A person waits for it.
    Interactive,
    /// Nobody waits for it.
    Background,
}

impl Lane {
    /// The longest wait that Gmail may ask for and that is waited out here; a longer one is handed up.
    pub(super) fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Interactive => 20,
            Self::Background => 120,
        })
    }
}

/// The governor of all users; clones are the same one.
#[derive(Clone)]
pub(super) struct Governor {
    units_per_minute: f64,
    users: Arc<Mutex<Users>>,
    /// What stops the whole project.
    project: Arc<Mutex<Hold>>,
}

struct Users {
    known: HashMap<String, Arc<User>>,
    tidy_at: usize,
}

impl Governor {
    pub(super) fn new(units_per_minute: u32) -> Self {
        Self {
            units_per_minute: f64::from(units_per_minute.max(1)),
            users: Arc::new(Mutex::new(Users { known: HashMap::new(), tidy_at: FEW })),
            project: Arc::default(),
        }
    }

    /// The allowance of one user.
    pub(super) fn user(&self, key: &str) -> Arc<User> {
        let mut users = lock(&self.users);
        if let Some(user) = users.known.get(key) {
            return Arc::clone(user);
        }
        if users.known.len() >= users.tidy_at {
            users.known.retain(|_, user| Arc::strong_count(user) > 1 || !lock(&user.state).is_rested());
            users.tidy_at = FEW.max(2 * users.known.len());
        }
        let user = Arc::new(User::new(self.units_per_minute, Arc::clone(&self.project)));
        users.known.insert(key.to_owned(), Arc::clone(&user));
        user
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        lock(&self.users).known.len()
    }

    /// No call of anybody leaves for so long.
    pub(super) fn hold_all(&self, time: Duration, why: &ProviderError) {
        lock(&self.project).extend(time, why);
    }
}

/// A time until which no call leaves, and who said so.
#[derive(Default)]
struct Hold(Option<(Instant, ProviderError)>);

impl Hold {
    fn extend(&mut self, time: Duration, why: &ProviderError) {
        let until = Instant::now() + time.min(LONGEST);
        if self.0.as_ref().is_none_or(|(known, _)| *known < until) {
            self.0 = Some((until, why.clone()));
        }
    }

    /// What is left of it.
    fn left(&self) -> Option<(Duration, &ProviderError)> {
        let (until, why) = self.0.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some((left, why))
    }
}

/// The allowance of one user.
pub(super) struct User {
    state: Mutex<State>,
    project: Arc<Mutex<Hold>>,
    /// Within a lane calls go one after another to the gate.
    people: Queue<()>,
    background: Queue<()>,
    /// Rung when a call has ended, or a person waits no more.
    moved: Notify,
}

struct State {
    level: f64,
    most_saved: f64,
    per_second: f64,
    filled_at: Instant,
    hold: Hold,
    /// Interactive calls that wait for their turn.
    people: usize,
    running: u32,
    most: u32,
    calm: u32,
}

/// Why a call may not leave yet.
enum Wait {
    /// Nothing helps but time.
    For(Duration),
    /// Another call must leave or end first.
    ForOthers,
    /// Gmail asks for a longer wait than the call has patience.
    Hopeless(ProviderError),
}

/// A call that runs; its place is free again when this is dropped.
pub(super) struct Place {
    user: Arc<User>,
    calls: u32,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.user.state).running -= self.calls;
        self.user.moved.notify_waiters();
    }
}

/// A person who waits, for as long as this lives.
struct Waiting<'a>(&'a User);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).people -= 1;
        self.0.moved.notify_waiters();
    }
}

impl User {
    fn new(units_per_minute: f64, project: Arc<Mutex<Hold>>) -> Self {
        let most_saved = units_per_minute * SAVED;
        let state = State {
            level: most_saved,
            most_saved,
            per_second: units_per_minute * FLOW / 60.0,
            filled_at: Instant::now(),
            hold: Hold::default(),
            people: 0,
            running: 0,
            most: AT_ONCE,
            calm: 0,
        };
        Self {
            state: Mutex::new(state),
            project,
            people: Queue::default(),
            background: Queue::default(),
            moved: Notify::new(),
        }
    }

    /// Waits until so many calls, each of so many units, may leave together.
    ///
    /// # Errors
    /// What Gmail said when it asked for a wait that is longer than the lane has patience.
    pub(super) async fn admit(self: &Arc<Self>, units: u32, calls: u32, lane: Lane) -> Result<Place, ProviderError> {
        let (_waiting, queue) = match lane {
            Lane::Interactive => {
                lock(&self.state).people += 1;
                (Some(Waiting(self)), &self.people)
            }
            Lane::Background => (None, &self.background),
        };
        let _turn = queue.lock().await;
        loop {
            // Made before the look, so that nothing that happens in between is missed.
            let moved = self.moved.notified();
            let project_waits = lock(&self.project).left().map(|(left, why)| (left, why.clone()));
            let wait = match project_waits {
                Some((left, why)) => Some(held(left, &why, lane)),
                None => lock(&self.state).take(f64::from(units) * f64::from(calls), calls, lane),
            };
            match wait {
                None => return Ok(Place { user: Arc::clone(self), calls }),
                Some(Wait::For(time)) => tokio::time::sleep(time).await,
                Some(Wait::ForOthers) => moved.await,
                Some(Wait::Hopeless(error)) => return Err(error),
            }
        }
    }

    /// How many calls of so many units go into one batch: not so many that they would have to be saved up for.
    pub(super) fn batch(&self, units: u32) -> usize {
        let state = lock(&self.state);
        let affordable = state.most_saved * (1.0 - RESERVE) / f64::from(units);
        let most = BATCH.min(state.most.saturating_sub(FOR_PEOPLE));
        (affordable as usize).min(most as usize).max(1)
    }

    /// Gmail asks to be left alone for so long.
    pub(super) fn hold(&self, time: Duration, why: &ProviderError) {
        let mut state = lock(&self.state);
        state.refill();
        // What was thought to be left of the allowance is not.
        state.level = state.level.min(0.0);
        state.hold.extend(time, why);
    }

    /// Too many calls ran at once.
    pub(super) fn crowd(&self) {
        let mut state = lock(&self.state);
        // The calls that ran beside this one are told the same: that is one complaint.
        if state.calm > 0 || state.most == AT_ONCE {
            state.most = (state.most / 2).max(1);
        }
        state.calm = 0;
    }

    /// An answer came well.
    pub(super) fn well(&self) {
        let mut state = lock(&self.state);
        state.calm += 1;
        if state.calm > CALM && state.most < AT_ONCE {
            state.most += 1;
            state.calm = 1;
        }
    }
}

impl State {
    fn refill(&mut self) {
        let now = Instant::now();
        let passed = now.duration_since(self.filled_at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.most_saved);
        self.filled_at = now;
    }

    /// Whether there is nothing to remember.
    fn is_rested(&mut self) -> bool {
        self.refill();
        self.hold.left().is_none() && self.running == 0 && self.level >= self.most_saved
    }

    /// Takes the units for a call, or says what it waits for.
    fn take(&mut self, units: f64, calls: u32, lane: Lane) -> Option<Wait> {
        if let Some((left, why)) = self.hold.left() {
            return Some(held(left, why, lane));
        }
        let is_background = lane == Lane::Background;
        let most = if is_background { self.most.saturating_sub(FOR_PEOPLE) } else { self.most };
        // One call may always go, however little Gmail bears at once.
        let is_full = self.running > 0 && self.running + calls > most;
        if is_full || (is_background && self.people > 0) {
            return Some(Wait::ForOthers);
        }
        self.refill();
        let reserve = if is_background { self.most_saved * RESERVE } else { 0.0 };
        // A call that is dearer than all that may be saved up is paid for afterwards.
        let needed = (units + reserve).min(self.most_saved);
        if self.level < needed {
            let time = Duration::from_secs_f64((needed - self.level) / self.per_second);
            return Some(Wait::For(time.max(Duration::from_millis(1))));
        }
        self.level -= units;
        self.running += calls;
        None
    }
}

fn held(left: Duration, why: &ProviderError, lane: Lane) -> Wait {
    if left > lane.patience() {
        Wait::Hopeless(ProviderError { retry_after: Some(left), may_be_done: false, ..why.clone() })
    } else {
        Wait::For(left)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
