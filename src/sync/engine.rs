//! The engine: finds mailboxes that are due and runs their passes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::erase;
use super::error::PassError;
use super::gate::Gate;
use super::outbound;
use super::pass::{Pass, Scope};
use super::times::SyncTimes;
use super::watch;
use crate::accounts::{Accounts, Lease, Outcome, Pass as Health, Phase};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::is_unavailable;
use crate::events::{Event, Events};
use crate::ids::AccountId;
use crate::net::Net;
use crate::providers::imap::ImapConnection;
use crate::storage::Storage;
use crate::telemetry::{Metrics, OutcomeLabels};

/// First imports that run at once in one process: each keeps some 30 MB of mail in memory.
const IMPORTS: usize = 4;

/// Passes for news that run at once; they never wait for an import.
const UPDATES: usize = 16;

/// The net under the bells: a lost ring, a backoff that ended, work that another copy left.
const LOOK: Duration = Duration::from_secs(2);

/// How often a running pass shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a claim outlives its last renewal.
const CLAIM: Duration = Duration::from_secs(60);

/// The handles that the engine needs.
pub struct EngineParts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The way out.
    pub net: Net,
    /// Files and raw mails.
    pub storage: Storage,
    /// Mailboxes.
    pub accounts: Accounts,
    /// The bells.
    pub events: Events,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// When the periodic sync is due.
    pub times: SyncTimes,
    /// How fast connections to one server follow each other.
    pub gate: Gate,
}

/// The engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<EngineParts>,
    bell: Bell,
    imports: Arc<Semaphore>,
    updates: Arc<Semaphore>,
    running: TaskTracker,
}

/// Says "look now".
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Rings; rings that come while the engine looks are one ring.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

impl Engine {
    /// Takes the handles.
    pub fn new(parts: EngineParts) -> Self {
        Self {
            parts: Arc::new(parts),
            bell: Bell::default(),
            imports: Arc::new(Semaphore::new(IMPORTS)),
            updates: Arc::new(Semaphore::new(UPDATES)),
            running: TaskTracker::new(),
        }
    }

    /// The engine's bell.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Runs until it is told to stop, then waits for the passes to end.
    pub async fn run(self, stop: CancellationToken) {
        match self.parts.accounts.release_own().await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(freed, "mailboxes claimed before a restart were freed"),
            Err(error) => tracing::warn!(error = %error, "old claims could not be freed; they end by themselves"),
        }
        self.listen(stop.clone());
        self.running.spawn(erase::run(self.parts.clone(), stop.clone()));
        self.running.spawn(outbound::run(self.parts.clone(), stop.clone()));
        self.running.spawn(watch::run(self.parts.clone(), stop.clone()));
        while !stop.is_cancelled() {
            if let Err(error) = self.look(&stop).await {
                tracing::warn!(error = %error, "mailboxes that are due could not be read; trying again");
            }
            tokio::select! {
                () = self.bell.0.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
        self.running.close();
        self.running.wait().await;
    }

    /// Turns requests for a sync into rings of the bell.
    fn listen(&self, stop: CancellationToken) {
        let mut events = self.parts.events.subscribe();
        let bell = self.bell();
        self.running.spawn(async move {
            loop {
                tokio::select! {
                    event = events.recv() => match event {
                        Ok(Event::SyncRequested(_)) => bell.ring(),
                        Ok(_) => {}
                        Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => bell.ring(),
                        Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                    },
                    () = stop.cancelled() => return,
                }
            }
        });
    }

    /// Claims what is due, as far as there are free slots, and starts its passes.
    async fn look(&self, stop: &CancellationToken) -> diesel::QueryResult<()> {
        for (phase, slots) in [(Phase::Live, &self.updates), (Phase::Backfill, &self.imports)] {
            let free = slots.available_permits();
            if free == 0 {
                continue;
            }
            for lease in self.parts.accounts.claim_due(phase, i64::try_from(free).unwrap_or(1)).await? {
                let Ok(slot) = slots.clone().acquire_owned().await else { return Ok(()) };
                let (parts, bell, stop) = (self.parts.clone(), self.bell(), stop.child_token());
                self.running.spawn(async move {
                    serve(&parts, &lease, stop).await;
                    drop(slot);
                    bell.ring();
                });
            }
        }
        Ok(())
    }
}

/// What a pass over a connection of somebody else came to.
pub(super) enum Served {
    /// It is done.
    Done,
    /// Another pass runs.
    Busy,
    /// It failed; the connection is of no use any more.
    Failed,
}

/// Runs a pass over a connection that stands already.
pub(super) async fn serve_on(
    parts: &EngineParts,
    account: AccountId,
    connection: &mut ImapConnection,
    scope: Scope,
    stop: &CancellationToken,
) -> diesel::QueryResult<Served> {
    let Some(lease) = parts.accounts.claim_one(account).await? else { return Ok(Served::Busy) };
    let pass = async {
        let mut pass = Pass::prepare(parts, &lease, stop).await?;
        pass.narrow(scope);
        pass.run_on(connection).await
    };
    let outcome = tokio::select! {
        outcome = concluded(parts, &lease, pass) => outcome,
        () = heartbeat(parts, &lease) => Outcome::Stopped,
        () = stop.cancelled() => Outcome::Stopped,
    };
    conclude(parts, &lease, &outcome, stop).await;
    Ok(if matches!(outcome, Outcome::Done { .. }) { Served::Done } else { Served::Failed })
}

/// Runs one pass and gives the lease back.
async fn serve(parts: &EngineParts, lease: &Lease, stop: CancellationToken) {
    parts.metrics.syncs_running.inc();
    let outcome = tokio::select! {
        outcome = concluded(parts, lease, run_pass(parts, lease, &stop)) => outcome,
        () = heartbeat(parts, lease) => Outcome::Stopped,
        () = stop.cancelled() => Outcome::Stopped,
    };
    parts.metrics.syncs_running.dec();
    conclude(parts, lease, &outcome, &stop).await;
}

/// Counts a pass, saves what it came to and tells people who listen.
async fn conclude(parts: &EngineParts, lease: &Lease, outcome: &Outcome, stop: &CancellationToken) {
    let label = match outcome {
        Outcome::Done { .. } => "ok".to_owned(),
        Outcome::Failed { code, .. } => code.clone(),
        Outcome::Stopped => "stopped".to_owned(),
    };
    parts.metrics.syncs.get_or_create(&OutcomeLabels { outcome: label }).inc();
    parts.accounts.rates().forget(lease.account);
    match save(parts, lease, outcome, stop).await {
        Ok(health) => report(parts, lease, health).await,
        Err(error) => {
            tracing::warn!(account.id = %lease.account, error = %error, "the outcome of a sync could not be saved; its claim ends by itself")
        }
    }
}

/// Gives the lease back. While the database is away it is tried again, as long as the claim lives without a renewal.
async fn save(
    parts: &EngineParts,
    lease: &Lease,
    outcome: &Outcome,
    stop: &CancellationToken,
) -> diesel::QueryResult<Health> {
    let began = tokio::time::Instant::now();
    loop {
        match parts.accounts.finish(lease, outcome).await {
            Err(error) if is_unavailable(&error) && began.elapsed() < CLAIM && !stop.is_cancelled() => {
                tracing::warn!(account.id = %lease.account, error = %error, "the outcome of a sync could not be saved; trying again");
            }
            saved => return saved,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn run_pass(parts: &EngineParts, lease: &Lease, stop: &CancellationToken) -> Result<(), PassError> {
    Pass::prepare(parts, lease, stop).await?.run().await
}

/// What the end of a pass means for the mailbox's row.
async fn concluded(parts: &EngineParts, lease: &Lease, pass: impl Future<Output = Result<(), PassError>>) -> Outcome {
    match pass.await {
        Ok(()) => Outcome::Done { next: parts.times.after(parts.clock.now()) },
        Err(error) => {
            if !matches!(error, PassError::Stopped) {
                tracing::warn!(account.id = %lease.account, error = %error, "a sync failed");
            }
            error.outcome()
        }
    }
}

/// Renews the lease while nothing else does; ends when it was lost.
async fn heartbeat(parts: &EngineParts, lease: &Lease) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let renewed = async { parts.accounts.renew(&mut parts.db.write().await?, lease).await };
        match renewed.await {
            Ok(()) => {}
            Err(diesel::result::Error::NotFound) => return,
            Err(error) => {
                tracing::warn!(account.id = %lease.account, error = %error, "a claim could not be renewed; trying again")
            }
        }
    }
}

/// Rings for facts that the outcome left, and lets people who watch see times and health.
async fn report(parts: &EngineParts, lease: &Lease, health: Health) {
    if matches!(health, Health::NewError | Health::Disconnected) {
        parts.events.publish(Event::FactsRecorded(lease.org));
    }
    match parts.accounts.find(lease.org, lease.account).await {
        Ok(Some(account)) => parts.events.publish(Event::SyncProgress(account.reference())),
        Ok(None) => {}
        Err(error) => tracing::warn!(error = %error, "a mailbox could not be read after its sync"),
    }
}
