//! An emulator of Microsoft Graph's mail with what stands around it: sign-in, batches, throttling, subscriptions.
//!
//! [`GraphEmulator`] is the handle: it listens on a port of its own and stops when it is dropped. Through
//! [`Graph`], which it dereferences to, a test makes users and mails, acts as another client, and decides
//! what goes wrong; `/_control/…` offers the same over HTTP, see [`control`].

mod api;
mod attachments;
mod batch;
mod call;
mod changes;
pub mod control;
mod delta;
pub mod directory;
mod drafts;
pub mod errors;
mod extended;
mod folders;
mod ids;
mod mailbox;
mod messages;
pub mod methods;
mod mime;
mod model;
pub mod oauth;
mod query;
mod replies;
pub mod schema;
mod sending;
mod serve;
mod state;
pub mod subscriptions;
pub mod switches;
mod throttle;
mod transport;
mod uploads;
mod users;
mod view;
mod well_known;

pub use model::Reason;
pub use transport::Sent;
pub use view::{FOLDER, MESSAGE};

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
pub struct GraphEmulator {
    graph: Arc<Graph>,
    running: Running,
}

impl GraphEmulator {
    /// Starts on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        Self::start_at("127.0.0.1:0", SEED)
    }

    /// Starts at this address; the seed decides what is left to chance.
    pub fn start_at(address: &str, seed: u64) -> io::Result<Self> {
        let (running, graph) = Running::start(address, |url| Arc::new(Graph::new(url, seed)))?;
        Ok(Self { graph, running })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`: Graph below `/v1.0`, and sign-in below `/common` and
    /// the other organisations.
    pub fn url(&self) -> &str {
        self.running.url()
    }
}

impl Deref for GraphEmulator {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.graph
    }
}

/// The emulated service.
#[derive(Debug)]
pub struct Graph {
    state: Mutex<State>,
    conditions: Conditions,
    clock: Arc<Clock>,
    /// Rung when there may be something to send or to announce.
    bell: Notify,
    in_flight: Arc<InFlight>,
    /// For what the emulator asks of others.
    http: reqwest::Client,
}

impl Graph {
    fn new(url: &str, seed: u64) -> Self {
        let clock = Arc::new(Clock::default());
        Self {
            state: Mutex::new(State::new(url, Arc::clone(&clock), seed)),
            conditions: Conditions::new(seed ^ 0x5eed),
            clock,
            bell: Notify::new(),
            in_flight: Arc::default(),
            http: subscriptions::client(),
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
