use super::model::{Change, Fields, Former, FormerPlace};
use super::plan::{Breadth, Folders, Goal, Known, Past, Row, Step, Target, former_goal, goal, steps};
use crate::ids::{FolderId, LocationId};
use crate::messages::model::FolderRole::{self, All, Archive, Drafts, Inbox, Sent, Spam, Trash};

/// A mailbox with a folder for each purpose and two without; `None` is the folder "Work", the name "Other" the other.
struct Box {
    folders: Folders,
}

impl Box {
    fn new(roles: &[FolderRole]) -> Self {
        let of_role =
            |role: &FolderRole| Known { id: FolderId::new(), name: role.as_str().to_owned(), role: Some(*role) };
        let mut known: Vec<Known> = roles.iter().map(of_role).collect();
        known.extend(["Work", "Other"].map(|name| Known { id: FolderId::new(), name: name.to_owned(), role: None }));
        Self { folders: Folders { known } }
    }

    fn usual() -> Self {
        Self::new(&[Inbox, Sent, Drafts, Trash, Spam, Archive])
    }

    fn id(&self, role: Option<FolderRole>) -> FolderId {
        self.folders.known.iter().find(|folder| folder.role == role).unwrap().id
    }

    fn rows(&self, places: &[Option<FolderRole>]) -> Vec<Row> {
        let row = |role: &Option<FolderRole>| Row {
            id: LocationId::new(),
            folder: self.id(*role),
            role: *role,
            arrived: true,
            is_read: false,
            is_starred: false,
        };
        places.iter().map(row).collect()
    }

    /// The names of the folders that goals mean.
    fn names(&self, goals: &[Goal]) -> Vec<String> {
        let name = |goal: &Goal| match &goal.target {
            Target::Folder(id) => self.folders.known.iter().find(|folder| folder.id == *id).unwrap().name.clone(),
            Target::Role(role) => format!("new {}", role.as_str()),
            Target::Label(name) => format!("new {name}"),
        };
        let mut names: Vec<String> = goals.iter().map(name).collect();
        names.sort();
        names
    }

    fn after(&self, places: &[Option<FolderRole>], change: &Change, breadth: Breadth, past: &Past) -> Vec<String> {
        self.names(&goal(&self.rows(places), change, breadth, &self.folders, past))
    }

    fn former(&self, places: &[Option<FolderRole>]) -> Vec<FormerPlace> {
        places.iter().map(|role| FormerPlace { folder: self.id(*role), is_read: false, is_starred: false }).collect()
    }
}

const WORK: Option<FolderRole> = None;

fn archive(value: bool) -> Change {
    Change { is_archived: Some(value), ..Change::default() }
}

fn trash(value: bool) -> Change {
    Change { trash: Some(value), ..Change::default() }
}

#[test]
fn an_archived_mail_leaves_the_inbox_or_every_folder_that_is_no_other_safe_place() {
    let b = Box::usual();
    let none = Past::default();
    for (places, breadth, expected) in [
        (vec![Some(Inbox)], Breadth::Mail, vec!["archive"]),
        (vec![Some(Inbox), WORK], Breadth::Mail, vec!["Work", "archive"]),
        (vec![Some(Inbox), Some(Inbox)], Breadth::Mail, vec!["archive"]),
        (vec![Some(Inbox), Some(Archive)], Breadth::Mail, vec!["archive"]),
        (vec![WORK], Breadth::Mail, vec!["archive"]),
        (vec![Some(Sent)], Breadth::Mail, vec!["archive"]),
        (vec![Some(Archive)], Breadth::Mail, vec!["archive"]),
        (vec![Some(Trash)], Breadth::Mail, vec!["trash"]),
        (vec![Some(Drafts)], Breadth::Mail, vec!["drafts"]),
        (vec![Some(Spam), WORK], Breadth::Mail, vec!["archive", "spam"]),
        (vec![Some(Inbox)], Breadth::Inbox, vec!["archive"]),
        (vec![WORK], Breadth::Inbox, vec!["Work"]),
        (vec![Some(Sent)], Breadth::Inbox, vec!["sent"]),
        (vec![WORK], Breadth::Thread, vec!["archive"]),
        (vec![Some(Sent)], Breadth::Thread, vec!["sent"]),
    ] {
        assert_eq!(b.after(&places, &archive(true), breadth, &none), expected, "{places:?} {breadth:?}");
    }
}

#[test]
fn without_an_archive_the_view_of_all_mail_takes_its_place_or_one_is_made() {
    let none = Past::default();
    let bare = Box::new(&[Inbox]);
    assert_eq!(bare.after(&[Some(Inbox)], &archive(true), Breadth::Mail, &none), ["new archive"]);
    let view = Box::new(&[Inbox, All]);
    assert_eq!(view.after(&[Some(Inbox), Some(All)], &archive(true), Breadth::Mail, &none), ["all"]);
    assert_eq!(view.after(&[Some(All)], &archive(false), Breadth::Mail, &none), ["all", "inbox"]);
    assert_eq!(view.after(&[Some(Inbox), Some(All)], &archive(false), Breadth::Mail, &none), ["all", "inbox"]);
}

#[test]
fn what_comes_out_of_the_archive_goes_where_it_came_from() {
    let b = Box::usual();
    let knows = |places: &[Option<FolderRole>]| Past { before_archive: Some(b.former(places)), ..Past::default() };
    let sent = Past { is_outbound: true, ..Past::default() };
    for (places, past, expected) in [
        (vec![Some(Archive)], Past::default(), vec!["inbox"]),
        (vec![Some(Archive)], sent, vec!["sent"]),
        (vec![Some(Archive)], knows(&[WORK]), vec!["Work"]),
        (vec![Some(Archive)], knows(&[Some(Inbox), WORK]), vec!["inbox"]),
        (vec![Some(Archive), WORK], knows(&[Some(Inbox), WORK]), vec!["Work", "inbox"]),
        (vec![Some(Inbox)], knows(&[WORK]), vec!["inbox"]),
        (vec![Some(Inbox), Some(Archive)], Past::default(), vec!["archive", "inbox"]),
        (vec![Some(Trash)], Past::default(), vec!["trash"]),
    ] {
        assert_eq!(b.after(&places, &archive(false), Breadth::Mail, &past), expected, "{places:?} {past:?}");
    }
    let gone = Past {
        before_archive: Some(vec![FormerPlace { folder: FolderId::new(), is_read: false, is_starred: false }]),
        ..Past::default()
    };
    assert_eq!(b.after(&[Some(Archive)], &archive(false), Breadth::Mail, &gone), ["inbox"]);
}

#[test]
fn every_copy_goes_to_the_trash_and_comes_back_to_its_folder() {
    let b = Box::usual();
    let none = Past::default();
    assert_eq!(b.after(&[Some(Inbox), WORK], &trash(true), Breadth::Mail, &none), ["trash", "trash"]);
    assert_eq!(b.after(&[Some(Trash)], &trash(true), Breadth::Mail, &none), ["trash"]);
    let past = Past { before_trash: Some(b.former(&[Some(Inbox), WORK])), ..Past::default() };
    assert_eq!(b.after(&[Some(Trash), Some(Trash)], &trash(false), Breadth::Mail, &past), ["Work", "inbox"]);
    assert_eq!(b.after(&[Some(Trash), WORK], &trash(false), Breadth::Mail, &past), ["Work", "inbox"]);
    assert_eq!(b.after(&[Some(Trash)], &trash(false), Breadth::Mail, &none), ["inbox"]);
    let draft = Past { is_draft: true, is_outbound: true, ..Past::default() };
    assert_eq!(b.after(&[Some(Trash)], &trash(false), Breadth::Mail, &draft), ["drafts"]);
    assert_eq!(b.after(&[Some(Inbox)], &trash(false), Breadth::Mail, &past), ["inbox"]);
    let view = Box::new(&[Inbox, All]);
    assert_eq!(view.after(&[Some(Inbox), Some(All)], &trash(true), Breadth::Mail, &none), ["new trash"]);
}

#[test]
fn a_moved_mail_leaves_what_was_meant_and_nothing_else() {
    let b = Box::usual();
    let none = Past::default();
    let to = |role, from: Option<Option<FolderRole>>| Change {
        folder_id: Some(b.id(role)),
        from_folder_id: from.map(|role| b.id(role)),
        ..Change::default()
    };
    for (places, change, expected) in [
        (vec![Some(Inbox)], to(WORK, None), vec!["Work"]),
        (vec![Some(Inbox), Some(Sent)], to(WORK, None), vec!["Work", "sent"]),
        (vec![Some(Inbox), WORK], to(WORK, None), vec!["Work"]),
        (vec![Some(Archive), Some(Sent)], to(WORK, None), vec!["Work"]),
        (vec![Some(Inbox), Some(Sent)], to(WORK, Some(Some(Sent))), vec!["Work", "inbox"]),
        (vec![Some(Inbox)], to(WORK, Some(Some(Sent))), vec!["inbox"]),
        (vec![WORK], to(WORK, None), vec!["Work"]),
        (vec![Some(Trash)], to(Some(Inbox), None), vec!["inbox"]),
    ] {
        assert_eq!(b.after(&places, &change, Breadth::Mail, &none), expected, "{places:?} {change:?}");
    }
}

#[test]
fn labels_are_copies_and_the_last_one_gone_means_archived() {
    let b = Box::usual();
    let none = Past::default();
    let change = |add: &[&str], remove: &[&str]| Change {
        add_labels: add.iter().map(|name| (*name).to_owned()).collect(),
        remove_labels: remove.iter().map(|name| (*name).to_owned()).collect(),
        ..Change::default()
    };
    for (places, change, expected) in [
        (vec![Some(Inbox)], change(&["Work", "New/One"], &[]), vec!["Work", "inbox", "new New/One"]),
        (vec![Some(Inbox), WORK], change(&["Work"], &[]), vec!["Work", "inbox"]),
        (vec![Some(Inbox)], change(&["work"], &[]), vec!["inbox", "new work"]),
        (vec![Some(Inbox), WORK], change(&[], &["Work"]), vec!["inbox"]),
        (vec![WORK], change(&[], &["Work"]), vec!["archive"]),
        (vec![WORK], change(&["Other"], &["Work"]), vec!["Other"]),
        (vec![Some(Inbox)], change(&[], &["Nothing"]), vec!["inbox"]),
    ] {
        assert_eq!(b.after(&places, &change, Breadth::Mail, &none), expected, "{places:?} {change:?}");
    }
    let both = Change { is_archived: Some(true), ..change(&["Work"], &[]) };
    assert_eq!(b.after(&[Some(Inbox)], &both, Breadth::Mail, &none), ["Work", "archive"]);
}

#[test]
fn flags_go_along_with_a_mail() {
    let b = Box::usual();
    let mut rows = b.rows(&[Some(Inbox), WORK]);
    rows[1].is_starred = true;
    let change = Change { is_read: Some(true), ..archive(true) };
    let goals = goal(&rows, &change, Breadth::Mail, &b.folders, &Past::default());
    assert!(goals.iter().all(|goal| goal.is_read));
    let there = |role| goals.iter().find(|goal| goal.target == Target::Folder(b.id(role))).unwrap().is_starred;
    assert!(there(WORK) && !there(Some(Archive)));
    let found = steps(&rows, goals);
    assert!(found.contains(&Step::Leave(rows[0].id)));
    assert!(found.contains(&Step::Flags { id: rows[1].id, is_read: true, is_starred: true }));
    assert_eq!(found.len(), 3);
}

#[test]
fn nothing_is_to_be_done_where_everything_is_as_wanted() {
    let b = Box::usual();
    let mut rows = b.rows(&[Some(Inbox), Some(Inbox), WORK]);
    rows[0].is_read = true;
    let goals: Vec<Goal> = goal(&rows, &Change::default(), Breadth::Mail, &b.folders, &Past::default());
    assert!(steps(&rows, goals.into_iter().rev().collect()).is_empty());
}

#[test]
fn of_two_copies_the_one_stays_that_the_provider_has() {
    let b = Box::usual();
    let mut rows = b.rows(&[WORK, WORK]);
    rows[0].arrived = false;
    let goals = vec![Goal { target: Target::Folder(b.id(WORK)), is_read: false, is_starred: false }];
    assert_eq!(steps(&rows, goals), [Step::Leave(rows[0].id)]);
}

#[test]
fn an_undo_restores_what_was_changed_and_leaves_the_rest() {
    let b = Box::usual();
    let place = |role, is_read| FormerPlace { folder: b.id(role), is_read, is_starred: false };
    let former = |places: Vec<FormerPlace>, changed| Former { places, changed };
    let moved = Fields { places: true, ..Fields::default() };
    let read = Fields { is_read: true, ..Fields::default() };
    let goals = |rows: &[Row], former: &Former| former_goal(rows, former, &b.folders, &Past::default());
    let flags = |goals: &[Goal], role| {
        goals.iter().find(|goal| goal.target == Target::Folder(b.id(role))).map(|goal| goal.is_read)
    };

    // Each place gets its own flag again.
    let mut rows = b.rows(&[Some(Archive), WORK]);
    rows[0].is_read = true;
    let before = former(vec![place(Some(Inbox), true), place(WORK, false)], moved);
    let found = goals(&rows, &before);
    assert_eq!((flags(&found, Some(Inbox)), flags(&found, WORK)), (Some(true), Some(false)));

    // What was read since stays read.
    let mut rows = b.rows(&[Some(Archive)]);
    rows[0].is_read = true;
    let found = goals(&rows, &former(vec![place(Some(Inbox), false)], moved));
    assert_eq!((b.names(&found), flags(&found, Some(Inbox))), (vec!["inbox".to_owned()], Some(true)));

    // A flag comes back wherever the mail lies now.
    let mut rows = b.rows(&[Some(Archive)]);
    rows[0].is_read = true;
    let found = goals(&rows, &former(vec![place(Some(Inbox), false)], read));
    assert_eq!((b.names(&found), flags(&found, Some(Archive))), (vec!["archive".to_owned()], Some(false)));

    // A folder that is gone cannot take anything back.
    let gone = FormerPlace { folder: FolderId::new(), is_read: false, is_starred: false };
    assert_eq!(b.names(&goals(&b.rows(&[Some(Trash)]), &former(vec![gone], moved))), ["inbox"]);
}
