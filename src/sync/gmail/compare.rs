//! Compares every mail with Gmail's lists: the daily sweep, the end of the first import, and what is left when Gmail has
//! forgotten the place in the history.
//!
//! Nothing is taken out before the lists were read to their ends, and what came here meanwhile is left alone: the history
//! after the pin tells of it.

use std::collections::HashMap;

use super::Pass;
use super::fetch::Told;
use super::labels::{STARRED, UNREAD};
use crate::clock::Timestamp;
use crate::ids::FolderId;
use crate::messages::{self, Folder, FolderCursor, FolderRole, Proof, Sighted, Whereabouts};
use crate::providers::gmail::ListQuery;
use crate::sync::error::PassError;
use crate::sync::ground::lost;

/// Mails that are compared in one step.
const STEP: u32 = 500;

/// What the lists say of one mail.
#[derive(Default)]
struct Seen {
    folders: Vec<FolderId>,
    unread: bool,
    starred: bool,
}

/// What a list says of the mails on it.
#[derive(Clone, Copy)]
enum Mark {
    Folder(FolderId),
    Unread,
    Starred,
}

impl Seen {
    fn note(&mut self, mark: Mark) {
        match mark {
            Mark::Folder(folder) => self.folders.push(folder),
            Mark::Unread => self.unread = true,
            Mark::Starred => self.starred = true,
        }
    }

    fn sighted(&self, id: &str) -> Sighted {
        Sighted {
            external_id: id.to_owned(),
            places: Whereabouts::In(self.folders.iter().copied().collect()),
            is_read: Some(!self.unread),
            is_starred: Some(self.starred),
        }
    }
}

/// Every mail that is listed.
#[derive(Default)]
struct Census(HashMap<Box<str>, Seen>);

/// What differed.
#[derive(Default)]
struct Found {
    missing: u64,
    vanished: u64,
}

impl Pass<'_> {
    /// Compares all mail after Gmail has forgotten the place in the history, from a new one. What came and went in the gap is
    /// told once: what a try that broke off has stored is known to the next.
    pub(super) async fn recover(&mut self) -> Result<(), PassError> {
        self.adopt_labels().await?;
        let pinned = self.mailbox.profile().await?.history_id;
        self.compare(Told::News).await?;
        let account = self.account.id;
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            self.parts.accounts.save_history_id(tx, account, pinned).await
        })
        .await
        .map_err(lost)?;
        drop(conn);
        self.cursor.history_id = Some(pinned);
        self.complete_sweep().await?;
        self.catch_up(pinned).await
    }

    /// The daily proof that all mail is here; the history was followed to its end just before.
    pub(super) async fn sweep(&mut self) -> Result<(), PassError> {
        self.adopt_labels().await?;
        self.learn_senders().await?;
        self.compare(Told::News).await?;
        self.complete_sweep().await?;
        match self.cursor.history_id {
            Some(known) => self.catch_up(known).await,
            None => Ok(()),
        }
    }

    /// Reads all lists, mends what differs and keeps the outcome as a proof for each folder.
    pub(super) async fn compare(&mut self, told: Told) -> Result<(), PassError> {
        let mut found = Found::default();
        let asked_at = self.parts.clock.now();
        let census = self.census(told, &mut found).await?;
        self.mend(&census, told, asked_at).await?;
        found.vanished = self.take_out(&census, told).await?;
        if told == Told::News && found.missing > 0 {
            tracing::info!(account.id = %self.account.id, mails = found.missing, "mails were missing and were fetched");
        }
        for folder in self.labels.folders.clone() {
            if folder.included {
                self.prove(&folder, &census, &found).await?;
            }
        }
        Ok(())
    }

    /// Lists every mail, fetching those that are not here, and then the mails of each label.
    async fn census(&self, told: Told, found: &mut Found) -> Result<Census, PassError> {
        let mut census = Census::default();
        for mut query in self.lists() {
            while let Some(page) = self.page(&mut query).await? {
                found.missing += self.fetch_unknown(&page, told).await? as u64;
                census.0.extend(page.into_iter().map(|id| (id.into_boxed_str(), Seen::default())));
            }
        }
        for folder in &self.labels.folders {
            if folder.role != Some(FolderRole::All) {
                self.list_label(&folder.external_id, &mut census, Mark::Folder(folder.id)).await?;
            }
        }
        self.list_label(UNREAD, &mut census, Mark::Unread).await?;
        self.list_label(STARRED, &mut census, Mark::Starred).await?;
        Ok(census)
    }

    async fn list_label(&self, label: &str, census: &mut Census, mark: Mark) -> Result<(), PassError> {
        let mut query = ListQuery {
            label_ids: vec![label.to_owned()],
            include_spam_trash: true,
            max: STEP,
            ..ListQuery::default()
        };
        while let Some(page) = self.page(&mut query).await? {
            for id in page {
                // What is listed only now came after the pin.
                if let Some(seen) = census.0.get_mut(id.as_str()) {
                    seen.note(mark);
                }
            }
        }
        Ok(())
    }

    /// Takes over where all listed mails lie; what is as it was is not written.
    async fn mend(&self, census: &Census, told: Told, asked_at: Timestamp) -> Result<(), PassError> {
        let mails: Vec<(&Box<str>, &Seen)> = census.0.iter().collect();
        for step in mails.chunks(STEP as usize) {
            let words = step.iter().map(|(id, seen)| seen.sighted(id)).collect();
            self.take_over(words, told, asked_at).await?;
        }
        Ok(())
    }

    /// Takes out what is listed nowhere any more; answers how many mails that were.
    async fn take_out(&self, census: &Census, told: Told) -> Result<u64, PassError> {
        let (mut after, mut vanished) = (None, 0);
        loop {
            let mut conn = self.parts.db.read().await?;
            let page = messages::placed_ids(&mut conn, self.account.id, self.began, after, STEP).await?;
            drop(conn);
            let Some((last, _)) = page.last() else { return Ok(vanished) };
            after = Some(*last);
            let gone: Vec<Sighted> = page
                .into_iter()
                .filter(|(_, id)| !census.0.contains_key(id.as_str()))
                .map(|(_, id)| Sighted { external_id: id, places: Whereabouts::Gone, is_read: None, is_starred: None })
                .collect();
            vanished += gone.len() as u64;
            if !gone.is_empty() {
                self.take_over(gone, told, self.began).await?;
            }
        }
    }

    /// Keeps the outcome for a folder, and that its import is done.
    async fn prove(&mut self, folder: &Folder, census: &Census, found: &Found) -> Result<(), PassError> {
        let lies_here =
            |seen: &Seen| self.labels.layout.complete(&seen.folders.iter().copied().collect()).contains(&folder.id);
        let listed = census.0.values().filter(|seen| lies_here(seen)).count() as u64;
        let is_view = folder.role == Some(FolderRole::All);
        let now = self.parts.clock.now();
        let proof = Proof {
            account: self.account.id,
            folder: folder.id,
            uid_validity: 1,
            provider_count: listed,
            found_missing: if is_view { found.missing } else { 0 },
            found_vanished: if is_view { found.vanished } else { 0 },
        };
        let progress = if is_view { census.0.len() as u64 } else { 0 };
        let cursor = FolderCursor {
            backfill_cursor: Some(1),
            backfill_total: progress,
            backfill_synced: progress,
            ..folder.cursor.clone()
        };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::save_cursor(tx, folder.id, &cursor, now).await?;
            messages::set_provider_count(tx, folder.id, listed, now).await?;
            messages::record_proof(tx, &proof, now).await
        })
        .await
        .map_err(lost)?;
        drop(conn);
        self.labels.set_cursor(Some(folder.id), &cursor);
        Ok(())
    }
}
