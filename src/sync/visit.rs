//! A visit to one folder: what is new, what changed, what vanished, and a window of the first import.

use super::error::PassError;
use super::fetch::BREAKS;
use super::folders;
use super::pass::{Pass, lost};
use super::plan::{self, WINDOW};
use crate::ids::FolderId;
use crate::messages::{self, DueSkip, FlagChange, Folder, FolderCursor};
use crate::providers::imap::{FlagEntry, ImapConnection, Mailbox, MailboxStatus, UidSet};

/// Flags or places that are changed in one transaction.
const STEP: usize = 500;

/// Above so many new mails those are left out that an interrupted pass has stored already.
const MANY: u64 = 200;

/// A folder and what is to be done in it.
pub(super) struct Work {
    pub(super) folder: Folder,
    pub(super) retry: Vec<DueSkip>,
    status: Option<MailboxStatus>,
    /// UIDs that the first import has still to look at, ascending; not known before the first visit.
    backlog: Option<Vec<u32>>,
    compared: bool,
}

/// Whether a folder needs another visit.
pub(super) enum Step {
    More,
    Done,
}

impl Work {
    pub(super) fn new(folder: Folder, status: Option<MailboxStatus>) -> Self {
        Self { folder, status, retry: Vec::new(), backlog: None, compared: false }
    }

    pub(super) fn id(&self) -> FolderId {
        self.folder.id
    }

    /// The generation of the UIDs that the cursor speaks of.
    pub(super) fn generation(&self) -> u32 {
        self.folder.cursor.uid_validity.unwrap_or_default()
    }

    fn is_imported(&self) -> bool {
        self.folder.cursor.backfill_cursor.is_some_and(|cursor| cursor <= 1)
    }

    /// Whether the server's counters differ from what was seen last; a folder whose counters are unknown is looked at.
    pub(super) fn is_due(&self) -> bool {
        let (cursor, Some(status)) = (&self.folder.cursor, &self.status) else { return true };
        let differs = !self.is_imported()
            || !self.retry.is_empty()
            || status.uid_validity != cursor.uid_validity
            || status.uid_next != cursor.uid_next
            || status.messages.map(u64::from) != self.folder.provider_count
            || (status.highest_modseq.is_some() && status.highest_modseq != cursor.highest_modseq);
        differs || status.uid_next.is_none() || status.messages.is_none()
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
        let fresh = self.fetch_news(connection, work, &mailbox).await?;
        if !work.compared && work.is_imported() {
            self.take_over_flags(connection, work, &mailbox).await?;
            self.compare(connection, work, &mailbox, fresh).await?;
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
        self.end(work, &mailbox).await?;
        Ok(Step::Done)
    }

    /// Pins a folder that is new, or whose UIDs began anew: news are what comes after, the import is what lies before.
    async fn begin(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        if work.folder.cursor.uid_validity.is_some() {
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
            delta_link: None,
        };
        self.save_cursor(work, cursor).await?;
        folders::clear(self, work.id(), Some(mailbox.uid_validity)).await?;
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
    async fn server_uids(&self, connection: &mut ImapConnection) -> Result<UidSet, PassError> {
        Ok(match self.account.settings.sync_since {
            Some(since) => connection.uid_search_since(since.utc().date_naive()).await?,
            None => connection.uid_search_all().await?,
        })
    }

    /// Stores what came since the last visit; answers how many.
    async fn fetch_news(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<u64, PassError> {
        let from = work.folder.cursor.uid_next.unwrap_or(1);
        if mailbox.uid_next.is_some_and(|next| next <= from) {
            return Ok(0);
        }
        let mut fresh = connection.uid_search_from(from).await?;
        let (arrived, Some(last)) = (fresh.len(), fresh.last()) else { return Ok(0) };
        if arrived > MANY {
            let stored = messages::stored_uids(&mut self.parts.db.read().await?, work.id(), work.generation()).await?;
            fresh = fresh.difference(&stored.into_iter().collect());
        }
        self.store_all(connection, work, &fresh).await?;
        let next = mailbox.uid_next.unwrap_or(1).max(last.saturating_add(1));
        let cursor = &work.folder.cursor;
        let grown = FolderCursor {
            uid_next: Some(next),
            backfill_total: cursor.backfill_total + arrived,
            backfill_synced: cursor.backfill_synced + arrived,
            ..cursor.clone()
        };
        self.save_cursor(work, grown).await?;
        Ok(arrived)
    }

    /// Takes over flags that changed since the last visit, where the server counts changes (RFC 7162).
    async fn take_over_flags(
        &self,
        connection: &mut ImapConnection,
        work: &Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        let (Some(now), Some(then)) = (mailbox.highest_modseq, work.folder.cursor.highest_modseq) else {
            return Ok(());
        };
        if now <= then {
            return Ok(());
        }
        let flow = connection.fetch_flags(&UidSet::from_uid(1), Some(then)).await?;
        let changes: Vec<FlagChange> = flow.changed.iter().map(change).collect();
        for step in changes.chunks(STEP) {
            let now = self.parts.clock.now();
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            conn.transaction(async |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                messages::update_flags(tx, work.id(), work.generation(), step, now).await
            })
            .await
            .map_err(lost)?;
        }
        Ok(())
    }

    /// Compares the folder's UIDs with ours when its count says that something vanished or is missing, and mends both.
    async fn compare(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
        fresh: u64,
    ) -> Result<(), PassError> {
        let expected = work.folder.provider_count.map(|count| count + fresh);
        if expected == Some(u64::from(mailbox.exists)) {
            return Ok(());
        }
        let server = self.server_uids(connection).await?;
        let (id, generation) = (work.id(), work.generation());
        let mut conn = self.parts.db.read().await?;
        let mut ours: Vec<u32> = messages::stored_uids(&mut conn, id, generation).await?;
        ours.extend(messages::skipped_uids(&mut conn, id, generation).await?);
        drop(conn);
        ours.sort_unstable();
        let ours: UidSet = ours.into_iter().collect();
        let gone: Vec<u32> = if self.account.settings.sync_since.is_some() {
            // The search leaves old mail out: what it does not name need not be gone.
            connection.uid_search_all().await.map(|all| ours.difference(&all).iter().collect())?
        } else {
            ours.difference(&server).iter().collect()
        };
        self.remove(work, &gone).await?;
        let missing = server.difference(&ours);
        self.store_all(connection, work, &missing).await
    }

    async fn remove(&self, work: &Work, gone: &[u32]) -> Result<(), PassError> {
        for step in gone.chunks(STEP) {
            let now = self.parts.clock.now();
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            conn.transaction(async |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                messages::forget_skips(tx, work.id(), work.generation(), step).await?;
                messages::remove_locations(tx, work.id(), work.generation(), step, now).await
            })
            .await
            .map_err(lost)?;
        }
        Ok(())
    }

    /// Looks at one window of the first import and moves the cursor below it.
    async fn import(&self, connection: &mut ImapConnection, work: &mut Work, window: &[u32]) -> Result<(), PassError> {
        let before = work.folder.cursor.backfill_synced;
        let entries = connection.fetch_index(&window.iter().copied().collect()).await?;
        self.store(connection, work, entries, true).await?;
        let cursor = FolderCursor {
            backfill_cursor: window.first().copied(),
            backfill_synced: before + window.len() as u64,
            ..work.folder.cursor.clone()
        };
        self.save_cursor(work, cursor).await
    }

    /// Stores mails outside of the first import, the newest first, a window at a time.
    async fn store_all(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        uids: &UidSet,
    ) -> Result<(), PassError> {
        let uids: Vec<u32> = uids.iter().collect();
        for window in uids.rchunks(WINDOW) {
            let entries = connection.fetch_index(&window.iter().copied().collect()).await?;
            self.store(connection, work, entries, false).await?;
        }
        Ok(())
    }

    /// Stores mails that the index named: the large ones streamed, the others in batches.
    async fn store(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        entries: Vec<crate::providers::imap::IndexEntry>,
        import: bool,
    ) -> Result<(), PassError> {
        let plan = plan::cut(entries);
        let mut breaks = 0;
        for large in plan.large {
            match self.store_large(connection, work, large, 0).await? {
                None => breaks = 0,
                Some(error) if breaks == BREAKS => return Err(error.into()),
                Some(_) => breaks += 1,
            }
        }
        self.store_batches(connection, work, plan.batches, import).await
    }

    /// Notes how the folder was when the visit ended.
    async fn end(&self, work: &mut Work, mailbox: &Mailbox) -> Result<(), PassError> {
        let first_time = !work.is_imported();
        let cursor = FolderCursor {
            backfill_cursor: Some(1),
            // Changes made during the import are taken over by the pass after it, from the pinned state.
            highest_modseq: if first_time { work.folder.cursor.highest_modseq } else { mailbox.highest_modseq },
            ..work.folder.cursor.clone()
        };
        self.save_cursor(work, cursor).await?;
        let (id, now) = (work.id(), self.parts.clock.now());
        let mut conn = self.parts.db.write().await?;
        messages::set_folder_error(&mut conn, id, None, now).await?;
        if !first_time {
            messages::set_provider_count(&mut conn, id, u64::from(mailbox.exists), now).await?;
        }
        Ok(())
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

fn change(entry: &FlagEntry) -> FlagChange {
    FlagChange {
        uid: entry.uid,
        is_read: entry.flags.seen,
        is_starred: entry.flags.flagged,
        is_answered: entry.flags.answered,
        mod_seq: entry.mod_seq,
    }
}
