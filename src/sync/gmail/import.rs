//! The first import: the place in the history is pinned, then every mail that is listed and not stored is fetched, the newest
//! first. Where it breaks off it begins again at the top of the list, which costs five units for five hundred mails: what is
//! stored already is only passed over.

use super::Pass;
use super::fetch::{Replaced, Told};
use crate::ids::FolderId;
use crate::messages::{self, Folder, FolderCursor, FolderRole, Sighted, Whereabouts};
use crate::providers::gmail::ListQuery;
use crate::sync::error::PassError;
use crate::sync::ground::lost;

/// Mails of one page of a list, the most that Gmail gives.
const PAGE: u32 = 500;

impl Pass<'_> {
    /// Imports the mailbox, proves that all of it is here, and takes over what changed meanwhile.
    pub(super) async fn import(&mut self) -> Result<(), PassError> {
        let pinned = self.pin().await?;
        self.learn_senders().await?;
        for query in self.lists() {
            let mut query = query;
            while let Some(page) = self.page(&mut query).await? {
                self.fetch_unknown(&page, Told::Silently).await?;
                self.advance(page.len() as u64).await?;
            }
        }
        self.compare(Told::Silently).await?;
        self.complete_sweep().await?;
        self.complete_backfill().await?;
        self.catch_up(pinned).await
    }

    /// Notes the place in the history before anything is read, so that no change is missed.
    async fn pin(&mut self) -> Result<u64, PassError> {
        self.adopt_labels().await?;
        let profile = self.mailbox.profile().await?;
        let pinned = self.cursor.history_id.unwrap_or(profile.history_id);
        let (account, now) = (self.account.id, self.parts.clock.now());
        let view = self.labels.of_role(FolderRole::All).map(|folder| folder.id);
        let cursor = FolderCursor { backfill_total: profile.messages_total, ..FolderCursor::default() };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            self.parts.accounts.save_history_id(tx, account, pinned).await?;
            match view {
                Some(view) => messages::save_cursor(tx, view, &cursor, now).await,
                None => Ok(()),
            }
        })
        .await
        .map_err(lost)?;
        self.cursor.history_id = Some(pinned);
        self.labels.set_cursor(view, &cursor);
        Ok(pinned)
    }

    /// What to list so that every mail occurs that is stored here: all mail, then what that does not show.
    pub(super) fn lists(&self) -> Vec<ListQuery> {
        let is_included = |role| self.labels.of_role(role).is_some_and(|folder| folder.included);
        let since = self.account.settings.sync_since.map(|since| format!("after:{}", since.utc().timestamp()));
        let of = |label: Option<&str>| ListQuery {
            label_ids: label.map(str::to_owned).into_iter().collect(),
            q: since.clone(),
            include_spam_trash: label.is_some(),
            page_token: None,
            max: PAGE,
        };
        if !is_included(FolderRole::All) {
            let included = self.labels.folders.iter().filter(|folder| folder.included);
            return included.map(|folder| of(Some(&folder.external_id))).collect();
        }
        let aside = [FolderRole::Trash, FolderRole::Spam].into_iter().filter(|role| is_included(*role));
        let aside = aside.filter_map(|role| self.labels.of_role(role)).map(|folder| of(Some(&folder.external_id)));
        std::iter::once(of(None)).chain(aside).collect()
    }

    /// The next page of a list; none after the last one.
    pub(super) async fn page(&self, query: &mut ListQuery) -> Result<Option<Vec<String>>, PassError> {
        if query.max == 0 {
            return Ok(None);
        }
        if self.stop.is_cancelled() {
            return Err(PassError::Stopped);
        }
        let page = self.mailbox.list(query).await?;
        query.page_token = page.next_page_token;
        if query.page_token.is_none() {
            query.max = 0;
        }
        Ok(Some(page.messages.into_iter().map(|message| message.id).collect()))
    }

    /// Stores those of the listed mails that are neither stored nor left out; answers how many there were.
    pub(super) async fn fetch_unknown(&self, ids: &[String], told: Told) -> Result<usize, PassError> {
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut conn = self.parts.db.read().await?;
        let known = messages::known_external_ids(&mut conn, self.account.id, &names).await?;
        let missed = messages::missed_ids(&mut conn, self.account.id, &names).await?;
        drop(conn);
        let unknown: Vec<String> =
            ids.iter().filter(|id| !known.contains(*id) && !missed.contains(*id)).cloned().collect();
        let count = unknown.len();
        self.store(unknown, told, Replaced::new()).await?;
        Ok(count)
    }

    /// Counts mails that the import has looked at.
    async fn advance(&mut self, mails: u64) -> Result<(), PassError> {
        let Some(view) = self.labels.of_role(FolderRole::All) else { return Ok(()) };
        let (id, mut cursor) = (view.id, view.cursor.clone());
        cursor.backfill_synced += mails;
        cursor.backfill_total = cursor.backfill_total.max(cursor.backfill_synced);
        let (mut conn, _permit) = self.parts.db.write_background().await?;
        messages::save_cursor(&mut conn, id, &cursor, self.parts.clock.now()).await?;
        drop(conn);
        self.labels.set_cursor(Some(id), &cursor);
        self.progressed(0);
        Ok(())
    }

    /// Takes in folders that came to be, or that a person included, since the last pass; forgets those that were left out.
    pub(super) async fn import_new_folders(&mut self) -> Result<(), PassError> {
        let folders = self.labels.folders.clone();
        for folder in &folders {
            let is_done = folder.cursor.backfill_cursor.is_some();
            if folder.included && !is_done {
                self.import_folder(folder).await?;
                self.mark(folder, FolderCursor { backfill_cursor: Some(1), ..folder.cursor.clone() }).await?;
            } else if !folder.included && is_done {
                self.clear(folder.id, Told::Silently).await?;
                self.mark(folder, FolderCursor::default()).await?;
            }
        }
        Ok(())
    }

    async fn import_folder(&self, folder: &Folder) -> Result<(), PassError> {
        let label = (folder.role != Some(FolderRole::All)).then(|| folder.external_id.clone());
        let mut query = ListQuery {
            include_spam_trash: label.is_some(),
            label_ids: label.into_iter().collect(),
            max: PAGE,
            ..ListQuery::default()
        };
        let mut asked_at = self.parts.clock.now();
        while let Some(page) = self.page(&mut query).await? {
            let ids: Vec<&str> = page.iter().map(String::as_str).collect();
            let out = messages::missed_ids(&mut self.parts.db.read().await?, self.account.id, &ids).await?;
            // What was left out because of its folder belongs here now.
            self.store(out.into_iter().collect(), Told::Silently, Replaced::new()).await?;
            self.fetch_unknown(&page, Told::Silently).await?;
            let words = page.into_iter().map(|id| Sighted {
                external_id: id,
                places: Whereabouts::Moved { into: [folder.id].into(), out_of: Default::default() },
                is_read: None,
                is_starred: None,
            });
            self.take_over(words.collect(), Told::Silently, asked_at).await?;
            asked_at = self.parts.clock.now();
        }
        Ok(())
    }

    /// Notes how far a folder is.
    pub(super) async fn mark(&mut self, folder: &Folder, cursor: FolderCursor) -> Result<(), PassError> {
        let (id, now): (FolderId, _) = (folder.id, self.parts.clock.now());
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::save_cursor(tx, id, &cursor, now).await
        })
        .await
        .map_err(lost)?;
        drop(conn);
        self.labels.set_cursor(Some(id), &cursor);
        Ok(())
    }
}
