//! What every pass stands on, whoever the provider is: the mailbox, the claim on it, and what is told of its progress.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::engine::EngineParts;
use super::error::PassError;
use crate::accounts::{Account, Lease, Phase};
use crate::clock::Timestamp;
use crate::events::Event;
use crate::ids::EmailId;
use crate::messages::{Intake, Mailbox, Removed};
use crate::outbox::{self, Fact};

/// People who watch get news of the progress this often at most.
const NEWS: Duration = Duration::from_millis(250);

/// Whether a pass found news.
#[derive(Debug, Default)]
pub(super) struct Found(AtomicBool);

impl Found {
    /// It did.
    fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a pass knows.
pub(super) struct Ground<'a> {
    pub(super) parts: &'a EngineParts,
    pub(super) lease: &'a Lease,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    pub(super) stop: &'a CancellationToken,
    /// Whether every mail is to be compared.
    pub(super) sweeps: bool,
    /// When it began: what is confirmed to us later is newer than what it was told.
    pub(super) began: Timestamp,
    found: &'a Found,
    told: Mutex<Option<Instant>>,
    /// Mails that changed and that nobody was told of yet: what was seen to arrive may be seen to vanish elsewhere.
    changed: Mutex<BTreeSet<EmailId>>,
}

impl<'a> Ground<'a> {
    /// Reads the mailbox.
    pub(super) async fn prepare(
        parts: &'a EngineParts,
        lease: &'a Lease,
        stop: &'a CancellationToken,
        found: &'a Found,
    ) -> Result<Self, PassError> {
        let began = parts.clock.now();
        let account = parts.accounts.find(lease.org, lease.account).await?.ok_or(PassError::Stopped)?;
        let owner = Mailbox::of(&account);
        let sweeps = account.phase == Phase::Live && parts.accounts.is_sweep_due(account.id, began).await?;
        Ok(Self {
            parts,
            lease,
            account,
            owner,
            stop,
            sweeps,
            began,
            found,
            told: Mutex::new(None),
            changed: Mutex::default(),
        })
    }

    /// Whether the first import is done, so that new mail is news.
    pub(super) fn is_live(&self) -> bool {
        self.account.phase == Phase::Live
    }

    /// Notes that every mail was compared.
    pub(super) async fn complete_sweep(&self) -> Result<(), PassError> {
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            self.parts.accounts.complete_sweep(tx, self.account.id, self.began).await
        })
        .await
        .map_err(lost)
    }

    /// Notes that the first import is done, and tells it.
    pub(super) async fn complete_backfill(&self) -> Result<(), PassError> {
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
        if mails > 0 {
            self.found.note();
        }
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
            self.found.note();
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
