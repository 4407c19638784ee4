//! What becomes of the places of a mail when its provider has done with the mail as a whole what was asked for; pure.
//!
//! A person or the sync may have changed the places since the differences were read. What is wanted now is kept: the next
//! look at the differences shows what is left to be done.

use std::collections::BTreeSet;

use super::model::{Carried, Fields, Number};
use super::store::places::{Departure, Flags, Location, differing};
use crate::clock::Timestamp;
use crate::ids::{AccountId, FolderId, LocationId};

/// The places of a mail on both sides.
pub(super) struct Books {
    pub account: AccountId,
    /// Its number in the mailbox.
    pub number: Number,
    pub here: Vec<Location>,
    pub leaving: Vec<Departure>,
    /// What people changed of it that is still to be carried out.
    pub pending: Fields,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Places that are others now.
    pub rows: Vec<Location>,
    /// Departures that are others now, or new.
    pub departures: Vec<Departure>,
    /// Places that are no more.
    pub dead: Vec<LocationId>,
    /// Departures that are over.
    pub left: Vec<LocationId>,
    /// Whether people see something else of the mail.
    pub shows: bool,
}

impl Settled {
    /// Adds what is to be written for another mail.
    pub fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.departures.extend(other.departures);
        self.dead.extend(other.dead);
        self.left.extend(other.left);
    }
}

/// Settles the places of one mail.
pub(super) fn settle(books: Books, done: &Carried, now: Timestamp) -> Settled {
    let truth = books.truth(done);
    let Books { account, number, mut here, leaving, pending } = books;
    let mut settled = Settled::default();
    let mut covered: BTreeSet<FolderId> = BTreeSet::new();
    // What the provider has comes before what is expected.
    here.sort_by_key(|row| row.uid.is_none());
    for mut row in here {
        let is_there = done.into.contains(&row.folder_id);
        let before = (row.uid, row.wanted(), row.truth());
        if row.uid.is_some() {
            if done.out_of.contains(&row.folder_id) && !is_there {
                row.wait_again();
            } else {
                row.follow(done);
            }
        } else if is_there && covered.contains(&row.folder_id) {
            // The sync was faster, or it was expected twice: the mail lies there once.
            settled.dead.push(row.id);
            continue;
        } else if is_there {
            row.arrive(number, truth, pending);
        }
        covered.insert(row.folder_id);
        if before != (row.uid, row.wanted(), row.truth()) {
            settled.shows |= before.1 != row.wanted();
            settled.rows.push(row);
        }
    }
    for mut row in leaving {
        if done.out_of.contains(&row.folder_id) && !done.into.contains(&row.folder_id) {
            settled.left.push(row.id);
            continue;
        }
        covered.insert(row.folder_id);
        let told = (done.is_read.unwrap_or(row.is_read), done.is_starred.unwrap_or(row.is_starred));
        if told != row.truth() {
            (row.is_read, row.is_starred) = told;
            settled.departures.push(row);
        }
    }
    // Nobody wants it there any more: it is to leave again.
    let unwanted = done.into.iter().filter(|folder| !covered.contains(folder));
    settled.departures.extend(unwanted.map(|folder| Departure {
        id: LocationId::new(),
        email_id: done.email,
        folder_id: *folder,
        account_id: account,
        uid: number.uid.into(),
        uid_validity: number.uid_validity.into(),
        mod_seq: None,
        is_read: truth.0,
        is_starred: truth.1,
        created_at: now,
    }));
    settled
}

impl Books {
    /// The flags that the provider has after the change.
    fn truth(&self, done: &Carried) -> Flags {
        let here = self.here.iter().filter(|row| row.uid.is_some()).map(Location::truth);
        let before = here.chain(self.leaving.iter().map(Departure::truth)).next();
        let wanted = || self.here.first().map(Location::wanted).unwrap_or_default();
        let before = before.unwrap_or_else(wanted);
        (done.is_read.unwrap_or(before.0), done.is_starred.unwrap_or(before.1))
    }
}

impl Location {
    /// It was left and called back meanwhile: the mail is wanted here again, and must be brought back.
    fn wait_again(&mut self) {
        (self.uid, self.uid_validity, self.mod_seq) = (None, None, None);
        (self.server_read, self.server_starred, self.settled_at) = (None, None, None);
    }

    /// The provider has other flags. One that a person changed keeps its value, another follows.
    fn follow(&mut self, done: &Carried) {
        let follow = |told: Option<bool>, wanted: &mut bool, server: &mut Option<bool>| {
            let Some(told) = told else { return };
            match server {
                Some(_) => *server = Some(told).filter(|told| told != wanted),
                None => *wanted = told,
            }
        };
        follow(done.is_read, &mut self.is_read, &mut self.server_read);
        follow(done.is_starred, &mut self.is_starred, &mut self.server_starred);
    }

    /// The mail lies here now. A flag that nobody wants to change follows the provider.
    fn arrive(&mut self, number: Number, truth: Flags, pending: Fields) {
        if !pending.is_read {
            self.is_read = truth.0;
        }
        if !pending.is_starred {
            self.is_starred = truth.1;
        }
        (self.server_read, self.server_starred) = differing(truth, self.wanted());
        self.uid = Some(number.uid.into());
        self.uid_validity = Some(number.uid_validity.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EmailId;

    const NUMBER: Number = Number { uid_validity: 1, uid: 7 };

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn row(folder: FolderId, arrived: bool) -> Location {
        let expected = Location::expected((EmailId::new(), AccountId::new(), at(0)), folder, (false, false), at(0));
        Location { uid: arrived.then_some(7), uid_validity: arrived.then_some(1), ..expected }
    }

    fn done(into: &[FolderId], out_of: &[FolderId]) -> Carried {
        let folders = |ids: &[FolderId]| ids.iter().copied().collect();
        Carried { into: folders(into), out_of: folders(out_of), ..Carried::of(EmailId::new()) }
    }

    fn settled(here: Vec<Location>, leaving: Vec<Location>, done: &Carried, pending: Fields) -> Settled {
        let leaving = leaving.iter().filter_map(|row| row.leave(at(0))).collect();
        settle(Books { account: AccountId::new(), number: NUMBER, here, leaving, pending }, done, at(1))
    }

    #[test]
    fn what_was_expected_is_there_and_what_was_to_be_left_is_not() {
        let (inbox, label) = (FolderId::new(), FolderId::new());
        let found =
            settled(vec![row(label, false)], vec![row(inbox, true)], &done(&[label], &[inbox]), Fields::default());
        assert_eq!(found.rows[0].number(), Some(NUMBER));
        assert_eq!((found.rows.len(), found.left.len(), found.dead.len(), found.departures.len()), (1, 1, 0, 0));
        assert!(!found.shows);
    }

    #[test]
    fn what_a_person_changed_meanwhile_is_still_wanted() {
        let (inbox, label) = (FolderId::new(), FolderId::new());
        // Called back: it must be brought there again.
        let back = settled(vec![row(inbox, true)], vec![], &done(&[], &[inbox]), Fields::default());
        assert_eq!((back.rows[0].uid, back.left.len()), (None, 0));
        // Not wanted any more where it was brought.
        let away = settled(vec![row(inbox, true)], vec![], &done(&[label], &[]), Fields::default());
        assert_eq!((away.departures[0].folder_id, away.departures[0].number()), (label, Some(NUMBER)));
        // A flag that was changed again keeps its value, and the provider's word stands beside it.
        let flagged = Location { is_read: false, server_read: Some(false), ..row(inbox, true) };
        let read = Carried { is_read: Some(true), ..done(&[], &[]) };
        let kept = settled(vec![flagged], vec![], &read, Fields::default());
        assert_eq!((kept.rows[0].is_read, kept.rows[0].server_read), (false, Some(true)));
    }

    #[test]
    fn a_flag_that_is_carried_out_loses_its_shield() {
        let inbox = FolderId::new();
        let flagged = Location { is_read: true, server_read: Some(false), ..row(inbox, true) };
        let read = Carried { is_read: Some(true), ..done(&[], &[]) };
        let found = settled(vec![flagged], vec![], &read, Fields::default());
        assert_eq!((found.rows[0].is_read, found.rows[0].server_read), (true, None));
        assert!(settled(vec![row(inbox, true)], vec![], &done(&[], &[]), Fields::default()).rows.is_empty());
    }

    #[test]
    fn a_mail_lies_in_a_folder_once() {
        let trash = FolderId::new();
        let rows = vec![row(trash, false), row(trash, true), row(trash, false)];
        let found = settled(rows, vec![], &done(&[trash], &[]), Fields::default());
        assert_eq!((found.dead.len(), found.rows.len()), (2, 0));
    }

    #[test]
    fn flags_of_a_new_place_are_the_providers_unless_a_person_changed_them() {
        let (inbox, all) = (FolderId::new(), FolderId::new());
        let there = Location { is_read: true, ..row(all, true) };
        let wanted = Location { is_starred: true, ..row(inbox, false) };
        let pending = Fields { is_starred: true, ..Fields::default() };
        let found = settled(vec![there, wanted], vec![], &done(&[inbox], &[]), pending);
        let new = &found.rows[0];
        assert_eq!((new.is_read, new.server_read), (true, None));
        assert_eq!((new.is_starred, new.server_starred), (true, Some(false)));
        assert!(found.shows);
    }
}
