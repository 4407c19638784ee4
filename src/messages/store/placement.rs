//! What the places of a mail say about the mail: read, starred, archived, trashed, spam, draft.

use crate::messages::model::FolderRole;

/// One place of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub role: Option<FolderRole>,
    pub is_read: bool,
    pub is_starred: bool,
}

/// The flags of a mail as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub is_read: bool,
    pub is_starred: bool,
    pub is_archived: bool,
    pub is_draft: bool,
    pub is_trashed: bool,
    pub is_spam: bool,
}

/// Derives the flags: read and starred when any copy is; trashed or spam when it lies nowhere else; archived when it lies
/// in the archive (or in the view of all mail) and in none of the folders where mail is worked on.
pub(super) fn state(places: &[Place]) -> State {
    let lies_in = |role: FolderRole| places.iter().any(|place| place.role == Some(role));
    let hidden = |place: &Place| matches!(place.role, Some(FolderRole::Trash | FolderRole::Spam));
    let live = places.iter().any(|place| !hidden(place));
    let put_away = lies_in(FolderRole::Archive) || lies_in(FolderRole::All);
    let at_work = lies_in(FolderRole::Inbox) || lies_in(FolderRole::Sent) || lies_in(FolderRole::Drafts);
    State {
        is_read: places.iter().any(|place| place.is_read),
        is_starred: places.iter().any(|place| place.is_starred),
        is_archived: put_away && !at_work,
        is_draft: lies_in(FolderRole::Drafts),
        is_trashed: !live && lies_in(FolderRole::Trash),
        is_spam: !live && !lies_in(FolderRole::Trash) && lies_in(FolderRole::Spam),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(roles: &[FolderRole]) -> State {
        let place = |role: &FolderRole| Place { role: Some(*role), is_read: false, is_starred: false };
        state(&roles.iter().map(place).collect::<Vec<_>>())
    }

    #[test]
    fn a_mail_is_archived_only_when_it_lies_nowhere_at_work() {
        assert!(at(&[FolderRole::Archive]).is_archived);
        assert!(at(&[FolderRole::All, FolderRole::Label]).is_archived);
        assert!(!at(&[FolderRole::All, FolderRole::Inbox]).is_archived);
        assert!(!at(&[FolderRole::Archive, FolderRole::Sent]).is_archived);
    }

    #[test]
    fn a_copy_elsewhere_saves_a_mail_from_being_trash_or_spam() {
        assert!(at(&[FolderRole::Trash]).is_trashed);
        assert!(!at(&[FolderRole::Trash, FolderRole::Inbox]).is_trashed);
        assert!(at(&[FolderRole::Spam]).is_spam);
        let both = at(&[FolderRole::Spam, FolderRole::Trash]);
        assert!(both.is_trashed && !both.is_spam);
    }

    #[test]
    fn one_read_or_starred_copy_counts_for_the_mail() {
        let unread = Place { role: None, is_read: false, is_starred: false };
        let all = state(&[unread, Place { is_read: true, is_starred: true, ..unread }]);
        assert!(all.is_read && all.is_starred);
    }
}
