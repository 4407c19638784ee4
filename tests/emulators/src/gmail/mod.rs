//! An emulator of the Gmail API with what stands around it: OAuth, Pub/Sub, uploads, batches, quota.
//!
//! [`GmailEmulator`] is the handle: it listens on a port of its own and stops when it is dropped. Through
//! [`Gmail`], which it dereferences to, a test makes users and mails, acts as another client, and decides
//! what goes wrong; `/_control/…` offers the same over HTTP, see [`control`].

mod api;
mod batch;
mod call;
pub mod control;
mod drafts;
pub mod errors;
mod fields;
mod history;
mod labels;
mod mailbox;
mod messages;
pub mod methods;
mod mime;
pub mod model;
mod multipart;
pub mod oauth;
mod pages;
pub mod pubsub;
mod quota;
pub mod schema;
pub mod scopes;
mod search;
mod sending;
mod serve;
mod settings;
mod state;
pub mod switches;
mod threads;
mod uploads;
mod view;
mod watch;

use crate::shared::clock::Clock;
use crate::shared::conditions::Conditions;
use crate::shared::in_flight::InFlight;
use crate::shared::lock;
use crate::shared::server::Running;
use state::State;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// The seed of an emulator that was given none.
const SEED: u64 = 20_261_122;

/// A running emulator. Dropping it stops it.
#[derive(Debug)]
pub struct GmailEmulator {
    gmail: Arc<Gmail>,
    running: Running,
}

impl GmailEmulator {
    /// Starts on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        Self::start_at("127.0.0.1:0", SEED)
    }

    /// Starts at this address; the seed decides what is left to chance.
    pub fn start_at(address: &str, seed: u64) -> io::Result<Self> {
        let (running, gmail) = Running::start(address, |url| Arc::new(Gmail::new(url, seed)))?;
        Ok(Self { gmail, running })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`. All of Google's hosts are this one.
    pub fn url(&self) -> &str {
        self.running.url()
    }
}

impl Deref for GmailEmulator {
    type Target = Gmail;

    fn deref(&self) -> &Gmail {
        &self.gmail
    }
}

/// The emulated service.
#[derive(Debug)]
pub struct Gmail {
    state: Mutex<State>,
    conditions: Conditions,
    clock: Arc<Clock>,
    /// Rung when there may be something to push or to pull.
    bell: Notify,
    in_flight: Arc<InFlight>,
}

impl Gmail {
    fn new(url: &str, seed: u64) -> Self {
        let clock = Arc::new(Clock::default());
        Self {
            state: Mutex::new(State::new(url, Arc::clone(&clock), seed)),
            conditions: Conditions::new(seed ^ 0x5eed),
            clock,
            bell: Notify::new(),
            in_flight: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Faults, latency and the log of calls.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }
}
