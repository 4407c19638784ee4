//! Threads come out the same whatever order their mails arrive in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::hostile_tests::Random;
use super::threading::*;
use super::*;

#[test]
fn subjects_lose_their_prefixes() {
    for subject in
        ["Re: Offer", "RE: Fwd: AW: Offer", "Re[3]: WG: Offer", "回复： Offer", "Sv:Offer ", "re (2) : Offer"]
    {
        assert_eq!(normalize_subject(subject), "Offer", "{subject}");
    }
    assert_eq!(normalize_subject("Reply: Offer"), "Reply: Offer");
    assert_eq!(normalize_subject("Re:"), "");
    assert!(is_reply_subject("AW: x") && !is_reply_subject("Fwd: x") && !is_reply_subject("x"));
    assert!(is_forward_subject("WG: x") && !is_forward_subject("Re: x"));
}

#[test]
fn keys_are_distinct_bounded_and_never_placeholders() {
    let mail = ParsedMail {
        message_id: Some("own@example.org".into()),
        in_reply_to: vec!["parent@example.org".into()],
        references: (0..200)
            .map(|n| format!("ref{n}@example.org"))
            .chain(["parent@example.org".into(), "@".into(), "null".into(), "000@x".into()])
            .collect(),
        ..ParsedMail::default()
    };
    let keys = thread_keys(&mail);
    assert_eq!(keys.len(), MAX_KEYS);
    assert_eq!(&keys[..4], ["own@example.org", "parent@example.org", "ref0@example.org", "ref199@example.org"]);
    assert!(thread_keys(&ParsedMail::default()).is_empty());
}

#[test]
fn a_late_parent_merges_threads_into_the_oldest() {
    let existing = HashMap::from([("a@x.example".to_owned(), 7), ("b@x.example".to_owned(), 3)]);
    let mails = [
        vec!["c@x.example".to_owned(), "a@x.example".into(), "b@x.example".into()],
        vec!["new@x.example".into()],
        vec![],
    ];
    let union = union(&existing, &mails);
    assert_eq!(union.assigned, [Assigned::Existing(3), Assigned::New(0), Assigned::New(1)]);
    assert_eq!(union.merged, [(7, 3)]);
    assert_eq!(union.keys["c@x.example"], Assigned::Existing(3));
}

/// Stores mails batch by batch as the database does and returns the groups of mails.
fn stored(mails: &[(usize, Vec<String>)], batch: usize) -> BTreeSet<BTreeSet<usize>> {
    let mut of_key: HashMap<String, u64> = HashMap::new();
    let mut of_mail: BTreeMap<usize, u64> = BTreeMap::new();
    let mut next = 0;
    for chunk in mails.chunks(batch) {
        let keys: Vec<Vec<String>> = chunk.iter().map(|(_, keys)| keys.clone()).collect();
        let union = union(&of_key, &keys);
        let base = next;
        let resolve = |assigned: Assigned<u64>| match assigned {
            Assigned::Existing(thread) => thread,
            Assigned::New(number) => base + number as u64,
        };
        for ((mail, _), assigned) in chunk.iter().zip(&union.assigned) {
            of_mail.insert(*mail, resolve(*assigned));
        }
        next += chunk.len() as u64;
        for (gone, survivor) in &union.merged {
            of_mail
                .values_mut()
                .chain(of_key.values_mut())
                .filter(|thread| *thread == gone)
                .for_each(|thread| *thread = *survivor);
        }
        of_key.extend(union.keys.into_iter().map(|(key, assigned)| (key, resolve(assigned))));
    }
    let mut groups: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
    for (mail, thread) in of_mail {
        groups.entry(thread).or_default().insert(mail);
    }
    groups.into_values().collect()
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut random = Random::new(11);
    let mut mails: Vec<(usize, Vec<String>)> = Vec::new();
    for number in 0..60 {
        let mut keys = vec![format!("m{number}@example.org")];
        if number % 6 != 0 {
            keys.push(format!("m{}@example.org", number - 1 - random.below(number % 6)));
        }
        mails.push((number, keys));
    }
    let expected = stored(&mails, 1);
    assert_eq!(expected.len(), 10);
    for round in 0..200 {
        for at in (1..mails.len()).rev() {
            mails.swap(at, random.below(at + 1));
        }
        assert_eq!(stored(&mails, 1 + round % 9), expected);
    }
}
