//! What a round tells, made from the mailbox as it is and from what happened to it.

use super::rounds::Round;
use crate::graph::errors::ApiError;
use crate::graph::ids::Kind;
use crate::graph::model::{Mailbox, Reason, What};
use crate::graph::switches::Settings;
use crate::shared::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Which kinds of change are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// What came.
    pub created: bool,
    /// What changed.
    pub updated: bool,
    /// What went.
    pub deleted: bool,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { created: true, updated: true, deleted: true }
    }
}

impl Kinds {
    /// Reads `changeType`.
    pub fn read(text: Option<&str>) -> Result<Self, ApiError> {
        match text.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(Self::default()),
            Some("created") => Ok(Self { created: true, updated: false, deleted: false }),
            Some("updated") => Ok(Self { created: false, updated: true, deleted: false }),
            Some("deleted") => Ok(Self { created: false, updated: false, deleted: true }),
            Some(other) => Err(ApiError::bad_request(format!("The changeType '{other}' is not supported."))),
        }
    }
}

/// One thing that is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A mail with all that was asked for.
    Whole(u64),
    /// A mail with these properties alone.
    Part(u64, Vec<&'static str>),
    /// A mail that is no longer here: its key, and the number it had.
    Gone(u64, u64, Reason),
    /// A folder.
    Folder(u64),
    /// A folder that is gone.
    FolderGone(u64),
}

/// What happened to one mail since, in one folder.
#[derive(Default)]
struct Fate {
    is_inside: bool,
    entered: bool,
    properties: BTreeSet<&'static str>,
    left: Vec<(u64, Reason)>,
    last: u64,
}

/// What the round after this one tells: everything that changed since and may be seen by now.
pub fn since(mailbox: &Mailbox, before: &Round, now: i64, kind: Kind, settings: &Settings) -> (Vec<Item>, u64) {
    let mut fates: BTreeMap<u64, Fate> = BTreeMap::new();
    let mut reaches = before.reaches;
    let start = mailbox.changes.partition_point(|change| change.number <= before.reaches);
    for change in mailbox.changes.iter().skip(start).take_while(|change| change.visible_from <= now) {
        reaches = change.number;
        let (What::Entered { mail, folder, .. } | What::Changed { mail, folder, .. } | What::Left { mail, folder, .. }) =
            &change.what
        else {
            continue;
        };
        if *folder != before.folder {
            continue;
        }
        let fate = fates.entry(*mail).or_insert_with(|| Fate { is_inside: true, ..Fate::default() });
        fate.last = change.number;
        match &change.what {
            What::Entered { .. } => (fate.is_inside, fate.entered) = (true, true),
            What::Changed { properties, .. } => fate.properties.extend(properties.iter().copied()),
            What::Left { place, reason, .. } => {
                fate.is_inside = false;
                fate.left.push((*place, *reason));
            }
            What::Folder { .. } => {}
        }
    }
    let mut told = Vec::new();
    for (key, fate) in fates.into_iter().filter(|(_, fate)| !before.is_lossy || fate.last.is_multiple_of(2)) {
        // A mail that came back is another one to those who know it by its place.
        let gone = if kind == Kind::Lasting { usize::from(!fate.is_inside) } else { fate.left.len() };
        told.extend(fate.left.iter().rev().take(gone).map(|(place, reason)| Item::Gone(key, *place, *reason)));
        if !fate.is_inside {
            continue;
        }
        told.push(if fate.entered {
            Item::Whole(key)
        } else if fate.properties.iter().all(|name| *name == "isRead") {
            // Toggling what was read is told by itself, however much was selected.
            Item::Part(key, vec!["isRead"])
        } else if settings.delta_partial.applies(fate.last) {
            Item::Part(key, fate.properties.into_iter().collect())
        } else {
            Item::Whole(key)
        });
    }
    (told, reaches)
}

/// Everything in a folder, and the number of the last change that it takes in.
pub fn snapshot(mailbox: &Mailbox, folder: u64, now: i64) -> (Vec<Item>, u64) {
    let reaches =
        mailbox.changes.iter().rev().find(|change| change.visible_from <= now).map_or(0, |change| change.number);
    // What came too lately to be seen is told by a later round.
    let hidden: BTreeSet<u64> = mailbox
        .changes
        .iter()
        .rev()
        .take_while(|change| change.visible_from > now)
        .filter_map(|change| match change.what {
            What::Entered { mail, .. } => Some(mail),
            _ => None,
        })
        .collect();
    let inside = mailbox.mails.values().filter(|mail| mail.folder == folder && !hidden.contains(&mail.key));
    (inside.map(|mail| Item::Whole(mail.key)).collect(), reaches)
}

/// A mail that left the folder before the round began.
pub fn one_that_left(mailbox: &Mailbox, folder: u64, now: i64) -> Option<Item> {
    mailbox.changes.iter().rev().filter(|change| change.visible_from <= now).find_map(|change| match change.what {
        What::Left { mail, place, folder: at, reason } if at == folder => {
            let is_back = mailbox.mails.get(&mail).is_some_and(|mail| mail.folder == folder);
            (!is_back).then_some(Item::Gone(mail, place, reason))
        }
        _ => None,
    })
}

/// Cuts items into pages and does to them what the real service sometimes does.
pub fn pages(
    mut items: Vec<Item>,
    size: usize,
    round: u64,
    keeps_order: bool,
    settings: &Settings,
    random: &Random,
) -> Vec<Vec<Item>> {
    if settings.delta_shuffles.applies(round) && !keeps_order {
        for place in (1..items.len()).rev() {
            let other = usize::try_from(random.next() % (place as u64 + 1)).unwrap_or(0);
            items.swap(place, other);
        }
    }
    if settings.delta_repeats.applies(round)
        && let Some(first) = items.first().cloned()
    {
        items.push(first);
    }
    let mut pages: Vec<Vec<Item>> = items.chunks(size.max(1)).map(<[Item]>::to_vec).collect();
    if pages.is_empty() {
        pages.push(Vec::new());
    }
    if settings.delta_empty_pages.applies(round) {
        let at = usize::try_from(random.next() % pages.len() as u64).unwrap_or(0);
        pages.insert(at, Vec::new());
    }
    pages
}
