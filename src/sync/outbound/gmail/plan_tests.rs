use super::*;
use crate::clock::Timestamp;
use crate::ids::{AccountId, FolderId, LocationId};
use crate::messages::Number;

const ALL: Fields = Fields { is_read: true, is_starred: true, places: true };
const PLACES: Fields = Fields { places: true, is_read: false, is_starred: false };

fn folder(label: &str) -> FolderId {
    // The same label has the same folder in one test.
    let digits = label.bytes().fold(0_u128, |sum, byte| sum * 257 + u128::from(byte));
    FolderId::from_uuid(uuid::Uuid::from_u128(digits))
}

fn place(label: &str, arrived: bool) -> PlaceRow {
    PlaceRow {
        id: LocationId::new(),
        email: EmailId::new(),
        folder: folder(label),
        folder_name: label.to_owned(),
        number: arrived.then_some(Number { uid_validity: 1, uid: 7 }),
        is_read: false,
        is_starred: false,
        server_read: None,
        server_starred: None,
        mod_seq: None,
        settled_at: None,
        created_at: Timestamp::from_micros(0).unwrap(),
    }
}

/// A mail that lies here, comes there, and leaves elsewhere.
fn mail(here: &[&str], coming: &[&str], leaving: &[&str]) -> MailDiff {
    let locations = here.iter().map(|label| place(label, true)).chain(coming.iter().map(|label| place(label, false)));
    MailDiff {
        email: EmailId::new(),
        account: AccountId::new(),
        external_id: "18c0".to_owned(),
        locations: locations.collect(),
        departures: leaving.iter().map(|label| place(label, true)).collect(),
        awaited: false,
    }
}

fn planned(diff: &MailDiff, todo: Fields) -> Plan {
    Plan::of(std::slice::from_ref(diff), &HashMap::from([(diff.email, todo)]), |_| false)
}

/// The labels that the only task adds and removes.
fn labels(plan: &Plan) -> (Vec<&str>, Vec<&str>) {
    fn list(labels: &BTreeSet<String>) -> Vec<&str> {
        labels.iter().map(String::as_str).collect()
    }
    let [task] = plan.tasks.as_slice() else { panic!("one task: {plan:?}") };
    (list(&task.change.add), list(&task.change.remove))
}

fn folders(labels: &[&str]) -> BTreeSet<FolderId> {
    labels.iter().map(|label| folder(label)).collect()
}

#[test]
fn a_mail_that_is_as_wanted_needs_nothing() {
    assert_eq!(planned(&mail(&["INBOX", "ALL"], &[], &[]), ALL), Plan::default());
}

#[test]
fn read_is_the_absence_of_a_label_and_a_star_is_one() {
    for (read, starred, add, remove) in [
        (Some(false), None, vec![], vec!["UNREAD"]),
        (None, Some(false), vec!["STARRED"], vec![]),
        (Some(false), Some(false), vec!["STARRED"], vec!["UNREAD"]),
    ] {
        let mut diff = mail(&["INBOX", "ALL"], &[], &[]);
        for row in &mut diff.locations {
            (row.server_read, row.server_starred) = (read, starred);
            (row.is_read, row.is_starred) = (read.is_some(), starred.is_some());
        }
        assert_eq!(labels(&planned(&diff, ALL)), (add, remove));
    }
    let mut unread = mail(&["ALL"], &[], &[]);
    (unread.locations[0].server_read, unread.locations[0].server_starred) = (Some(true), Some(true));
    let plan = planned(&unread, ALL);
    assert_eq!(labels(&plan), (vec!["UNREAD"], vec!["STARRED"]));
    assert_eq!((plan.tasks[0].done.is_read, plan.tasks[0].done.is_starred), (Some(false), Some(false)));
}

#[test]
fn archiving_takes_the_inbox_away_and_coming_back_gives_it() {
    let archived = planned(&mail(&["ALL"], &[], &["INBOX"]), PLACES);
    assert_eq!(labels(&archived), (vec![], vec!["INBOX"]));
    assert_eq!(archived.tasks[0].done.out_of, folders(&["INBOX"]));
    let back = planned(&mail(&["ALL", "Label_1"], &["INBOX"], &[]), PLACES);
    assert_eq!(labels(&back), (vec!["INBOX"], vec![]));
    assert_eq!(back.tasks[0].done.into, folders(&["INBOX"]));
}

#[test]
fn moving_and_labelling_are_labels_too() {
    let moved = planned(&mail(&["ALL"], &["Label_2"], &["INBOX", "Label_1"]), PLACES);
    assert_eq!(labels(&moved), (vec!["Label_2"], vec!["INBOX", "Label_1"]));
    assert!(!moved.tasks[0].reveals);
    let labelled = planned(&mail(&["INBOX", "ALL"], &["Label_1"], &["Label_3"]), PLACES);
    assert_eq!(labels(&labelled), (vec!["Label_1"], vec!["Label_3"]));
}

#[test]
fn the_trash_hides_and_labels_of_people_stay_on_the_mail() {
    let trashed = planned(&mail(&[], &["TRASH"], &["INBOX", "Label_1", "SENT", "ALL"]), PLACES);
    assert_eq!(labels(&trashed), (vec!["TRASH"], vec!["INBOX"]));
    assert_eq!(trashed.tasks[0].done.out_of, folders(&["INBOX", "Label_1", "SENT", "ALL"]));
    let spam = planned(&mail(&[], &["SPAM"], &["TRASH"]), PLACES);
    assert_eq!(labels(&spam), (vec!["SPAM"], vec!["TRASH"]));
    assert!(!spam.tasks[0].reveals);
}

#[test]
fn what_comes_out_of_the_trash_gets_its_labels_and_gmail_says_which_else_it_has() {
    let back = planned(&mail(&[], &["INBOX", "Label_1", "SENT", "ALL"], &["TRASH"]), PLACES);
    assert_eq!(labels(&back), (vec!["INBOX", "Label_1"], vec!["TRASH"]));
    assert!(back.tasks[0].reveals && back.fixed.is_empty());
    assert_eq!(back.tasks[0].done.into, folders(&["INBOX", "Label_1", "ALL"]));
}

#[test]
fn what_is_sent_or_a_draft_is_not_for_people_to_say_and_flags_are_set_all_the_same() {
    for diff in [
        mail(&["ALL"], &["Label_1"], &["SENT"]),
        mail(&["ALL"], &[], &["DRAFT"]),
        mail(&["ALL", "INBOX"], &["SENT"], &[]),
        mail(&["INBOX"], &[], &["ALL"]),
        mail(&["TRASH"], &["ALL"], &[]),
    ] {
        let mut diff = diff;
        (diff.locations[0].is_starred, diff.locations[0].server_starred) = (true, Some(false));
        let plan = planned(&diff, ALL);
        assert_eq!(plan.fixed, [diff.email], "{diff:?}");
        assert_eq!(labels(&plan), (vec!["STARRED"], vec![]), "{diff:?}");
        assert!(plan.tasks[0].done.into.is_empty() && plan.tasks[0].done.out_of.is_empty());
    }
}

#[test]
fn a_draft_that_is_still_to_be_brought_there_is_not_moved() {
    let mut diff = mail(&[], &["TRASH"], &["DRAFT"]);
    diff.awaited = true;
    let plan = planned(&diff, ALL);
    assert!(plan.tasks.is_empty());
    assert_eq!(plan.awaited, [diff.email]);
}

#[test]
fn the_view_of_all_mail_is_no_label() {
    let plan = planned(&mail(&["INBOX"], &["ALL"], &[]), PLACES);
    assert!(plan.tasks[0].change.is_empty());
    assert_eq!(plan.tasks[0].done.into, folders(&["ALL"]));
}

#[test]
fn a_flag_travels_with_a_mail_only_when_people_changed_it() {
    let mut diff = mail(&[], &["TRASH"], &["INBOX"]);
    diff.locations[0].is_read = true;
    assert_eq!(labels(&planned(&diff, PLACES)), (vec!["TRASH"], vec!["INBOX"]));
    assert_eq!(labels(&planned(&diff, ALL)), (vec!["TRASH"], vec!["INBOX", "UNREAD"]));
}

#[test]
fn the_same_for_many_mails_is_one_group() {
    let mails = [mail(&["ALL"], &[], &["INBOX"]), mail(&["ALL"], &[], &["INBOX"]), mail(&["ALL"], &["INBOX"], &[])];
    let plan = Plan::of(&mails, &HashMap::new(), |_| false);
    let sizes: Vec<usize> = grouped(plan.tasks).values().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 3);
    assert_eq!(sizes.len(), 2);
}

#[test]
fn a_mail_that_is_discarded_or_blocked_is_left_where_it_is() {
    assert_eq!(planned(&mail(&[], &[], &["DRAFT", "ALL"]), ALL), Plan::default());
    let diff = mail(&["INBOX", "ALL"], &["local-New"], &[]);
    assert_eq!(Plan::of(&[diff], &HashMap::new(), |_| true), Plan::default());
}
