//! The end of a pass: what vanished is taken out, and the cursors that cover it are saved.
//!
//! A mail that was moved is seen to vanish in one folder and to arrive in another, in any order. So nothing is taken out
//! before the arrivals in all folders are known: a server that moves adds first or at once, so what was moved away before
//! we noticed lies in its new folder when we look there afterwards.

use super::changes::STEP;
use super::error::PassError;
use super::pass::{Pass, Scope, lost};
use super::visit::{Step, Work};
use crate::ids::FolderId;
use crate::messages::{self, FolderCursor};
use crate::providers::imap::{ImapConnection, ImapErrorKind};

/// Places of a vanished folder that are removed in one transaction.
const STALE: u32 = 500;

impl Pass<'_> {
    /// Settles folders that were visited, and folders that are listed no more.
    pub(super) async fn settle(
        &mut self,
        connection: &mut ImapConnection,
        visited: Vec<Work>,
        gone: Vec<FolderId>,
    ) -> Result<(), PassError> {
        let removes = |work: &Work| !work.vanished.is_empty() || work.is_recovering();
        let mut visited = visited;
        if !gone.is_empty() || visited.iter().any(removes) {
            let more = self.look_for_arrivals(connection).await?;
            visited.extend(more);
        }
        for mut work in visited {
            self.end(&mut work).await?;
        }
        for folder in gone {
            self.clear(folder, None).await?;
        }
        self.tell_changed().await
    }

    /// Tells of mails that changed and of which nothing was told while others were taken out.
    async fn tell_changed(&self) -> Result<(), PassError> {
        let changed = self.take_changed();
        if changed.is_empty() {
            return Ok(());
        }
        let intake = self.intake(true);
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::tell_updated(tx, &self.owner, &changed, &intake).await
        })
        .await
        .map_err(lost)?;
        drop(conn);
        self.ring(true);
        Ok(())
    }

    /// Looks for mails that arrived elsewhere meanwhile: what vanished may lie there now. Answers folders that were taken
    /// in whole.
    async fn look_for_arrivals(&mut self, connection: &mut ImapConnection) -> Result<Vec<Work>, PassError> {
        let (folders, _) = super::folders::adopt(self, connection).await?;
        let mut taken = Vec::new();
        for mut work in folders {
            let grew = work.status.as_ref().is_none_or(|status| status.uid_next != work.folder.cursor.uid_next);
            if work.is_imported() && !grew {
                continue;
            }
            match self.arrivals(connection, &mut work).await {
                Ok(true) => taken.push(work),
                Ok(false) => {}
                Err(PassError::Imap(error))
                    if matches!(error.kind, ImapErrorKind::NoSuchFolder | ImapErrorKind::Rejected) =>
                {
                    tracing::debug!(account.id = %self.account.id, folder.id = %work.id(), %error, "a folder could not be looked at");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Takes in what is new in a folder; a folder that is new itself is taken in whole, for which the answer is true.
    async fn arrivals(&self, connection: &mut ImapConnection, work: &mut Work) -> Result<bool, PassError> {
        if !work.is_imported() {
            while matches!(self.visit(connection, work).await?, Step::More) {}
            return Ok(true);
        }
        let mailbox = connection.examine(&work.folder.external_id).await?;
        if work.folder.cursor.uid_validity == Some(mailbox.uid_validity) {
            self.fetch_news(connection, work, &mailbox).await?;
        }
        Ok(false)
    }

    /// Takes out what vanished and notes how the folder was when it was looked at.
    async fn end(&self, work: &mut Work) -> Result<(), PassError> {
        let Some(mailbox) = work.seen.take() else { return Ok(()) };
        let vanished = std::mem::take(&mut work.vanished);
        for step in vanished.chunks(STEP) {
            self.remove(work, step).await?;
        }
        if work.is_recovering() {
            self.clear(work.id(), Some(work.generation())).await?;
        }
        self.forget_unfound(work).await?;
        let (id, now) = (work.id(), self.parts.clock.now());
        let cursor = FolderCursor {
            backfill_cursor: Some(1),
            former_uid_validity: None,
            // Changes made during the import are taken over by the pass after it, from the pinned state.
            highest_modseq: if work.just_imported { work.folder.cursor.highest_modseq } else { mailbox.highest_modseq },
            ..work.folder.cursor.clone()
        };
        // News that came meanwhile were looked for already; their cursor is not turned back.
        let stored = messages::folder(&mut self.parts.db.read().await?, self.account.id, id).await?.cursor;
        let cursor = FolderCursor {
            uid_next: stored.uid_next.max(cursor.uid_next),
            backfill_total: stored.backfill_total.max(cursor.backfill_total),
            backfill_synced: stored.backfill_synced.max(cursor.backfill_synced),
            ..cursor
        };
        self.save_cursor(work, cursor).await?;
        let mut conn = self.parts.db.write().await?;
        messages::set_folder_error(&mut conn, id, None, now).await?;
        if !work.just_imported {
            messages::set_provider_count(&mut conn, id, u64::from(mailbox.exists), now).await?;
        }
        drop(conn);
        if self.scope == Scope::Sweep && !work.just_imported {
            self.prove(work).await?;
        }
        Ok(())
    }

    /// Gives up places that mails were said to be brought to and where they are not.
    async fn forget_unfound(&self, work: &Work) -> Result<(), PassError> {
        let intake = self.intake(self.is_live());
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::forget_unfound(tx, &self.owner, work.id(), intake.seen_at, &intake).await
        })
        .await
        .map_err(lost)
    }

    async fn remove(&self, work: &Work, gone: &[u32]) -> Result<(), PassError> {
        let intake = self.intake(self.tells(work, false));
        let (mut conn, _permit) = self.parts.db.write_background().await?;
        let removed = conn
            .transaction(async |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                messages::forget_skips(tx, work.id(), work.generation(), gone).await?;
                messages::remove_locations(tx, &self.owner, work.id(), work.generation(), gone, &intake).await
            })
            .await
            .map_err(lost)?;
        drop(conn);
        self.strike(&removed);
        self.ring(intake.told);
        Ok(())
    }

    /// Takes all mails out of a folder that vanished, or those of an older generation of UIDs that were not found again.
    ///
    /// A mail that lies nowhere any more counts as deleted; nothing is erased, and one that comes back is the same mail.
    async fn clear(&self, folder: FolderId, current: Option<u32>) -> Result<(), PassError> {
        loop {
            let intake = self.intake(self.is_live());
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            let (removed, mails) = conn
                .transaction(async |tx| {
                    self.parts.accounts.renew(tx, self.lease).await?;
                    messages::forget_stale_skips(tx, folder, current).await?;
                    messages::remove_stale_locations(tx, &self.owner, folder, current, STALE, &intake).await
                })
                .await
                .map_err(lost)?;
            drop(conn);
            self.strike(&mails);
            self.ring(intake.told && removed > 0);
            if removed == 0 {
                return Ok(());
            }
        }
    }
}
