//! Which mail became which when mails are copied or moved (COPYUID, RFC 4315 §3).

use std::collections::HashSet;

use super::UidSet;
use super::response::{Response, Status};

/// The UIDs that mails got in the folder they were copied or moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyMap {
    /// The generation of the UIDs in the other folder.
    pub uid_validity: u32,
    /// UIDs here and there, by ascending UID here. Mails of which the server did not tell are missing.
    pub pairs: Vec<(u32, u32)>,
}

/// Collects what a server tells while it copies, and believes only what can be true.
#[derive(Debug, Default)]
pub(super) struct CopyNotes {
    told: Option<CopyMap>,
    /// Something made no sense: better no word than a wrong one.
    void: bool,
}

impl CopyNotes {
    /// Takes note if this is such a word; MOVE has it in an untagged OK (RFC 6851 §4.3).
    pub(super) fn untagged(&mut self, response: &Response, asked: &UidSet) -> bool {
        match response {
            Response::Status(status) => self.status(status, asked),
            _ => false,
        }
    }

    /// Takes note if this verdict holds such a word.
    pub(super) fn status(&mut self, status: &Status, asked: &UidSet) -> bool {
        if status.code_name() != "COPYUID" {
            return false;
        }
        match (parse(status.code_argument(), asked), &mut self.told) {
            (Some(map), told @ None) => *told = Some(map),
            (Some(map), Some(told)) if told.uid_validity == map.uid_validity => told.pairs.extend(map.pairs),
            _ => self.void = true,
        }
        true
    }

    /// What was told in all.
    pub(super) fn finish(self) -> Option<CopyMap> {
        let mut map = self.told.filter(|_| !self.void)?;
        map.pairs.sort_unstable();
        // A server may repeat itself, with the tag and without.
        map.pairs.dedup();
        let mut targets = HashSet::with_capacity(map.pairs.len());
        let unique = map.pairs.is_sorted_by(|a, b| a.0 < b.0) && map.pairs.iter().all(|(_, to)| targets.insert(*to));
        unique.then_some(map)
    }
}

/// Reads `38505 304,319:320 3956:3958`. The n-th UID of the one set became the n-th of the other, in
/// the order in which they are listed; but `4:2` is only another way to write `2:4`.
fn parse(argument: &str, asked: &UidSet) -> Option<CopyMap> {
    let mut words = argument.split_ascii_whitespace();
    let (validity, from, to) = (words.next()?, words.next()?, words.next()?);
    let uid_validity = validity.parse().ok().filter(|validity| *validity > 0)?;
    if words.next().is_some() {
        return None;
    }
    let most = asked.len();
    let (from, to) = (listed(from, most)?, listed(to, most)?);
    if from.len() != to.len() || !from.iter().all(|uid| asked.contains(*uid)) {
        return None;
    }
    Some(CopyMap { uid_validity, pairs: from.into_iter().zip(to).collect() })
}

/// The UIDs of a set as listed; none when they are more than `most`, which is checked before they
/// take memory.
fn listed(set: &str, most: u64) -> Option<Vec<u32>> {
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|uid| *uid > 0);
    let ranges = set
        .split(',')
        .map(|part| {
            let (a, b) = part.split_once(':').unwrap_or((part, part));
            let (a, b) = (number(a)?, number(b)?);
            Some(a.min(b)..=a.max(b))
        })
        .collect::<Option<Vec<_>>>()?;
    let count: u64 = ranges.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum();
    (count <= most).then(|| ranges.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(argument: &str, asked: &str) -> Option<Vec<(u32, u32)>> {
        parse(argument, &UidSet::parse(asked).unwrap()).map(|map| map.pairs)
    }

    #[test]
    fn uids_are_matched_in_the_order_in_which_they_are_listed() {
        assert_eq!(pairs("38505 304,319:320 3956:3958", "1:400"), Some(vec![(304, 3956), (319, 3957), (320, 3958)]));
        assert_eq!(pairs("1 9,3 11:10", "1:10"), Some(vec![(9, 10), (3, 11)]));
        assert_eq!(pairs("1 4:2 7:9", "1:10"), Some(vec![(2, 7), (3, 8), (4, 9)]));
    }

    #[test]
    fn what_cannot_be_true_is_no_word_at_all() {
        for argument in [
            "",
            "1",
            "1 2",
            "0 2 3",
            "x 2 3",
            "1 2 3 4",
            "1 2:3 5",
            "1 2 *",
            "1 2 0",
            "1 2,, 3",
            "1 20 3",
            "1 1:4294967295 1:4294967295",
            "1 1:4294967295,1:4294967295 1:2",
            "99999999999 2 3",
        ] {
            assert_eq!(pairs(argument, "1:10"), None, "{argument}");
        }
    }

    fn notes(arguments: &[&str]) -> Option<CopyMap> {
        let asked = UidSet::range(1..=100);
        let mut notes = CopyNotes::default();
        for argument in arguments {
            let frame = bytes::Bytes::from(format!("* OK [COPYUID {argument}] moved\r\n"));
            assert!(notes.untagged(&super::super::response::parse(&frame).unwrap(), &asked));
        }
        notes.finish()
    }

    #[test]
    fn several_words_are_put_together_unless_they_contradict_each_other() {
        let map = notes(&["7 5:6 1:2", "7 3 9", "7 3 9"]).unwrap();
        assert_eq!((map.uid_validity, map.pairs), (7, vec![(3, 9), (5, 1), (6, 2)]));
        assert_eq!(notes(&["7 5 1", "8 6 2"]), None);
        assert_eq!(notes(&["7 5 1", "7 5 2"]), None);
        assert_eq!(notes(&["7 5 1", "7 6 1"]), None);
        assert_eq!(notes(&["7 5,5 1:2"]), None);
        assert_eq!(notes(&["7 5 1", "nonsense"]), None);
        assert_eq!(notes(&[]), None);
    }
}
