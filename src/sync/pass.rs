//! One pass over a mailbox.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::engine::EngineParts;
use super::error::PassError;
use super::folders;
use super::visit::{Step, Work};
use crate::accounts::{Account, Lease, Phase};
use crate::clock::Timestamp;
use crate::events::Event;
use crate::ids::{EmailId, FolderId};
use crate::messages::{self, DueSkip, Intake, Mailbox, Removed};
use crate::outbox::{self, Fact};
use crate::providers::imap::{ImapConnection, ImapErrorKind, ImapSettings};

/// People who watch get news of the progress this often at most.
const NEWS: Duration = Duration::from_millis(250);

/// What a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Every folder whose counters changed.
    Changed,
    /// Every mail of every folder.
    Sweep,
    /// One folder, of which somebody told that it changed.
    Folder(FolderId),
}

/// What a pass knows.
pub(super) struct Pass<'a> {
    pub(super) parts: &'a EngineParts,
    pub(super) lease: &'a Lease,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    pub(super) stop: &'a CancellationToken,
    pub(super) scope: Scope,
    /// When it began: what is confirmed to us later is newer than what it was told.
    began: Timestamp,
    settings: ImapSettings,
    told: Mutex<Option<Instant>>,
    /// Mails that changed and that nobody was told of yet: what was seen to arrive may be seen to vanish elsewhere.
    changed: Mutex<BTreeSet<EmailId>>,
}

impl<'a> Pass<'a> {
    /// Reads the mailbox and opens its credentials.
    pub(super) async fn prepare(
        parts: &'a EngineParts,
        lease: &'a Lease,
        stop: &'a CancellationToken,
    ) -> Result<Self, PassError> {
        let began = parts.clock.now();
        let account = parts.accounts.find(lease.org, lease.account).await?.ok_or(PassError::Stopped)?;
        let settings = parts.accounts.imap_settings(&account).await.map_err(PassError::SetUp)?;
        let owner = Mailbox::of(&account);
        let sweeps = account.phase == Phase::Live && parts.accounts.is_sweep_due(account.id, began).await?;
        let scope = if sweeps { Scope::Sweep } else { Scope::Changed };
        Ok(Self {
            parts,
            lease,
            account,
            owner,
            stop,
            scope,
            began,
            settings,
            told: Mutex::new(None),
            changed: Mutex::default(),
        })
    }

    /// Signs in to the mail server.
    pub(super) async fn connect(&self) -> Result<ImapConnection, PassError> {
        self.parts.gate.wait(&self.settings.host).await;
        Ok(ImapConnection::connect(&self.parts.net, &self.settings).await?)
    }

    /// Looks at less than everything, unless every mail is to be compared anyway.
    pub(super) fn narrow(&mut self, scope: Scope) {
        if self.scope != Scope::Sweep || matches!(scope, Scope::Folder(_)) {
            self.scope = scope;
        }
    }

    /// Whether the first import is done, so that new mail is news.
    pub(super) fn is_live(&self) -> bool {
        self.account.phase == Phase::Live
    }

    /// Lists the folders and visits those that changed.
    pub(super) async fn run(&mut self) -> Result<(), PassError> {
        let mut connection = self.connect().await?;
        self.run_on(&mut connection).await?;
        connection.logout().await;
        if self.account.phase == Phase::Backfill {
            self.complete_backfill().await?;
        }
        Ok(())
    }

    /// The same over a connection that stands already.
    pub(super) async fn run_on(&mut self, connection: &mut ImapConnection) -> Result<(), PassError> {
        let (mut work, gone) = match self.scope {
            Scope::Folder(folder) => (folders::one(self, folder).await?, Vec::new()),
            Scope::Changed | Scope::Sweep => folders::adopt(self, connection).await?,
        };
        self.add_due_skips(&mut work).await?;
        work.retain(|work| self.scope != Scope::Changed || work.is_due());
        let visited = self.visit_all(connection, work).await?;
        self.settle(connection, visited, gone).await?;
        if self.scope == Scope::Sweep {
            self.complete_sweep().await?;
        }
        Ok(())
    }

    /// Visits folders, round after round until nothing is left in any; answers those that could be read.
    async fn visit_all(&self, connection: &mut ImapConnection, work: Vec<Work>) -> Result<Vec<Work>, PassError> {
        let mut work = work;
        let mut visited = Vec::with_capacity(work.len());
        while !work.is_empty() {
            let mut left = Vec::with_capacity(work.len());
            for mut folder in work {
                if self.stop.is_cancelled() {
                    return Err(PassError::Stopped);
                }
                match self.visit(connection, &mut folder).await {
                    Ok(Step::More) => left.push(folder),
                    Ok(Step::Done) => visited.push(folder),
                    Err(PassError::Imap(error))
                        if error.kind == ImapErrorKind::NoSuchFolder || error.kind == ImapErrorKind::Rejected =>
                    {
                        self.note_folder(&folder, error.code(), &error.detail).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            work = left;
        }
        Ok(visited)
    }

    async fn complete_sweep(&self) -> Result<(), PassError> {
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            self.parts.accounts.complete_sweep(tx, self.account.id, self.began).await
        })
        .await
        .map_err(lost)
    }

    /// Adds mails that were set aside and are to be tried again.
    async fn add_due_skips(&self, work: &mut [Work]) -> Result<(), PassError> {
        let due =
            messages::due_skips(&mut self.parts.db.read().await?, self.account.id, self.parts.clock.now()).await?;
        let mut by_folder: HashMap<FolderId, Vec<DueSkip>> = HashMap::new();
        for skip in due {
            by_folder.entry(skip.folder).or_default().push(skip);
        }
        for folder in work {
            folder.retry = by_folder.remove(&folder.id()).unwrap_or_default();
        }
        Ok(())
    }

    /// Notes that a folder could not be read; the others go on.
    async fn note_folder(&self, folder: &Work, code: &str, detail: &str) -> Result<(), PassError> {
        tracing::warn!(account.id = %self.account.id, folder.id = %folder.id(), error.code = code, "a folder could not be read");
        let mut conn = self.parts.db.write().await?;
        messages::set_folder_error(&mut conn, folder.id(), Some((code, detail)), self.parts.clock.now()).await?;
        Ok(())
    }

    async fn complete_backfill(&mut self) -> Result<(), PassError> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        let (accounts, lease, account) = (&self.parts.accounts, self.lease, self.account.reference());
        conn.transaction(async |tx| {
            accounts.renew(tx, lease).await?;
            accounts.complete_backfill(tx, lease.account, now).await?;
            outbox::record(tx, vec![Fact::account_backfill_completed(account)], now).await
        })
        .await
        .map_err(lost)?;
        drop(conn);
        tracing::info!(account.id = %self.account.id, "the first import is done");
        self.parts.events.publish(Event::FactsRecorded(account.org));
        Ok(())
    }

    /// Counts stored mails and tells people who watch, some times a second at most.
    pub(super) fn progressed(&self, mails: usize) {
        self.parts.metrics.mails_stored.inc_by(mails as u64);
        self.parts.accounts.rates().record(self.account.id, mails);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= NEWS) {
            *told = Some(Instant::now());
            self.parts.events.publish(Event::SyncProgress(self.account.reference()));
        }
    }

    /// How news are taken over that were asked for in this pass.
    pub(super) fn intake(&self, told: bool) -> Intake {
        Intake { now: self.parts.clock.now(), seen_at: self.began, told }
    }

    /// Whether what comes from a folder is news: what it held before it was first looked at is not, unless it only got new
    /// numbers.
    pub(super) fn tells(&self, work: &Work, import: bool) -> bool {
        self.is_live() && (!import || work.is_recovering())
    }

    /// Notes mails that changed; they are told of when the pass is settled.
    pub(super) fn note_changed(&self, told: bool, mails: Vec<EmailId>) {
        if told && !mails.is_empty() {
            self.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(mails);
        }
    }

    /// Strikes out mails that were told of.
    pub(super) fn strike(&self, removed: &Removed) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        for mail in removed.left.iter().chain(&removed.gone) {
            changed.remove(mail);
        }
    }

    /// The mails that nobody was told of yet.
    pub(super) fn take_changed(&self) -> BTreeSet<EmailId> {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Rings for facts that were written.
    pub(super) fn ring(&self, told: bool) {
        if told {
            self.parts.events.publish(Event::FactsRecorded(self.account.org));
        }
    }
}

/// A lease that was lost ends the pass without an error.
pub(super) fn lost(error: diesel::result::Error) -> PassError {
    match error {
        diesel::result::Error::NotFound => PassError::Stopped,
        error => PassError::Database(error),
    }
}
