//! The sender: hands over what is due, files copies, mirrors drafts.
//!
//! The work list is rows. A mailbox has one sender in all copies of the process at a time (its claim), with up to three
//! connections; many mailboxes are served side by side, and none for long while others wait.

mod backoff;
mod conclude;
mod deliver;
mod file;
mod mailbox;
mod mirror;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::store::queue;
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::db::Db;
use crate::events::{Event, Events};
use crate::net::Net;
use crate::storage::Storage;
use crate::sync::Gate;
use session::Session;

/// Mailboxes that are served at once.
const MAILBOXES: usize = 32;

/// The net under the bells: a lost ring, work that another copy left, a clock that was set.
const LOOK: Duration = Duration::from_secs(1);

/// The handles that the sender needs.
pub struct SenderParts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The way out.
    pub net: Net,
    /// Where files lie.
    pub storage: Storage,
    /// Mailboxes.
    pub accounts: Accounts,
    /// The bells.
    pub events: Events,
    /// The pace of new connections.
    pub gate: Gate,
}

/// The sender of all mailboxes.
pub struct Sender(Arc<SenderParts>);

impl Sender {
    /// Takes its handles.
    pub fn new(parts: SenderParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Works until it is told to stop, then waits until what was begun is ended.
    pub async fn run(self, stop: CancellationToken) {
        let parts = self.0;
        if let Err(error) = parts.accounts.release_own_mailers().await {
            tracing::warn!(%error, "old claims on sending could not be freed; they end by themselves");
        }
        let slots = Arc::new(Semaphore::new(MAILBOXES));
        let running = TaskTracker::new();
        let mut events = parts.events.subscribe();
        while !stop.is_cancelled() {
            let pause = match look(&parts, &slots, &running, &stop).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "mail that waits to be sent could not be read; trying again");
                    LOOK
                }
            };
            let rings = async {
                loop {
                    match events.recv().await {
                        Ok(Event::MailQueued(_)) | Err(RecvError::Lagged(_)) => return,
                        Ok(_) => {}
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            };
            tokio::select! {
                () = rings => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        running.close();
        running.wait().await;
    }
}

/// Starts a session for each mailbox with work. Answers how long nothing else is due, a second at most.
async fn look(
    parts: &Arc<SenderParts>,
    slots: &Arc<Semaphore>,
    running: &TaskTracker,
    stop: &CancellationToken,
) -> diesel::QueryResult<Duration> {
    let free = slots.available_permits();
    if free == 0 {
        return Ok(LOOK);
    }
    for claim in parts.accounts.claim_mailer(i64::try_from(free).unwrap_or(1)).await? {
        let Ok(slot) = slots.clone().acquire_owned().await else { return Ok(LOOK) };
        let (parts, stop) = (parts.clone(), stop.clone());
        running.spawn(async move {
            Session::serve(&parts, claim, &stop).await;
            drop(slot);
        });
    }
    let now = parts.clock.now();
    let next = queue::next_due(&mut parts.db.read().await?, None, now).await?;
    let until = next.and_then(|at| (at - now).to_std().ok());
    Ok(until.unwrap_or(LOOK).min(LOOK).max(Duration::from_millis(1)))
}
