//! What changed or vanished in a folder since the last visit: by QRESYNC, else by CONDSTORE (both RFC 7162), else by
//! comparing the flags of all mails.

use std::collections::HashMap;

use super::error::PassError;
use super::pass::{Pass, lost};
use super::visit::Work;
use crate::messages::{self, FlagChange};
use crate::providers::imap::{ImapConnection, Mailbox, UidSet};

/// Flags or places that are changed in one transaction.
pub(super) const STEP: usize = 500;

/// What a comparison of UIDs found.
pub(super) struct Differences {
    /// Mails that are on the server and not here.
    pub(super) missing: UidSet,
    /// How many the server listed within the import's span of time.
    pub(super) listed: u64,
}

/// Mails whose flags are compared with one command.
const COMPARED: usize = 5_000;

impl Pass<'_> {
    /// Takes over changed flags and notes what vanished.
    pub(super) async fn take_over_changes(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        match (mailbox.highest_modseq, work.folder.cursor.highest_modseq) {
            (Some(now), Some(then)) if now <= then => Ok(()),
            (Some(_), Some(then)) => {
                let flow = connection.fetch_flags(&UidSet::from_uid(1), Some(then)).await?;
                self.save_flags(work, flow.changed.iter().map(FlagChange::from).collect()).await?;
                self.note_vanished(work, &flow.vanished).await
            }
            // The folder does not count changes, or has only begun to.
            _ => self.compare_flags(connection, work).await,
        }
    }

    /// Compares the flags of all stored mails with the server's, the newest first.
    pub(super) async fn compare_flags(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
    ) -> Result<(), PassError> {
        let mut conn = self.parts.db.read().await?;
        let ours = messages::stored_uids(&mut conn, work.id(), work.generation(), 1).await?;
        drop(conn);
        for window in ours.rchunks(COMPARED) {
            let (Some(&first), Some(&last)) = (window.first(), window.last()) else { continue };
            let mut conn = self.parts.db.read().await?;
            let stored =
                messages::stored_flags(&mut conn, self.account.id, work.id(), work.generation(), (first, last)).await?;
            drop(conn);
            let flow = connection.fetch_flags(&UidSet::range(first..=last), None).await?;
            let there: UidSet = flow.changed.iter().map(|entry| entry.uid).collect();
            let stored: HashMap<u32, FlagChange> = stored.into_iter().map(|flags| (flags.uid, flags)).collect();
            let differs = |news: &FlagChange| {
                stored.get(&news.uid).is_some_and(|old| {
                    (old.is_read, old.is_starred, old.is_answered) != (news.is_read, news.is_starred, news.is_answered)
                })
            };
            let changes = flow.changed.iter().map(FlagChange::from).filter(differs).collect();
            self.save_flags(work, changes).await?;
            let window: UidSet = window.iter().copied().collect();
            work.vanished.extend(window.difference(&there).iter());
        }
        Ok(())
    }

    async fn save_flags(&self, work: &Work, changes: Vec<FlagChange>) -> Result<(), PassError> {
        for step in changes.chunks(STEP) {
            let intake = self.intake(self.tells(work, false));
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            let changed = conn
                .transaction(async |tx| {
                    self.parts.accounts.renew(tx, self.lease).await?;
                    messages::update_flags(tx, &self.owner, work.id(), work.generation(), step, &intake).await
                })
                .await
                .map_err(lost)?;
            drop(conn);
            self.ring(intake.told && !changed.is_empty());
        }
        Ok(())
    }

    /// Notes which of our mails are among those that vanished.
    async fn note_vanished(&self, work: &mut Work, vanished: &UidSet) -> Result<(), PassError> {
        if vanished.is_empty() {
            return Ok(());
        }
        let ours = self.known_uids(work).await?;
        let gone = vanished.iter().filter(|uid| ours.contains(*uid));
        work.vanished.extend(gone);
        Ok(())
    }

    /// Compares the folder's UIDs with ours when the numbers differ, and mends what is missing.
    pub(super) async fn compare(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<(), PassError> {
        let ours = self.known_uids(work).await?;
        let vanished: UidSet = work.vanished.iter().copied().collect();
        let expected = ours.difference(&vanished).len();
        let same = match self.account.settings.sync_since {
            None => expected == u64::from(mailbox.exists),
            // Old mail is not stored: only the provider's own count tells that something vanished.
            Some(_) => work.folder.provider_count == Some(u64::from(mailbox.exists)) && vanished.is_empty(),
        };
        if same {
            return Ok(());
        }
        let found = self.find_differences(connection, work, &ours).await?;
        self.store_all(connection, work, &found.missing).await
    }

    /// Notes what of ours is not on the server, and answers what is there and not ours.
    ///
    /// `ours` was read before the server is asked: what a change of ours adds meanwhile is not taken for vanished.
    pub(super) async fn find_differences(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        ours: &UidSet,
    ) -> Result<Differences, PassError> {
        let server = self.server_uids(connection).await?;
        let all = match self.account.settings.sync_since {
            // The search leaves old mail out: what it does not name need not be gone.
            Some(_) => connection.uid_search_all().await?,
            None => server.clone(),
        };
        work.vanished = ours.difference(&all).iter().collect();
        Ok(Differences { missing: server.difference(ours), listed: server.len() })
    }

    /// The UIDs of a folder that are stored or set aside.
    pub(super) async fn known_uids(&self, work: &Work) -> Result<UidSet, PassError> {
        let (id, generation) = (work.id(), work.generation());
        let mut conn = self.parts.db.read().await?;
        let mut ours = messages::stored_uids(&mut conn, id, generation, 1).await?;
        ours.extend(messages::skipped_uids(&mut conn, id, generation).await?);
        ours.sort_unstable();
        Ok(ours.into_iter().collect())
    }
}
