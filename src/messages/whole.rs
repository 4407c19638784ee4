//! What the sync engine hands in of providers that speak of mails as a whole, by ids of their own (Gmail, Graph).

use std::collections::BTreeSet;

use super::model::{Folder, FolderRole};
use crate::clock::Timestamp;
use crate::ids::FolderId;

/// The folders of a mailbox whose provider tells for each mail in which of them it lies.
#[derive(Debug, Clone, Default)]
pub struct Layout(Vec<LayoutFolder>);

#[derive(Debug, Clone, Copy)]
struct LayoutFolder {
    id: FolderId,
    role: Option<FolderRole>,
    included: bool,
}

impl Layout {
    /// What is needed of the stored folders.
    pub fn of(folders: &[Folder]) -> Self {
        let folder = |it: &Folder| LayoutFolder { id: it.id, role: it.role, included: it.included };
        Self(folders.iter().map(folder).collect())
    }

    /// What a folder is for.
    pub fn role(&self, folder: FolderId) -> Option<FolderRole> {
        self.0.iter().find(|it| it.id == folder).and_then(|it| it.role)
    }

    /// The folders that a mail is stored in which the provider has in these: trash and spam hide it from everywhere else, the
    /// view of all mail shows what is in neither, and folders that a person left out are left out.
    pub fn complete(&self, folders: &BTreeSet<FolderId>) -> BTreeSet<FolderId> {
        let lies_in = |it: &LayoutFolder| folders.contains(&it.id);
        let hiding = self.hiding();
        let hidden_in = hiding.into_iter().find(|folder| folders.contains(folder));
        let shown = |it: &&LayoutFolder| match (hidden_in, it.role) {
            (Some(folder), _) => it.id == folder,
            (None, Some(FolderRole::All)) => true,
            (None, _) => lies_in(it),
        };
        self.0.iter().filter(shown).filter(|it| it.included).map(|it| it.id).collect()
    }

    /// The folders that hide what lies in them from all others where a view of all mail is: trash before spam.
    pub fn hiding(&self) -> Vec<FolderId> {
        let of_role = |role: FolderRole| self.0.iter().find(move |it| it.role == Some(role)).map(|it| it.id);
        let roles = of_role(FolderRole::All).map(|_| [FolderRole::Trash, FolderRole::Spam]);
        roles.into_iter().flatten().filter_map(of_role).collect()
    }

    /// The folder of these that tells most about a mail: where it is worked on, or why it is put aside.
    pub fn chief(&self, folders: &BTreeSet<FolderId>) -> Option<FolderId> {
        use FolderRole::{All, Archive, Drafts, Inbox, Label, Sent, Spam, Trash};
        let rank = |folder: &FolderId| match self.role(*folder) {
            Some(Drafts) => 0,
            Some(Trash) => 1,
            Some(Spam) => 2,
            Some(Sent) => 3,
            Some(Inbox) => 4,
            None | Some(Label) => 5,
            Some(Archive) => 6,
            Some(All) => 7,
        };
        folders.iter().copied().min_by_key(rank)
    }
}

/// Where a provider says that a mail lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// In exactly these folders, the view of all mail aside.
    In(BTreeSet<FolderId>),
    /// It came into some folders and left others since it was last told of.
    Moved {
        /// Where it came to.
        into: BTreeSet<FolderId>,
        /// What it left.
        out_of: BTreeSet<FolderId>,
    },
    /// Nowhere any more: it was deleted for good.
    Gone,
}

/// What a provider without UIDs says of a mail as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighted {
    /// The identity of the mail within its mailbox.
    pub external_id: String,
    /// Where it lies.
    pub places: Whereabouts,
    /// Whether it is read, when that was told.
    pub is_read: Option<bool>,
    /// Whether it has a star, when that was told.
    pub is_starred: Option<bool>,
}

/// A mail that was not stored, of a provider that names its mails by an id of its own.
#[derive(Debug, Clone)]
pub struct Missed {
    /// The identity within the mailbox.
    pub external_id: String,
    /// A folder that it lies in.
    pub folder: FolderId,
    /// The Message-ID without angle brackets, when that is known.
    pub message_id: Option<String>,
    /// The stable word for the reason.
    pub reason: &'static str,
    /// The reason for a person, without any content of the mail.
    pub detail: Option<String>,
    /// The size of the raw mail, in bytes.
    pub size: Option<u64>,
    /// When to try again; never when absent.
    pub next_attempt_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use FolderRole::{All, Inbox, Label, Spam, Trash};

    fn layout(roles: &[(FolderRole, bool)]) -> (Layout, Vec<FolderId>) {
        let folder = |(role, included): &(FolderRole, bool)| LayoutFolder {
            id: FolderId::new(),
            role: Some(*role),
            included: *included,
        };
        let folders: Vec<LayoutFolder> = roles.iter().map(folder).collect();
        let ids = folders.iter().map(|folder| folder.id).collect();
        (Layout(folders), ids)
    }

    #[test]
    fn the_view_of_all_mail_shows_what_is_neither_trash_nor_spam() {
        let (layout, ids) = layout(&[(Inbox, true), (Trash, true), (All, true)]);
        let (inbox, trash, all) = (ids[0], ids[1], ids[2]);
        assert_eq!(layout.complete(&BTreeSet::new()), BTreeSet::from([all]));
        assert_eq!(layout.complete(&BTreeSet::from([inbox])), BTreeSet::from([inbox, all]));
        assert_eq!(layout.complete(&BTreeSet::from([trash])), BTreeSet::from([trash]));
        assert_eq!(layout.complete(&BTreeSet::from([trash, inbox])), BTreeSet::from([trash]), "it is hidden elsewhere");
    }

    #[test]
    fn a_mail_in_a_folder_that_is_left_out_lies_nowhere() {
        let (layout, ids) = layout(&[(Inbox, true), (Spam, false), (All, true)]);
        assert!(layout.complete(&BTreeSet::from([ids[1]])).is_empty());
    }

    #[test]
    fn the_chief_folder_is_where_a_mail_is_worked_on() {
        let (layout, ids) = layout(&[(All, true), (Label, true), (Inbox, true), (Trash, true)]);
        assert_eq!(layout.chief(&ids[..3].iter().copied().collect()), Some(ids[2]));
        assert_eq!(layout.chief(&ids[..2].iter().copied().collect()), Some(ids[1]));
        assert_eq!(layout.chief(&ids.iter().copied().collect()), Some(ids[3]));
        assert_eq!(layout.chief(&BTreeSet::new()), None);
    }
}
