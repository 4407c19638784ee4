//! Carries what people change here to the provider.
//!
//! The work list is the journal's pending items. Carrying out means making the provider's mailbox equal to what is shown
//! here, mail by mail ([`plan`] says what is missing for that), so a crash anywhere is made good by looking again. A
//! mailbox has one carrier at a time, beside its sync and with a connection of its own: a change never waits for an
//! import.

mod carry;
mod commands;
mod failure;
mod flags;
mod plan;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::engine::EngineParts;
use crate::events::Event;
use session::Session;

/// Mailboxes whose changes are carried out at once.
const CARRIERS: usize = 32;

/// The net under the bells: a lost ring, a change whose next try is due, work that another copy left.
const LOOK: Duration = Duration::from_secs(2);

/// Works until it is told to stop, then waits until what was begun is ended.
pub(super) async fn run(parts: Arc<EngineParts>, stop: CancellationToken) {
    if let Err(error) = parts.accounts.release_own_carriers().await {
        tracing::warn!(%error, "old claims on carrying out changes could not be freed; they end by themselves");
    }
    let slots = Arc::new(Semaphore::new(CARRIERS));
    let running = TaskTracker::new();
    let mut events = parts.events.subscribe();
    while !stop.is_cancelled() {
        if let Err(error) = look(&parts, &slots, &running, &stop).await {
            tracing::warn!(%error, "changes that wait could not be read; trying again");
        }
        let rings = async {
            loop {
                match events.recv().await {
                    Ok(Event::OperationQueued(_)) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = rings => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
    running.close();
    running.wait().await;
}

async fn look(
    parts: &Arc<EngineParts>,
    slots: &Arc<Semaphore>,
    running: &TaskTracker,
    stop: &CancellationToken,
) -> diesel::QueryResult<()> {
    let free = slots.available_permits();
    if free == 0 {
        return Ok(());
    }
    for carrier in parts.accounts.claim_carrier(i64::try_from(free).unwrap_or(1)).await? {
        let Ok(slot) = slots.clone().acquire_owned().await else { return Ok(()) };
        let (parts, stop) = (parts.clone(), stop.clone());
        running.spawn(async move {
            Session::serve(&parts, carrier, &stop).await;
            drop(slot);
        });
    }
    Ok(())
}
