//! One pass over a mailbox.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::engine::EngineParts;
use super::error::PassError;
use super::folders;
use super::visit::{Step, Work};
use crate::accounts::{Account, Lease, Phase};
use crate::events::Event;
use crate::ids::FolderId;
use crate::messages::{self, DueSkip, Mailbox};
use crate::outbox::{self, Fact};
use crate::providers::imap::{ImapConnection, ImapErrorKind, ImapSettings};

/// People who watch get news of the progress this often at most.
const NEWS: Duration = Duration::from_millis(250);

/// What a pass knows.
pub(super) struct Pass<'a> {
    pub(super) parts: &'a EngineParts,
    pub(super) lease: &'a Lease,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    pub(super) stop: &'a CancellationToken,
    settings: ImapSettings,
    told: Mutex<Option<Instant>>,
}

impl<'a> Pass<'a> {
    /// Reads the mailbox and opens its credentials.
    pub(super) async fn prepare(
        parts: &'a EngineParts,
        lease: &'a Lease,
        stop: &'a CancellationToken,
    ) -> Result<Self, PassError> {
        let account = parts.accounts.find(lease.org, lease.account).await?.ok_or(PassError::Stopped)?;
        let settings = parts.accounts.imap_settings(&account).await.map_err(PassError::SetUp)?;
        let owner = Mailbox {
            org: account.org,
            user: account.user,
            account: account.id,
            addresses: account.own_addresses().into_iter().collect(),
        };
        Ok(Self { parts, lease, account, owner, stop, settings, told: Mutex::new(None) })
    }

    /// Signs in to the mail server.
    pub(super) async fn connect(&self) -> Result<ImapConnection, PassError> {
        Ok(ImapConnection::connect(&self.parts.net, &self.settings).await?)
    }

    /// Whether the first import is done, so that new mail is news.
    pub(super) fn is_live(&self) -> bool {
        self.account.phase == Phase::Live
    }

    /// Lists the folders and visits those that changed, round after round until nothing is left.
    pub(super) async fn run(&mut self) -> Result<(), PassError> {
        let mut connection = self.connect().await?;
        let mut work = folders::adopt(self, &mut connection).await?;
        self.add_due_skips(&mut work).await?;
        work.retain(Work::is_due);
        while !work.is_empty() {
            let mut left = Vec::with_capacity(work.len());
            for mut folder in work {
                if self.stop.is_cancelled() {
                    return Err(PassError::Stopped);
                }
                match self.visit(&mut connection, &mut folder).await {
                    Ok(Step::More) => left.push(folder),
                    Ok(Step::Done) => {}
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
        connection.logout().await;
        if self.account.phase == Phase::Backfill {
            self.complete_backfill().await?;
        }
        Ok(())
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

    /// Tells people who listen of mails that arrived.
    pub(super) fn announce(&self, folder: &Work, applied: &messages::Applied) {
        use messages::FolderRole::{Drafts, Sent, Spam, Trash};
        if !self.is_live() || matches!(folder.folder.role, Some(Drafts | Sent | Spam | Trash)) {
            return;
        }
        let account = self.account.reference();
        let mut seen = HashSet::new();
        for &(email, thread) in &applied.new {
            if seen.insert(email) {
                self.parts.events.publish(Event::EmailReceived { account, email, thread });
            }
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
