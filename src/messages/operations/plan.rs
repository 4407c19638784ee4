//! Decides what a change makes of the places of one mail; pure, so that every rule can be tested by itself.
//!
//! A change yields a [`Goal`]: where the mail is to lie, with which flags. [`steps`] compares the goal with the places that
//! are there. The same comparison serves an undo, whose goal is the former state.

use super::model::{Change, Fields, Former, FormerPlace};
use crate::ids::{FolderId, LocationId};
use crate::messages::model::FolderRole;

/// A place of a mail as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub id: LocationId,
    pub folder: FolderId,
    pub role: Option<FolderRole>,
    /// Whether the provider has the mail there, as far as we know.
    pub arrived: bool,
    pub is_read: bool,
    pub is_starred: bool,
}

/// A folder that may not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    Folder(FolderId),
    /// The folder for a purpose, made when absent.
    Role(FolderRole),
    /// The folder of a label, made when absent.
    Label(String),
}

/// Where a mail is to lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Goal {
    pub target: Target,
    pub is_read: bool,
    pub is_starred: bool,
}

/// One thing to do with the places of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The mail leaves this place.
    Leave(LocationId),
    /// The mail comes to this folder.
    Expect(Goal),
    /// The mail stays, with other flags.
    Flags { id: LocationId, is_read: bool, is_starred: bool },
}

/// What is known of a mailbox's folders.
#[derive(Debug, Clone, Default)]
pub(super) struct Folders {
    pub known: Vec<Known>,
}

/// A folder that exists.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub id: FolderId,
    pub name: String,
    pub role: Option<FolderRole>,
}

impl Folders {
    /// The folder for a purpose.
    pub fn of_role(&self, role: FolderRole) -> Option<FolderId> {
        self.known.iter().find(|folder| folder.role == Some(role)).map(|folder| folder.id)
    }

    /// The folder of a label: below the folder that holds all others, where there is one.
    pub fn named(&self, name: &str) -> Option<&Known> {
        let exact = self.known.iter().find(|folder| folder.name == name);
        exact.or_else(|| self.known.iter().find(|folder| folder.name.strip_prefix("INBOX/") == Some(name)))
    }

    /// What a folder is for.
    pub fn role(&self, id: FolderId) -> Option<FolderRole> {
        self.known.iter().find(|folder| folder.id == id).and_then(|folder| folder.role)
    }

    fn exists(&self, id: FolderId) -> bool {
        self.known.iter().any(|folder| folder.id == id)
    }

    fn target(&self, role: FolderRole) -> Target {
        self.of_role(role).map_or(Target::Role(role), Target::Folder)
    }

    /// Where archived mail lies: some servers have a view of all mail in the place of an archive.
    fn archive(&self) -> Target {
        let view = || self.of_role(FolderRole::All).map(Target::Folder);
        match self.of_role(FolderRole::Archive) {
            Some(id) => Target::Folder(id),
            None => view().unwrap_or(Target::Role(FolderRole::Archive)),
        }
    }

    fn label(&self, name: &str) -> Target {
        self.named(name).map_or_else(|| Target::Label(name.to_owned()), |folder| Target::Folder(folder.id))
    }
}

/// What beside its places counts for a mail.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub is_outbound: bool,
    pub is_draft: bool,
    /// Where it lay before it was last archived here.
    pub before_archive: Option<Vec<FormerPlace>>,
    /// Where it lay before it was last trashed here.
    pub before_trash: Option<Vec<FormerPlace>>,
}

/// How widely a change was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breadth {
    /// This very mail.
    Mail,
    /// All of a conversation of which some mail lies in the inbox: only those go to the archive.
    Inbox,
    /// All of a conversation of which no mail lies in the inbox: sent mail stays where it is.
    Thread,
}

/// Where a mail is to lie after a change.
pub(super) fn goal(rows: &[Row], change: &Change, breadth: Breadth, folders: &Folders, past: &Past) -> Vec<Goal> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.is_read = change.is_read.unwrap_or(row.is_read);
        row.is_starred = change.is_starred.unwrap_or(row.is_starred);
    }
    let mut goals = match (change.folder_id, change.is_archived, change.trash) {
        (Some(folder), _, _) => moved(&rows, folder, change.from_folder_id),
        (_, Some(true), _) => archived(&rows, breadth, folders),
        (_, Some(false), _) => unarchived(&rows, folders, past),
        (_, _, Some(true)) => trashed(&rows, folders),
        (_, _, Some(false)) => untrashed(&rows, folders, past),
        _ => rows.iter().map(Row::stays).collect(),
    };
    label(&mut goals, change, folders);
    goals
}

impl Row {
    fn stays(&self) -> Goal {
        Goal { target: Target::Folder(self.folder), is_read: self.is_read, is_starred: self.is_starred }
    }

    fn is(&self, role: FolderRole) -> bool {
        self.role == Some(role)
    }
}

/// Takes the rows that fit away and puts one place there instead, if any did.
fn gather(rows: &[Row], to: &Target, leaves: impl Fn(&Row) -> bool) -> Vec<Goal> {
    let (gone, left): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| leaves(row));
    let mut goals: Vec<Goal> = left.into_iter().map(Row::stays).collect();
    if !gone.is_empty() && !goals.iter().any(|goal| goal.target == *to) {
        goals.push(at(to.clone(), &gone));
    }
    goals
}

/// A place with the flags of those that it replaces: read and starred when any is.
fn at(target: Target, rows: &[&Row]) -> Goal {
    Goal { target, is_read: rows.iter().any(|row| row.is_read), is_starred: rows.iter().any(|row| row.is_starred) }
}

fn moved(rows: &[Row], to: FolderId, from: Option<FolderId>) -> Vec<Goal> {
    let in_inbox = rows.iter().any(|row| row.is(FolderRole::Inbox));
    gather(rows, &Target::Folder(to), |row| {
        let meant = match from {
            Some(from) => row.folder == from,
            None if in_inbox => row.is(FolderRole::Inbox),
            None => !row.is(FolderRole::All),
        };
        meant && row.folder != to
    })
}

/// Which places an archived mail leaves.
fn goes_to_archive(role: Option<FolderRole>, in_inbox: bool, breadth: Breadth) -> bool {
    use FolderRole::{All, Archive, Drafts, Inbox, Sent, Spam, Trash};
    match role {
        Some(Inbox) => true,
        Some(Trash | Spam | Drafts | Archive | All) => false,
        Some(Sent) => !in_inbox && breadth == Breadth::Mail,
        _ => !in_inbox && breadth != Breadth::Inbox,
    }
}

fn archived(rows: &[Row], breadth: Breadth, folders: &Folders) -> Vec<Goal> {
    let in_inbox = rows.iter().any(|row| row.is(FolderRole::Inbox));
    gather(rows, &folders.archive(), |row| goes_to_archive(row.role, in_inbox, breadth))
}

fn unarchived(rows: &[Row], folders: &Folders, past: &Past) -> Vec<Goal> {
    let (put_away, left): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is(FolderRole::Archive));
    let in_view = rows.iter().any(|row| row.is(FolderRole::All));
    let at_work = |row: &Row| row.is(FolderRole::Inbox) || row.is(FolderRole::Sent) || row.is(FolderRole::Drafts);
    // What lies where mail is worked on counts as not archived.
    if rows.iter().any(at_work) || (put_away.is_empty() && !in_view) {
        return rows.iter().map(Row::stays).collect();
    }
    let came_from = past.before_archive.as_deref().map(|before| {
        let in_inbox = before.iter().any(|place| folders.role(place.folder) == Some(FolderRole::Inbox));
        let moved = |place: &&FormerPlace| goes_to_archive(folders.role(place.folder), in_inbox, Breadth::Mail);
        before.iter().filter(moved).map(|place| place.folder).collect()
    });
    let flags = if put_away.is_empty() { &left } else { &put_away };
    come_back(&left, flags, came_from, folders, past)
}

fn trashed(rows: &[Row], folders: &Folders) -> Vec<Goal> {
    let trash = folders.target(FolderRole::Trash);
    let (there, leaving): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is(FolderRole::Trash));
    let mut goals: Vec<Goal> = there.into_iter().map(Row::stays).collect();
    // The view of all mail is no copy: what leaves the other places leaves it too.
    let copies: Vec<&Row> = leaving.iter().copied().filter(|row| !row.is(FolderRole::All)).collect();
    let copies = if copies.is_empty() { leaving } else { copies };
    goals.extend(copies.into_iter().map(|row| at(trash.clone(), &[row])));
    goals
}

fn untrashed(rows: &[Row], folders: &Folders, past: &Past) -> Vec<Goal> {
    let (trashed, left): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is(FolderRole::Trash));
    if trashed.is_empty() {
        return rows.iter().map(Row::stays).collect();
    }
    let came_from = past.before_trash.as_deref().map(|before| {
        let elsewhere = |place: &&FormerPlace| folders.role(place.folder) != Some(FolderRole::Trash);
        before.iter().filter(elsewhere).map(|place| place.folder).collect()
    });
    come_back(&left, &trashed, came_from, folders, past)
}

/// Where a mail lies that was put away and comes back: where it came from, as far as it does not lie there now, or where
/// such a mail belongs.
fn come_back(
    left: &[&Row],
    flags: &[&Row],
    came_from: Option<Vec<FolderId>>,
    folders: &Folders,
    past: &Past,
) -> Vec<Goal> {
    let mut goals: Vec<Goal> = left.iter().map(|row| row.stays()).collect();
    let mut here: Vec<FolderId> = left.iter().map(|row| row.folder).collect();
    let mut added = false;
    for folder in came_from.unwrap_or_default().into_iter().filter(|folder| folders.exists(*folder)) {
        added = true;
        if let Some(known) = here.iter().position(|known| *known == folder) {
            here.swap_remove(known);
        } else {
            goals.push(at(Target::Folder(folder), flags));
        }
    }
    if !added {
        let home = home(folders, past);
        if !goals.iter().any(|goal| goal.target == home) {
            goals.push(at(home, flags));
        }
    }
    goals
}

/// Where a mail belongs of which nothing else is known.
fn home(folders: &Folders, past: &Past) -> Target {
    let special = match (past.is_draft, past.is_outbound) {
        (true, _) => folders.of_role(FolderRole::Drafts),
        (false, true) => folders.of_role(FolderRole::Sent),
        _ => None,
    };
    special.map_or_else(|| folders.target(FolderRole::Inbox), Target::Folder)
}

fn label(goals: &mut Vec<Goal>, change: &Change, folders: &Folders) {
    let flags = (goals.iter().any(|goal| goal.is_read), goals.iter().any(|goal| goal.is_starred));
    let lay_somewhere = !goals.is_empty();
    let place = |target| Goal { target, is_read: flags.0, is_starred: flags.1 };
    for name in &change.add_labels {
        let target = folders.label(name);
        if !goals.iter().any(|goal| goal.target == target) {
            goals.push(place(target));
        }
    }
    for name in &change.remove_labels {
        let target = folders.label(name);
        goals.retain(|goal| goal.target != target);
    }
    if goals.is_empty() && lay_somewhere {
        goals.push(place(folders.archive()));
    }
}

/// Where a mail lay before an operation, for its undo. Only what the operation changed comes back.
pub(super) fn former_goal(rows: &[Row], former: &Former, folders: &Folders, past: &Past) -> Vec<Goal> {
    let there = former.places.iter().filter(|place| folders.exists(place.folder)).copied();
    let mut left: Vec<FormerPlace> = there.collect();
    if former.changed.places {
        let mut goals = returned(rows, left, former.changed);
        if goals.is_empty() {
            goals.push(at(home(folders, past), &rows.iter().collect::<Vec<_>>()));
        }
        return goals;
    }
    let flagged = |row: &Row| {
        let same = left.iter().position(|place| place.folder == row.folder);
        let before = same.map(|found| left.swap_remove(found)).map_or_else(
            || (former.places.iter().any(|place| place.is_read), former.places.iter().any(|place| place.is_starred)),
            |place| (place.is_read, place.is_starred),
        );
        Goal {
            is_read: if former.changed.is_read { before.0 } else { row.is_read },
            is_starred: if former.changed.is_starred { before.1 } else { row.is_starred },
            ..row.stays()
        }
    };
    rows.iter().map(flagged).collect()
}

/// The former places. A flag that the operation did not touch keeps the value that it has now, if it was changed since.
fn returned(rows: &[Row], places: Vec<FormerPlace>, changed: Fields) -> Vec<Goal> {
    let read_now = rows.iter().any(|row| row.is_read);
    let starred_now = rows.iter().any(|row| row.is_starred);
    let read_since = !changed.is_read && places.iter().any(|place| place.is_read) != read_now;
    let starred_since = !changed.is_starred && places.iter().any(|place| place.is_starred) != starred_now;
    let goal = |place: FormerPlace| Goal {
        target: Target::Folder(place.folder),
        is_read: if read_since { read_now } else { place.is_read },
        is_starred: if starred_since { starred_now } else { place.is_starred },
    };
    places.into_iter().map(goal).collect()
}

/// What is to be done so that a mail lies where it is meant to.
pub(super) fn steps(rows: &[Row], goals: Vec<Goal>) -> Vec<Step> {
    // Of several copies in one folder those stay first that the provider has, and first those that need no other flags.
    let mut left: Vec<&Row> = rows.iter().collect();
    left.sort_by_key(|row| !row.arrived);
    let mut steps = Vec::new();
    let mut expected = Vec::new();
    let mut unmatched = Vec::new();
    for goal in goals {
        let same = |row: &&Row| row.stays() == goal;
        match left.iter().position(same) {
            Some(found) => {
                left.remove(found);
            }
            None => unmatched.push(goal),
        }
    }
    for goal in unmatched {
        match left.iter().position(|row| goal.target == Target::Folder(row.folder)) {
            Some(found) => {
                let row = left.remove(found);
                steps.push(Step::Flags { id: row.id, is_read: goal.is_read, is_starred: goal.is_starred });
            }
            None => expected.push(Step::Expect(goal)),
        }
    }
    steps.extend(left.into_iter().map(|row| Step::Leave(row.id)));
    steps.extend(expected);
    steps
}
