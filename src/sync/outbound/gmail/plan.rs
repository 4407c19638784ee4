//! Which labels mails are to get and to lose, so that Gmail has them as they are shown here. Pure.
//!
//! A mail at Gmail is one thing with labels. Trash and spam hide it from everywhere else: labels that it has beside stay on
//! it and show again when it comes out. The view of all mail is no label, and what lies among drafts and sent mails is not
//! for anybody to say but Gmail.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ids::EmailId;
use crate::messages::{Carried, Fields, Flag, MailDiff, PlaceRow};
use crate::sync::gmail::{STARRED, UNREAD, VIEW};

/// Labels that nobody can give or take away.
const FIXED: [&str; 2] = ["SENT", "DRAFT"];

/// The label of what was thrown away.
pub(super) const TRASH: &str = "TRASH";

/// Labels that hide a mail from everywhere else.
const HIDING: [&str; 2] = [TRASH, "SPAM"];

/// Where new mail lies; what is hidden leaves it.
const INBOX: &str = "INBOX";

/// Labels to give and to take away.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub add: BTreeSet<String>,
    pub remove: BTreeSet<String>,
}

impl Change {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Every label that occurs.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.add.iter().chain(&self.remove).map(String::as_str)
    }

    /// Whether mails go into the trash or come out of it.
    pub fn is_about_trash(&self) -> bool {
        self.labels().any(|label| label == TRASH)
    }

    /// What of it is about flags.
    fn flags(&self) -> Self {
        let flags = |labels: &BTreeSet<String>| {
            labels.iter().filter(|label| matches!(label.as_str(), UNREAD | STARRED)).cloned().collect()
        };
        Self { add: flags(&self.add), remove: flags(&self.remove) }
    }
}

/// What is to be done with one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// Its id at Gmail.
    pub id: String,
    /// The labels.
    pub change: Change,
    /// What is so when it is done.
    pub done: Carried,
    /// Whether it comes out of trash or spam, where labels show again of which nothing is known here.
    pub reveals: bool,
    /// Whether it is a draft: every change of its text gives it another id.
    pub is_draft: bool,
}

impl Task {
    /// The same without what cannot be done about places.
    pub fn only_flags(mut self) -> Self {
        self.change = self.change.flags();
        self.done.into.clear();
        self.done.out_of.clear();
        self.reveals = false;
        self
    }
}

/// What is to be done in a mailbox.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub tasks: Vec<Task>,
    /// Mails that are still to be brought to the provider.
    pub awaited: Vec<EmailId>,
    /// Mails of which something is wanted that nobody can do.
    pub fixed: Vec<EmailId>,
}

impl Plan {
    /// Compares both sides, mail by mail. `todo` says which fields of a mail people changed, `blocked` which mails cannot be
    /// brought to where they are wanted.
    pub fn of(diffs: &[MailDiff], todo: &HashMap<EmailId, Fields>, blocked: impl Fn(EmailId) -> bool) -> Self {
        let mut plan = Self::default();
        for diff in diffs {
            let mut task = flags(diff, todo.get(&diff.email).copied().unwrap_or_default());
            if diff.awaited {
                plan.awaited.push(diff.email);
            } else if !blocked(diff.email) && !places(diff, &mut task) {
                plan.fixed.push(diff.email);
                task = task.only_flags();
            }
            if !task.change.is_empty() || !task.done.is_empty() {
                plan.tasks.push(task);
            }
        }
        plan
    }
}

/// The tasks by what is to be done: the same for many mails is one call.
pub(super) fn grouped(tasks: Vec<Task>) -> BTreeMap<(Change, bool), Vec<Task>> {
    let mut groups: BTreeMap<(Change, bool), Vec<Task>> = BTreeMap::new();
    for task in tasks {
        groups.entry((task.change.clone(), task.reveals)).or_default().push(task);
    }
    groups
}

/// What is to be done about flags.
fn flags(diff: &MailDiff, todo: Fields) -> Task {
    let mut task = Task {
        id: diff.external_id.clone(),
        change: Change::default(),
        done: Carried::of(diff.email),
        reveals: false,
        is_draft: diff.locations.iter().chain(&diff.departures).any(|place| place.folder_name == FIXED[1]),
    };
    if let Some(read) = differs(diff, Flag::Read, todo.is_read) {
        let labels = if read { &mut task.change.remove } else { &mut task.change.add };
        labels.insert(UNREAD.to_owned());
        task.done.is_read = Some(read);
    }
    if let Some(starred) = differs(diff, Flag::Starred, todo.is_starred) {
        let labels = if starred { &mut task.change.add } else { &mut task.change.remove };
        labels.insert(STARRED.to_owned());
        task.done.is_starred = Some(starred);
    }
    task
}

/// What is wanted of a flag, where Gmail has something else.
fn differs(diff: &MailDiff, flag: Flag, is_changed: bool) -> Option<bool> {
    let there = || diff.locations.iter().filter(|place| place.number.is_some());
    // What was changed here has the provider's word beside it.
    let shielded = there().find(|place| place.server(flag) != place.wanted(flag));
    if let Some(place) = shielded {
        return Some(place.wanted(flag));
    }
    // A place that the mail is still to come to has none.
    let coming = diff.locations.iter().filter(|place| place.number.is_none());
    let wanted = coming.map(|place| place.wanted(flag)).reduce(|one, other| one || other).filter(|_| is_changed)?;
    let truth = there().chain(&diff.departures).map(|place| place.server(flag)).next();
    (truth != Some(wanted)).then_some(wanted)
}

/// Adds what is to be done about places; answers whether all of it can be done.
fn places(diff: &MailDiff, task: &mut Task) -> bool {
    // A mail that is wanted nowhere was discarded: that is for those to carry out who did so.
    if diff.locations.is_empty() {
        return true;
    }
    let is_hiding = |place: &&PlaceRow| HIDING.contains(&place.folder_name.as_str());
    let is_hidden = diff.locations.iter().any(|place| is_hiding(&place));
    task.reveals = !is_hidden && diff.departures.iter().any(|place| is_hiding(&place));
    let expected = diff.locations.iter().filter(|place| place.number.is_none() && place.settled_at.is_none());
    for place in expected {
        match place.folder_name.as_str() {
            VIEW if is_hidden => return false,
            VIEW => {}
            // Gmail will say whether it is there.
            label if FIXED.contains(&label) && task.reveals => continue,
            label if FIXED.contains(&label) => return false,
            label => {
                task.change.add.insert(label.to_owned());
            }
        }
        task.done.into.insert(place.folder);
    }
    for place in &diff.departures {
        let is_back = diff.locations.iter().any(|other| other.folder == place.folder);
        match place.folder_name.as_str() {
            _ if is_back => {}
            label if label == VIEW || FIXED.contains(&label) => {
                if !is_hidden {
                    return false;
                }
            }
            label if is_hidden && label != INBOX && !HIDING.contains(&label) => {}
            label => {
                task.change.remove.insert(label.to_owned());
            }
        }
        task.done.out_of.insert(place.folder);
    }
    true
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod plan_tests;
