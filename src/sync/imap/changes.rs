//! What changed or vanished in a folder since the last visit: by QRESYNC, else by CONDSTORE (both RFC 7162), else by
//! comparing the flags of all mails.

use super::pass::Pass;
use super::visit::Work;
use crate::messages::{self, FlagChange};
use crate::providers::imap::{ImapConnection, Mailbox, UidSet};
use crate::sync::error::PassError;
use crate::sync::ground::lost;

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
    /// Takes over changed flags and notes what vanished. Answers our UIDs, where they were read for it.
    pub(super) async fn take_over_changes(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
    ) -> Result<Option<UidSet>, PassError> {
        match (mailbox.highest_modseq, work.folder.cursor.highest_modseq) {
            (Some(now), Some(then)) if now <= then => Ok(None),
            (Some(_), Some(then)) => {
                let flow = connection.fetch_flags(&UidSet::from_uid(1), Some(then)).await?;
                self.save_flags(work, flow.changed.iter().map(FlagChange::from).collect()).await?;
                self.note_vanished(work, &flow.vanished).await?;
                Ok(None)
            }
            // The folder does not count changes, or has only begun to.
            _ => self.compare_flags(connection, work).await.map(Some),
        }
    }

    /// Compares the flags of all stored mails with the server's, the newest first. Answers their UIDs.
    ///
    /// Each window is read before the server is asked: what a change of ours adds meanwhile is not taken for vanished.
    pub(super) async fn compare_flags(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
    ) -> Result<UidSet, PassError> {
        let (account, folder, generation) = (self.account.id, work.id(), work.generation());
        let leaving = messages::leaving_uids(&mut self.parts.db.read().await?, folder, generation, 1).await?;
        let mut ours = UidSet::new();
        let mut below = None;
        loop {
            let mut conn = self.parts.db.read().await?;
            let stored = messages::stored_flags(&mut conn, account, folder, generation, (below, COMPARED)).await?;
            drop(conn);
            let from = stored.first().map(|oldest| oldest.uid).filter(|_| stored.len() == COMPARED);
            let within = |uid: &u32| below.is_none_or(|below| *uid < below) && from.is_none_or(|from| *uid >= from);
            let mut window: UidSet = leaving.iter().copied().filter(within).collect();
            window.extend(stored.iter().map(|flags| flags.uid).collect());
            let (Some(first), Some(last)) = (window.first(), window.last()) else { return Ok(ours) };
            let flow = connection.fetch_flags(&UidSet::range(first..=last), None).await?;
            let there: UidSet = flow.changed.iter().map(|entry| entry.uid).collect();
            let marks = |flags: &FlagChange| (flags.is_read, flags.is_starred, flags.is_answered);
            let differs = |news: &FlagChange| {
                let at = stored.binary_search_by_key(&news.uid, |flags| flags.uid).ok();
                at.and_then(|at| stored.get(at)).is_some_and(|old| marks(old) != marks(news))
            };
            let changes = flow.changed.iter().map(FlagChange::from).filter(differs).collect();
            self.save_flags(work, changes).await?;
            work.vanished.extend(window.difference(&there).iter());
            ours.extend(window);
            if from.is_none() {
                return Ok(ours);
            }
            below = from;
        }
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

    /// Compares the folder's UIDs with ours when the numbers differ, and mends what is missing. `stored` are those of our
    /// mails, if they were read already.
    pub(super) async fn compare(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        mailbox: &Mailbox,
        stored: Option<UidSet>,
    ) -> Result<(), PassError> {
        let ours = match stored {
            Some(stored) => self.with_skipped(work, stored).await?,
            None => self.known_uids(work).await?,
        };
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
        let mut conn = self.parts.db.read().await?;
        let stored = messages::stored_uids(&mut conn, work.id(), work.generation(), 1).await?;
        drop(conn);
        self.with_skipped(work, stored.into_iter().collect()).await
    }

    async fn with_skipped(&self, work: &Work, stored: UidSet) -> Result<UidSet, PassError> {
        let mut conn = self.parts.db.read().await?;
        let mut ours = stored;
        ours.extend(messages::skipped_uids(&mut conn, work.id(), work.generation()).await?.into_iter().collect());
        Ok(ours)
    }
}
