//! A visit to one folder: what is new, what changed, what vanished, and a window of the first import.

use super::error::PassError;
use super::folders;
use super::pass::{Pass, Scope, lost};
use super::plan::WINDOW;
use crate::ids::FolderId;
use crate::messages::{self, DueSkip, Folder, FolderCursor};
use crate::providers::imap::{ImapConnection, Mailbox, MailboxStatus, UidSet};

/// A folder and what is to be done in it.
pub(super) struct Work {
    pub(super) folder: Folder,
    pub(super) retry: Vec<DueSkip>,
    pub(super) status: Option<MailboxStatus>,
    /// UIDs that the first import has still to look at, ascending; not known before the first visit.
    backlog: Option<Vec<u32>>,
    compared: bool,
    /// Mails that are gone from the folder. They are taken out when the arrivals of all folders are known, so that a mail
    /// that was moved is never one that was deleted.
    pub(super) vanished: Vec<u32>,
    /// The folder as it was when it was compared, for the cursor that covers the changes.
    pub(super) seen: Option<Mailbox>,
    /// Whether the first import has just come to its end.
    pub(super) just_imported: bool,
    /// What a comparison of every mail found.
    pub(super) swept: Option<super::sweep::Found>,
}

/// Whether a folder needs another visit.
pub(super) enum Step {
    More,
    Done,
}

impl Work {
    pub(super) fn new(folder: Folder, status: Option<MailboxStatus>) -> Self {
        Self {
            folder,
            status,
            retry: Vec::new(),
            backlog: None,
            compared: false,
            vanished: Vec::new(),
            seen: None,
            just_imported: false,
            swept: None,
        }
    }

    pub(super) fn id(&self) -> FolderId {
        self.folder.id
    }

    /// The generation of the UIDs that the cursor speaks of.
    pub(super) fn generation(&self) -> u32 {
        self.folder.cursor.uid_validity.unwrap_or_default()
    }

    pub(super) fn is_imported(&self) -> bool {
        self.folder.cursor.backfill_cursor.is_some_and(|cursor| cursor <= 1)
    }

    /// Whether the folder got new numbers and its mails are being found again.
    pub(super) fn is_recovering(&self) -> bool {
        self.folder.cursor.former_uid_validity.is_some()
    }

    /// Whether the server's counters differ from what was seen last; a folder whose counters do not tell of changed flags
    /// is looked at.
    pub(super) fn is_due(&self) -> bool {
        let Some(status) = &self.status else { return true };
        !self.is_imported()
            || !self.retry.is_empty()
            || status.highest_modseq.is_none()
            || folders::counters_differ(&self.folder, status)
    }

    /// Takes the newest mails that the first import has not looked at.
    fn next_window(&mut self) -> Vec<u32> {
        let backlog = self.backlog.get_or_insert_default();
        backlog.split_off(backlog.len().saturating_sub(WINDOW))
    }
}

impl Pass<'_> {
    /// Visits a folder once: news and changes at the first visit, and one window of the first import.
    pub(super) async fn visit(&self, connection: &mut ImapConnection, work: &mut Work) -> Result<Step, PassError> {
        let mailbox = connection.examine(&work.folder.external_id).await?;
        if work.folder.cursor.uid_validity != Some(mailbox.uid_validity) {
            self.begin(connection, work, &mailbox).await?;
        }
        if work.backlog.is_none() {
            work.backlog = Some(self.backlog(connection, work).await?);
        }
        self.fetch_news(connection, work, &mailbox).await?;
        if !work.compared && work.is_imported() {
            self.take_over_changes(connection, work, &mailbox).await?;
            if self.scope == Scope::Sweep {
                self.sweep(connection, work).await?;
            } else {
                self.compare(connection, work, &mailbox).await?;
            }
            self.retry_skips(connection, work).await?;
        }
        work.compared = true;
        let window = work.next_window();
        if !window.is_empty() {
            self.import(connection, work, &window).await?;
        }
        if work.backlog.as_ref().is_some_and(|backlog| !backlog.is_empty()) {
            return Ok(Step::More);
        }
        work.just_imported = !work.is_imported();
        work.seen = Some(mailbox);
        Ok(Step::Done)
    }

    /// Pins a folder that is new, or whose UIDs began anew: news are what comes after, the import is what lies before.
    ///
    /// The places of an older generation stay until all mails were looked for: each that is found again is the same place,
    /// and what is not found then is gone.
    async fn begin(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        let former = work.folder.cursor.uid_validity;
        if former.is_some() {
            tracing::info!(account.id = %self.account.id, folder.id = %work.id(), "the server gave the mails of a folder new numbers");
        }
        let uids = self.server_uids(connection).await?;
        let after_last = uids.last().map_or(1, |uid| uid.saturating_add(1));
        let pin = mailbox.uid_next.unwrap_or(after_last).max(after_last);
        let cursor = FolderCursor {
            uid_validity: Some(mailbox.uid_validity),
            uid_next: Some(pin),
            highest_modseq: mailbox.highest_modseq,
            backfill_cursor: Some(pin),
            backfill_total: uids.len(),
            backfill_synced: 0,
            former_uid_validity: former.or(work.folder.cursor.former_uid_validity),
            delta_link: None,
        };
        self.save_cursor(work, cursor).await?;
        work.backlog = Some(uids.iter().collect());
        Ok(())
    }

    /// What the first import has still to look at, for a pass that takes it up again.
    async fn backlog(&self, connection: &mut ImapConnection, work: &Work) -> Result<Vec<u32>, PassError> {
        if work.is_imported() {
            return Ok(Vec::new());
        }
        let below = work.folder.cursor.backfill_cursor.unwrap_or(u32::MAX);
        Ok(self.server_uids(connection).await?.iter().take_while(|uid| *uid < below).collect())
    }

    /// The UIDs that lie in the opened folder, within the import's span of time.
    pub(super) async fn server_uids(&self, connection: &mut ImapConnection) -> Result<UidSet, PassError> {
        Ok(match self.account.settings.sync_since {
            Some(since) => connection.uid_search_since(since.utc().date_naive()).await?,
            None => connection.uid_search_all().await?,
        })
    }

    /// Looks at one window of the first import and moves the cursor below it.
    async fn import(&self, connection: &mut ImapConnection, work: &mut Work, window: &[u32]) -> Result<(), PassError> {
        let before = work.folder.cursor.backfill_synced;
        let uids = self.take_known(connection, work, window.iter().copied().collect(), true).await?;
        let entries = connection.fetch_index(&uids).await?;
        self.store(connection, work, entries, true).await?;
        let cursor = FolderCursor {
            backfill_cursor: window.first().copied(),
            backfill_synced: before + window.len() as u64,
            ..work.folder.cursor.clone()
        };
        self.save_cursor(work, cursor).await
    }

    pub(super) async fn save_cursor(&self, work: &mut Work, cursor: FolderCursor) -> Result<(), PassError> {
        let (id, now) = (work.id(), self.parts.clock.now());
        if cursor == work.folder.cursor {
            return Ok(());
        }
        let (mut conn, _permit) = self.parts.db.write_background().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::save_cursor(tx, id, &cursor, now).await
        })
        .await
        .map_err(lost)?;
        work.folder.cursor = cursor;
        Ok(())
    }
}
