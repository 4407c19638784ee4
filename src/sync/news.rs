//! New mail in a folder. What is stored already and only lies in another place now is known by its header.

use super::error::PassError;
use super::fetch::BREAKS;
use super::pass::{Pass, lost};
use super::plan::{self, WINDOW};
use super::visit::Work;
use crate::mail;
use crate::messages::{self, FolderCursor, FolderRole, KnownCopy};
use crate::providers::imap::{ImapConnection, IndexEntry, Mailbox, UidSet};

/// Headers that are read together.
const HEADS: usize = 500;

/// So many mails in the inbox are likely new; more at once may have been moved there.
const FEW: u64 = 20;

impl Pass<'_> {
    /// Stores what came since the last visit.
    pub(super) async fn fetch_news(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        let from = work.folder.cursor.uid_next.unwrap_or(1);
        if mailbox.uid_next.is_some_and(|next| next <= from) {
            return Ok(());
        }
        let arrived = connection.uid_search_from(from).await?;
        let Some(last) = arrived.last() else { return Ok(()) };
        let mut conn = self.parts.db.read().await?;
        let stored = messages::stored_uids(&mut conn, work.id(), work.generation(), from).await?;
        let unread = messages::unread_uids(&mut conn, work.id(), work.generation(), from).await?;
        drop(conn);
        // What we put there ourselves has a place already, but neither its identity nor its original is known.
        let stored: UidSet = stored.into_iter().collect();
        let fresh = arrived.difference(&stored.difference(&unread.into_iter().collect()));
        self.store_all(connection, work, &fresh).await?;
        let next = mailbox.uid_next.unwrap_or(1).max(last.saturating_add(1));
        let cursor = &work.folder.cursor;
        let grown = FolderCursor {
            uid_next: Some(next),
            backfill_total: cursor.backfill_total + arrived.len(),
            backfill_synced: cursor.backfill_synced + arrived.len(),
            ..cursor.clone()
        };
        self.save_cursor(work, grown).await
    }

    /// Stores mails outside of the first import, the newest first, a window at a time.
    pub(super) async fn store_all(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        uids: &UidSet,
    ) -> Result<(), PassError> {
        let uids: Vec<u32> = uids.iter().collect();
        for window in uids.rchunks(WINDOW) {
            let unknown = self.take_known(connection, work, window.iter().copied().collect(), false).await?;
            let entries = connection.fetch_index(&unknown).await?;
            self.store(connection, work, entries, false).await?;
        }
        Ok(())
    }

    /// Stores mails that the index named: the large ones streamed, the others in batches.
    pub(super) async fn store(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        entries: Vec<IndexEntry>,
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

    /// Gives mails that are stored their new place, without fetching them again; answers those that are not.
    pub(super) async fn take_known(
        &self,
        connection: &mut ImapConnection,
        work: &Work,
        uids: UidSet,
        import: bool,
    ) -> Result<UidSet, PassError> {
        if !self.may_be_known(work, uids.len()) {
            return Ok(uids);
        }
        let list: Vec<u32> = uids.iter().collect();
        let mut taken = UidSet::new();
        for window in list.rchunks(HEADS) {
            let copies = self.known_copies(connection, work, &window.iter().copied().collect()).await?;
            if copies.is_empty() {
                continue;
            }
            let found: Vec<u32> = copies.iter().map(|copy| copy.uid).collect();
            let intake = self.intake(self.tells(work, import));
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            let applied = conn
                .transaction(async |tx| {
                    self.parts.accounts.renew(tx, self.lease).await?;
                    messages::forget_skips(tx, work.id(), work.generation(), &found).await?;
                    messages::apply_known(tx, &self.owner, copies, &intake).await
                })
                .await
                .map_err(lost)?;
            drop(conn);
            self.note_changed(intake.told, applied.changed);
            taken.extend(found.into_iter().collect());
        }
        Ok(uids.difference(&taken))
    }

    /// Whether it is likely enough that mails were moved or copied here that asking for their headers first pays.
    fn may_be_known(&self, work: &Work, count: u64) -> bool {
        count > 0
            && (work.is_recovering()
                || (self.is_live() && (work.folder.role != Some(FolderRole::Inbox) || count > FEW)))
    }

    async fn known_copies(
        &self,
        connection: &mut ImapConnection,
        work: &Work,
        uids: &UidSet,
    ) -> Result<Vec<KnownCopy>, PassError> {
        let heads = connection.fetch_heads(uids).await?;
        let copies: Vec<KnownCopy> =
            heads.into_iter().map(|(entry, head)| copy_of(work, &entry, identity(&entry, &head))).collect();
        let ids: Vec<&str> = copies.iter().map(|copy| copy.external_id.as_str()).collect();
        let known = messages::known_external_ids(&mut self.parts.db.read().await?, self.account.id, &ids).await?;
        Ok(copies.into_iter().filter(|copy| known.contains(&copy.external_id)).collect())
    }
}

/// The identity of a mail within its mailbox, as far as the header and the server's claims tell.
pub(super) fn identity(entry: &IndexEntry, head: &[u8]) -> String {
    entry.email_id.clone().unwrap_or_else(|| mail::identity(mail::header_block(head), entry.size))
}

fn copy_of(work: &Work, entry: &IndexEntry, external_id: String) -> KnownCopy {
    KnownCopy {
        folder: work.id(),
        uid: entry.uid,
        uid_validity: work.generation(),
        mod_seq: entry.mod_seq,
        is_read: entry.flags.seen,
        is_starred: entry.flags.flagged,
        is_answered: entry.flags.answered,
        external_id,
    }
}
