//! Applies a prepared batch: one transaction with the mails, what was set aside, and the cursor that covers both.

use super::error::PassError;
use super::pass::{Pass, lost};
use super::prepare::Prepared;
use super::visit::Work;
use crate::messages::{self, FolderCursor};

impl Pass<'_> {
    /// Stores a batch. With `import` the cursor of the first import moves down to its oldest mail.
    pub(super) async fn commit(&self, work: &mut Work, batch: Prepared, import: bool) -> Result<(), PassError> {
        let Prepared { asked, mails, skips, .. } = batch;
        let mut cursor = work.folder.cursor.clone();
        if import {
            cursor = FolderCursor {
                backfill_cursor: asked.first().or(cursor.backfill_cursor),
                backfill_synced: cursor.backfill_synced + asked.len(),
                ..cursor
            };
        }
        let stored: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
        let (id, generation, role) = (work.id(), work.generation(), work.folder.role);
        // What a folder held before it was first looked at is no news.
        let intake = self.intake(self.tells(work, import));
        self.parts.metrics.mails_skipped.inc_by(skips.len() as u64);
        let (mut conn, permit) = self.parts.db.write_background().await?;
        let (saved, uids) = (&cursor, &stored);
        let applied = conn
            .transaction(async move |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                let applied = messages::apply_batch(tx, &self.owner, role, mails, &intake).await?;
                messages::record_skips(tx, skips, intake.now).await?;
                messages::forget_skips(tx, id, generation, uids).await?;
                if import {
                    messages::save_cursor(tx, id, saved, intake.now).await?;
                }
                Ok(applied)
            })
            .await
            .map_err(lost)?;
        drop((conn, permit));
        work.folder.cursor = cursor;
        self.ring(applied.told || (intake.told && !applied.new.is_empty()));
        self.note_changed(intake.told, applied.changed);
        self.progressed(stored.len());
        Ok(())
    }
}
