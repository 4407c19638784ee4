//! What is to be done at the provider so that it has what is shown here. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ids::{EmailId, FolderId};
use crate::messages::{Fields, Flag, MailDiff, PlaceRow};

/// What is to be done in one folder of the provider, flags first: they travel with a mail that is moved afterwards.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FolderPlan {
    /// Flags to set or clear, with the places that they concern.
    pub stores: BTreeMap<(Flag, bool), Vec<PlaceRow>>,
    /// Mails to move to another folder.
    pub moves: BTreeMap<FolderId, Vec<PlaceRow>>,
    /// Mails to copy to another folder.
    pub copies: BTreeMap<FolderId, Vec<PlaceRow>>,
    /// Mails to take out, since they lie elsewhere too.
    pub removals: Vec<PlaceRow>,
}

/// What is to be done in a mailbox.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// By folder and generation of its numbers.
    pub folders: BTreeMap<(FolderId, u32), FolderPlan>,
    /// Mails that are wanted somewhere and lie nowhere at the provider.
    pub lost: BTreeSet<EmailId>,
    /// Mails that are still to be brought to the provider: where they lie is settled afterwards.
    pub awaited: BTreeSet<EmailId>,
    /// The provider's names of the folders that occur.
    pub names: BTreeMap<FolderId, String>,
}

impl Plan {
    /// Compares both sides, mail by mail; `todo` says which fields of a mail people changed.
    pub fn of(diffs: &[MailDiff], todo: &HashMap<EmailId, Fields>) -> Self {
        let mut plan = Self::default();
        for diff in diffs {
            plan.add(diff, todo.get(&diff.email).copied().unwrap_or_default());
        }
        plan
    }

    fn add(&mut self, diff: &MailDiff, todo: Fields) {
        for place in diff.locations.iter().chain(&diff.departures) {
            self.names.entry(place.folder).or_insert_with(|| place.folder_name.clone());
        }
        for place in diff.locations.iter().filter(|place| place.number.is_some()) {
            self.store(place, place, Fields { is_read: true, is_starred: true, places: false });
        }
        if diff.awaited {
            self.awaited.insert(diff.email);
            return;
        }
        let mut departures: Vec<&PlaceRow> = diff.departures.iter().rev().collect();
        // A place that the provider confirmed waits only for its number.
        let expected = diff.locations.iter().filter(|place| place.number.is_none() && place.settled_at.is_none());
        for wanted in expected {
            if let Some(from) = departures.pop() {
                // A flag that nobody changed here travels as it is at the provider.
                self.store(from, wanted, todo);
                self.folder(from, |folder| folder.moves.entry(wanted.folder).or_default().push(from.clone()));
            } else if let Some(from) = diff.locations.iter().find(|place| place.number.is_some()) {
                self.folder(from, |folder| folder.copies.entry(wanted.folder).or_default().push(from.clone()));
            } else if diff.departures.is_empty() {
                self.lost.insert(diff.email);
            }
            // Else it is copied in the next round, from where it is moved to in this one.
        }
        // Taken out only where the mail lies elsewhere: nothing is ever destroyed that is not also kept.
        let kept = diff.locations.iter().any(|place| place.number.is_some() || place.settled_at.is_some())
            || departures.len() < diff.departures.len();
        for from in departures.into_iter().filter(|_| kept) {
            self.folder(from, |folder| folder.removals.push(from.clone()));
        }
    }

    /// Adds those of the given flags in which the provider's place differs from what is wanted.
    fn store(&mut self, at: &PlaceRow, wanted: &PlaceRow, fields: Fields) {
        for (flag, meant) in [(Flag::Read, fields.is_read), (Flag::Starred, fields.is_starred)] {
            let value = wanted.wanted(flag);
            if meant && at.server(flag) != value {
                self.folder(at, |folder| folder.stores.entry((flag, value)).or_default().push(at.clone()));
            }
        }
    }

    fn folder(&mut self, place: &PlaceRow, add: impl FnOnce(&mut FolderPlan)) {
        if let Some(number) = place.number {
            add(self.folders.entry((place.folder, number.uid_validity)).or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::{AccountId, LocationId};
    use crate::messages::Number;

    fn place(folder: FolderId, uid: Option<u32>) -> PlaceRow {
        PlaceRow {
            id: LocationId::new(),
            email: EmailId::new(),
            folder,
            folder_name: "F".to_owned(),
            number: uid.map(|uid| Number { uid_validity: 1, uid }),
            is_read: false,
            is_starred: false,
            server_read: None,
            server_starred: None,
            mod_seq: None,
            settled_at: None,
            created_at: Timestamp::from_micros(0).unwrap(),
        }
    }

    fn diff(locations: Vec<PlaceRow>, departures: Vec<PlaceRow>) -> MailDiff {
        MailDiff { email: EmailId::new(), account: AccountId::new(), locations, departures, awaited: false }
    }

    fn planned(diffs: &[MailDiff]) -> Plan {
        let all = Fields { is_read: true, is_starred: true, places: true };
        Plan::of(diffs, &diffs.iter().map(|diff| (diff.email, all)).collect())
    }

    #[test]
    fn a_flag_that_nobody_changed_here_is_left_to_the_provider() {
        let (inbox, archive) = (FolderId::new(), FolderId::new());
        let wanted = PlaceRow { is_read: true, ..place(archive, None) };
        let mail = diff(vec![wanted], vec![place(inbox, Some(7))]);
        let todo = HashMap::from([(mail.email, Fields { places: true, ..Fields::default() })]);
        assert!(Plan::of(&[mail], &todo).folders[&(inbox, 1)].stores.is_empty());
    }

    #[test]
    fn a_mail_that_is_still_to_be_brought_there_is_not_lost_and_not_moved() {
        let (drafts, trash) = (FolderId::new(), FolderId::new());
        let mail = MailDiff { awaited: true, ..diff(vec![place(trash, None)], vec![place(drafts, Some(3))]) };
        let plan = planned(std::slice::from_ref(&mail));
        assert!(plan.folders.is_empty() && plan.lost.is_empty());
        assert_eq!(plan.awaited, BTreeSet::from([mail.email]));
    }

    #[test]
    fn a_second_place_for_one_departure_waits_for_the_next_round() {
        let (inbox, archive) = (FolderId::new(), FolderId::new());
        let plan = planned(&[diff(vec![place(inbox, None), place(inbox, None)], vec![place(archive, Some(3))])]);
        assert!(plan.lost.is_empty());
        assert_eq!(plan.folders[&(archive, 1)].moves[&inbox].len(), 1);
    }

    #[test]
    fn a_mail_that_is_as_wanted_needs_nothing() {
        let inbox = FolderId::new();
        let plan = planned(&[diff(vec![place(inbox, Some(1))], vec![])]);
        assert!(plan.folders.is_empty() && plan.lost.is_empty());
    }

    #[test]
    fn a_mail_that_leaves_one_folder_for_another_is_moved_with_its_wanted_flags() {
        let (inbox, archive) = (FolderId::new(), FolderId::new());
        let from = place(inbox, Some(7));
        let wanted = PlaceRow { is_read: true, ..place(archive, None) };
        let plan = planned(&[diff(vec![wanted], vec![from.clone()])]);
        let folder = &plan.folders[&(inbox, 1)];
        assert_eq!(folder.stores[&(Flag::Read, true)], std::slice::from_ref(&from));
        assert_eq!(folder.moves[&archive], [from]);
        assert!(folder.copies.is_empty() && folder.removals.is_empty());
    }

    #[test]
    fn a_label_is_a_copy_and_taking_it_off_takes_only_the_copy() {
        let (inbox, label) = (FolderId::new(), FolderId::new());
        let there = place(inbox, Some(7));
        let plan = planned(&[diff(vec![there.clone(), place(label, None)], vec![])]);
        assert_eq!(plan.folders[&(inbox, 1)].copies[&label], std::slice::from_ref(&there));
        let copy = place(label, Some(3));
        let plan = planned(&[diff(vec![there], vec![copy.clone()])]);
        assert_eq!(plan.folders[&(label, 1)].removals, [copy]);
    }

    #[test]
    fn the_last_place_of_a_mail_is_never_taken_out() {
        let inbox = FolderId::new();
        let plan = planned(&[diff(vec![], vec![place(inbox, Some(7))])]);
        assert!(plan.folders.is_empty());
    }

    #[test]
    fn a_mail_that_was_brought_there_waits_for_its_number_and_one_without_a_source_is_lost() {
        let archive = FolderId::new();
        let settled = PlaceRow { settled_at: Timestamp::from_micros(1), ..place(archive, None) };
        let waiting = planned(&[diff(vec![settled], vec![])]);
        assert!(waiting.folders.is_empty() && waiting.lost.is_empty());
        let mail = diff(vec![place(archive, None)], vec![]);
        let email = mail.email;
        assert!(planned(&[mail]).lost.contains(&email));
    }
}
