//! Labels are folders: Gmail's list, taken over, and what the labels of a mail say about it.

use std::collections::{BTreeSet, HashMap};

use chrono::Duration;
use diesel::QueryResult;

use super::Pass;
use super::fetch::Told;
use crate::db::Db;
use crate::ids::{AccountId, FolderId};
use crate::messages::{
    self, Folder, FolderCursor, FolderListing, FolderRole, LOCAL, Layout, Missed, Sighted, Whereabouts,
};
use crate::providers::gmail::Label;
use crate::sync::error::PassError;
use crate::sync::ground::lost;

/// The view of all mail is no label; this is its name among the folders.
pub(in crate::sync) const VIEW: &str = "ALL";

/// Gmail's own labels that are folders (providers call them system labels), in the order in which they are shown.
const FOLDERS: [(&str, &str, FolderRole); 6] = [
    ("INBOX", "Inbox", FolderRole::Inbox),
    ("SENT", "Sent", FolderRole::Sent),
    ("DRAFT", "Drafts", FolderRole::Drafts),
    (VIEW, "All Mail", FolderRole::All),
    ("TRASH", "Trash", FolderRole::Trash),
    ("SPAM", "Spam", FolderRole::Spam),
];

/// A mail that is not read.
pub(in crate::sync) const UNREAD: &str = "UNREAD";

/// A mail with a star.
pub(in crate::sync) const STARRED: &str = "STARRED";

/// Labels that hide a mail from everywhere else.
pub(super) const HIDING: [&str; 2] = ["TRASH", "SPAM"];

/// A conversation of Google Chat, which is no mail.
pub(super) const CHAT: &str = "CHAT";

/// How often the list is read again though nothing points to a change: renaming a label is not told by the history.
const EVERY: Duration = Duration::minutes(15);

/// The folders of a mailbox by their labels.
#[derive(Default)]
pub(in crate::sync) struct Labels {
    pub(super) folders: Vec<Folder>,
    pub(in crate::sync) layout: Layout,
    by_label: HashMap<String, FolderId>,
}

impl Labels {
    /// The folders as they are stored.
    pub(in crate::sync) async fn load(db: &Db, account: AccountId) -> QueryResult<Self> {
        Ok(Self::of(messages::list_folders(&mut db.read().await?, account).await?))
    }

    fn of(mut folders: Vec<Folder>) -> Self {
        // What was made here and is not made at Gmail yet has no label to ask for.
        folders.retain(|folder| !folder.external_id.starts_with(LOCAL));
        let by_label = folders.iter().map(|folder| (folder.external_id.clone(), folder.id)).collect();
        Self { layout: Layout::of(&folders), by_label, folders }
    }

    /// The folder of a label; flags, categories and the like have none.
    pub(super) fn folder(&self, label: &str) -> Option<FolderId> {
        self.by_label.get(label).copied()
    }

    /// The stored folder for a purpose.
    pub(super) fn of_role(&self, role: FolderRole) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.role == Some(role))
    }

    /// Whether this may be a label that somebody made since the list was read.
    pub(in crate::sync) fn is_unheard_of(&self, label: &str) -> bool {
        !self.by_label.contains_key(label) && !is_built_in(label)
    }

    /// Notes how far a folder is.
    pub(super) fn set_cursor(&mut self, id: Option<FolderId>, cursor: &FolderCursor) {
        for folder in self.folders.iter_mut().filter(|folder| Some(folder.id) == id) {
            folder.cursor.clone_from(cursor);
        }
    }

    /// The folders of a mail with these labels, the view aside.
    pub(super) fn folders_of<'l>(&self, labels: impl IntoIterator<Item = &'l str>) -> BTreeSet<FolderId> {
        labels.into_iter().filter_map(|label| self.folder(label)).collect()
    }

    /// A mail with these labels that is left out.
    pub(super) fn left_out(
        &self,
        id: String,
        labels: &[String],
        message_id: Option<String>,
        (reason, why): (&'static str, &str),
    ) -> Option<Missed> {
        let folders = self.folders_of(labels.iter().map(String::as_str));
        let view = || self.of_role(FolderRole::All).map(|folder| folder.id);
        Some(Missed {
            external_id: id,
            folder: self.layout.chief(&folders).or_else(view)?,
            message_id,
            reason,
            detail: Some(why.to_owned()),
            size: None,
            next_attempt_at: None,
        })
    }

    /// What all labels of a mail say.
    pub(in crate::sync) fn sighted(&self, id: &str, labels: &[String]) -> Sighted {
        let has = |label: &str| labels.iter().any(|it| it == label);
        Sighted {
            external_id: id.to_owned(),
            places: Whereabouts::In(self.folders_of(labels.iter().map(String::as_str))),
            is_read: Some(!has(UNREAD)),
            is_starred: Some(has(STARRED)),
        }
    }
}

/// Whether a label is one of Gmail's own: those of people are called `Label_…`.
pub(in crate::sync) fn is_built_in(label: &str) -> bool {
    label.starts_with("CATEGORY_")
        || label.ends_with("_STAR")
        || matches!(label, UNREAD | STARRED | CHAT | "IMPORTANT" | "INBOX" | "SENT" | "DRAFT" | "TRASH" | "SPAM")
}

impl Pass<'_> {
    /// Reads the list again when it was not read for a while.
    pub(super) async fn refresh_labels(&mut self) -> Result<(), PassError> {
        let now = self.parts.clock.now();
        if self.cursor.folders_listed_at.is_some_and(|at| at <= now && now < at + EVERY) {
            return Ok(());
        }
        self.adopt_labels().await
    }

    /// Reads the list of labels and takes it over.
    pub(super) async fn adopt_labels(&mut self) -> Result<(), PassError> {
        let listing = listing(&self.mailbox.labels().await?);
        let (account, now) = (self.account.id, self.parts.clock.now());
        let mut conn = self.parts.db.write().await?;
        let (gone, folders) = conn
            .transaction(async |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                let gone = messages::upsert_folders(tx, account, listing, now).await?;
                self.parts.accounts.note_folders_listed(tx, account, now).await?;
                Ok((gone, messages::list_folders(tx, account).await?))
            })
            .await
            .map_err(lost)?;
        drop(conn);
        self.cursor.folders_listed_at = Some(now);
        self.labels = Labels::of(folders);
        for folder in gone {
            self.clear(folder, Told::News).await?;
        }
        Ok(())
    }

    /// Takes all mails out of a folder that is no more, or was left out; most lie in the view of all mail still.
    pub(super) async fn clear(&self, folder: FolderId, told: Told) -> Result<(), PassError> {
        const STEP: u32 = 500;
        loop {
            let intake = self.intake(told == Told::News && self.is_live());
            let (mut conn, _permit) = self.parts.db.write_background().await?;
            let (removed, _) = conn
                .transaction(async |tx| {
                    self.parts.accounts.renew(tx, self.lease).await?;
                    messages::forget_stale_skips(tx, folder, None).await?;
                    messages::remove_stale_locations(tx, &self.owner, folder, None, STEP, &intake).await
                })
                .await
                .map_err(lost)?;
            drop(conn);
            self.ring(intake.told && removed > 0);
            if removed == 0 {
                return Ok(());
            }
        }
    }
}

/// The folders that a list of labels stands for. A label `a/b` lies below the label `a`, where there is one.
fn listing(labels: &[Label]) -> Vec<FolderListing> {
    let own = FOLDERS.iter().map(|(id, name, role)| FolderListing {
        external_id: (*id).to_owned(),
        parent_external_id: None,
        name: (*name).to_owned(),
        role: Some(*role),
        selectable: true,
    });
    let ids: HashMap<&str, &str> = labels.iter().map(|label| (label.name.as_str(), label.id.as_str())).collect();
    let parent = |name: &str| {
        let above = name.rmatch_indices('/').filter_map(|(at, _)| name.get(..at));
        above.filter_map(|above| ids.get(above)).map(|id| (*id).to_owned()).next()
    };
    let people = labels.iter().filter(|label| !label.is_system).map(|label| FolderListing {
        external_id: label.id.clone(),
        parent_external_id: parent(&label.name),
        name: label.name.clone(),
        role: Some(FolderRole::Label),
        selectable: true,
    });
    own.chain(people).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(id: &str, name: &str, is_system: bool) -> Label {
        Label { id: id.to_owned(), name: name.to_owned(), is_system }
    }

    #[test]
    fn labels_of_people_become_folders_below_each_other_and_flags_do_not() {
        let labels = [
            label("UNREAD", "UNREAD", true),
            label("Label_1", "Customers", false),
            label("Label_2", "Customers/2026/May", false),
            label("Label_3", "Lonely/Child", false),
        ];
        let listing = listing(&labels);
        assert_eq!(listing.len(), FOLDERS.len() + 3);
        let parent = |id: &str| {
            let found = listing.iter().find(|folder| folder.external_id == id);
            found.and_then(|folder| folder.parent_external_id.clone())
        };
        assert_eq!(parent("Label_2").as_deref(), Some("Label_1"));
        assert_eq!(parent("Label_3"), None);
    }

    #[test]
    fn only_a_label_that_a_person_may_have_made_is_unheard_of() {
        let labels = Labels::of(Vec::new());
        for label in ["UNREAD", "CATEGORY_SOCIAL", "YELLOW_STAR", "IMPORTANT", "INBOX", "CHAT"] {
            assert!(!labels.is_unheard_of(label), "{label}");
        }
        assert!(labels.is_unheard_of("Label_7"));
    }
}
