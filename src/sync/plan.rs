//! Cuts a window of mails into batches. Pure.

use crate::providers::imap::{IndexEntry, UidSet};

/// Mails of one window: looked up in the index together.
pub(super) const WINDOW: usize = 1_000;

/// A batch is one FETCH and one transaction: at most so many octets …
const BATCH_BYTES: u64 = 2 * 1024 * 1024;

/// … and so many mails.
const BATCH_MAILS: usize = 100;

/// A mail above this size is streamed to the storage; only its header is read.
pub(super) const LARGE: u64 = 25 * 1024 * 1024;

/// What to do with a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Batches, the newest first; within one, UIDs ascend.
    pub batches: Vec<UidSet>,
    /// Mails to stream, the newest first.
    pub large: Vec<(u32, u64)>,
}

/// Cuts by octets and number, from the newest mail down.
pub(super) fn cut(mut entries: Vec<IndexEntry>) -> Plan {
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.uid));
    let mut plan = Plan::default();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for entry in entries {
        if entry.size > LARGE {
            plan.large.push((entry.uid, entry.size));
            continue;
        }
        if !batch.is_empty() && (bytes + entry.size > BATCH_BYTES || batch.len() >= BATCH_MAILS) {
            plan.batches.push(std::mem::take(&mut batch).into_iter().rev().collect());
            bytes = 0;
        }
        bytes += entry.size;
        batch.push(entry.uid);
    }
    if !batch.is_empty() {
        plan.batches.push(batch.into_iter().rev().collect());
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(uid: u32, size: u64) -> IndexEntry {
        IndexEntry { uid, size, flags: Default::default(), internal_date: None, email_id: None, mod_seq: None }
    }

    #[test]
    fn batches_are_newest_first_and_bounded_in_octets_and_number() {
        let plan = cut((1..=250).map(|uid| entry(uid, 1000)).collect());
        let sets: Vec<_> = plan.batches.iter().map(UidSet::to_string).collect();
        assert_eq!(sets, ["151:250", "51:150", "1:50"]);
        let heavy = cut((1..=4).map(|uid| entry(uid, 1_500_000)).collect());
        assert_eq!(heavy.batches.len(), 4);
    }

    #[test]
    fn a_large_mail_is_taken_out_and_a_single_one_over_the_batch_size_goes_alone() {
        let plan = cut(vec![entry(1, 10), entry(2, LARGE + 1), entry(3, BATCH_BYTES * 3), entry(4, 10)]);
        let sets: Vec<_> = plan.batches.iter().map(UidSet::to_string).collect();
        assert_eq!(sets, ["4", "3", "1"]);
        assert_eq!(plan.large, [(2, LARGE + 1)]);
    }

    #[test]
    fn an_empty_window_has_no_batch() {
        assert_eq!(cut(Vec::new()), Plan::default());
    }
}
