//! Listens to mailboxes while nothing happens in them (IMAP IDLE), so that news come at once.
//!
//! Each live mailbox has one connection that waits in its inbox and now and then looks at the counters of the other
//! folders; within a budget, folders in which much happens get a connection of their own. In all copies of the process
//! together a mailbox is watched once: a lease in its row, renewed for all mailboxes of a process in one statement. The
//! cron stays the net under all of it.

mod folder;
mod mailbox;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::engine::EngineParts;
use crate::events::Event;
use crate::ids::{AccountId, OrgId};

/// How often mailboxes are looked for that nobody watches.
const LOOK: Duration = Duration::from_secs(2);

/// How often the claims are renewed; a fraction of the time that they last.
const RENEWAL: Duration = Duration::from_secs(20);

/// Mailboxes that are taken up at once; their connections are spaced out by the gate.
const TAKEN: i64 = 200;

/// Connections to folders beside the inboxes, in the whole process.
const EXTRA: usize = 500;

/// What the watchers share.
pub(super) struct Watch {
    pub(super) parts: Arc<EngineParts>,
    /// The budget of connections beside the inboxes.
    pub(super) extra: Arc<Semaphore>,
}

/// Works until it is told to stop.
pub(super) async fn run(parts: Arc<EngineParts>, stop: CancellationToken) {
    if let Err(error) = parts.accounts.release_own_watches().await {
        tracing::warn!(%error, "old claims on mailboxes could not be freed; they end by themselves");
    }
    let watch = Arc::new(Watch { parts, extra: Arc::new(Semaphore::new(EXTRA)) });
    let tasks = TaskTracker::new();
    let mut watched: HashMap<AccountId, CancellationToken> = HashMap::new();
    let mut events = watch.parts.events.subscribe();
    let mut renewal = tokio::time::interval(RENEWAL);
    while !stop.is_cancelled() {
        if let Err(error) = watch.take_up(&mut watched, &tasks, &stop).await {
            tracing::warn!(%error, "mailboxes to listen to could not be read; trying again");
        }
        let rings = async {
            loop {
                match events.recv().await {
                    Ok(Event::SyncRequested(_)) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = rings => {}
            () = tokio::time::sleep(LOOK) => {}
            _ = renewal.tick() => watch.renew(&mut watched, &tasks, &stop).await,
            () = stop.cancelled() => {}
        }
    }
    for token in watched.values() {
        token.cancel();
    }
    tasks.close();
    tasks.wait().await;
    if let Err(error) = watch.parts.accounts.release_watches().await {
        tracing::warn!(%error, "the claims on mailboxes could not be given back; they end by themselves");
    }
}

impl Watch {
    /// Takes up mailboxes that nobody watches.
    async fn take_up(
        self: &Arc<Self>,
        watched: &mut HashMap<AccountId, CancellationToken>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> diesel::QueryResult<()> {
        for (account, org) in self.parts.accounts.claim_watches(TAKEN).await? {
            self.begin(watched, tasks, (account, org), stop);
        }
        Ok(())
    }

    fn begin(
        self: &Arc<Self>,
        watched: &mut HashMap<AccountId, CancellationToken>,
        tasks: &TaskTracker,
        (account, org): (AccountId, OrgId),
        stop: &CancellationToken,
    ) {
        let token = stop.child_token();
        if let Some(old) = watched.insert(account, token.clone()) {
            old.cancel();
        }
        tasks.spawn(mailbox::watch(self.clone(), org, account, token));
    }

    /// Renews the claims, lets go of mailboxes that are ours no more, and begins again where listening has ended.
    async fn renew(
        self: &Arc<Self>,
        watched: &mut HashMap<AccountId, CancellationToken>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        match self.parts.accounts.renew_watches().await {
            Ok(ours) => {
                let kept: HashSet<AccountId> = ours.iter().map(|(account, _)| *account).collect();
                watched.retain(|account, token| {
                    let keep = kept.contains(account) && !token.is_cancelled();
                    if !keep {
                        token.cancel();
                    }
                    keep
                });
                for claim in ours {
                    if !watched.contains_key(&claim.0) {
                        self.begin(watched, tasks, claim, stop);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the claims on mailboxes could not be renewed; trying again"),
        }
    }
}
