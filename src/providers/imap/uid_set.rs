//! Sets of UIDs as ranges (RFC 3501 `sequence-set`).

use std::fmt;
use std::ops::RangeInclusive;

/// A set of UIDs: ascending ranges that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A single UID.
    pub fn one(uid: u32) -> Self {
        Self::range(uid..=uid)
    }

    /// All UIDs in a range, whichever end is named first; an end of `u32::MAX` is sent as `*`.
    pub fn range(range: RangeInclusive<u32>) -> Self {
        std::iter::once(range.into_inner()).collect()
    }

    /// Every UID from `start` on.
    pub fn from_uid(start: u32) -> Self {
        Self::range(start..=u32::MAX)
    }

    /// Adds one UID; cheapest in ascending order.
    pub fn insert(&mut self, uid: u32) {
        match self.ranges.last_mut() {
            Some((first, last)) if uid >= *first && uid <= last.saturating_add(1) => {
                *last = uid.max(*last);
            }
            Some((first, _)) if uid < *first => {
                self.ranges.push((uid, uid));
                self.normalise();
            }
            _ => self.ranges.push((uid, uid)),
        }
    }

    fn normalise(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let touches = next.0 <= kept.1.saturating_add(1);
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
    }

    /// Adds another set.
    pub fn extend(&mut self, other: Self) {
        if self.ranges.is_empty() {
            *self = other;
        } else {
            self.ranges.extend(other.ranges);
            self.normalise();
        }
    }

    /// How many ranges the set consists of: what it costs to hold.
    pub fn range_count(&self) -> usize {
        self.ranges.len()
    }

    /// Whether the set holds no UID.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs the set holds.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(start, end)| u64::from(end - start) + 1).sum()
    }

    /// Whether a UID is in the set.
    pub fn contains(&self, uid: u32) -> bool {
        let after = self.ranges.partition_point(|(start, _)| *start <= uid);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, end)| uid <= *end)
    }

    /// The UIDs in ascending order. A set with an open end yields billions: ask [`Self::len`] first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|(start, end)| *start..=*end)
    }

    /// The ranges in ascending order.
    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = RangeInclusive<u32>> + '_ {
        self.ranges.iter().map(|(start, end)| *start..=*end)
    }

    /// The smallest UID.
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|(start, _)| *start)
    }

    /// The largest UID.
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|(_, end)| *end)
    }

    /// What is in this set and not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut others = other.ranges.iter().peekable();
        for &(start, end) in &self.ranges {
            let mut from = Some(start);
            while let (Some(at), Some(&&(cut_start, cut_end))) = (from, others.peek()) {
                if cut_end < at {
                    others.next();
                    continue;
                }
                if cut_start > end {
                    break;
                }
                if cut_start > at {
                    left.push((at, cut_start - 1));
                }
                from = cut_end.checked_add(1).filter(|next| *next <= end);
            }
            if let Some(at) = from {
                left.push((at, end));
            }
        }
        Self { ranges: left }
    }

    /// What is in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// Cuts the set into ones that are at most `octets` long when written, for servers limit the
    /// length of a command.
    pub fn split(&self, octets: usize) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        let mut length = usize::MAX;
        for &range in &self.ranges {
            let written = Self { ranges: vec![range] }.to_string().len() + 1;
            length = length.saturating_add(written);
            match parts.last_mut() {
                Some(part) if length <= octets => part.ranges.push(range),
                _ => {
                    parts.push(Self { ranges: vec![range] });
                    length = written;
                }
            }
        }
        parts
    }

    /// Reads a set as servers write it, such as `1:3,7`; none when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(|part| {
                let (start, end) = part.split_once(':').unwrap_or((part, part));
                Some((number(start)?, number(end)?))
            })
            .collect()
    }
}

fn number(text: &str) -> Option<u32> {
    match text {
        "*" => Some(u32::MAX),
        digits => digits.parse().ok(),
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        uids.into_iter().map(|uid| (uid, uid)).collect()
    }
}

impl FromIterator<(u32, u32)> for UidSet {
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(ranges: I) -> Self {
        let mut set = Self::new();
        for (a, b) in ranges {
            let (start, end) = (a.min(b), a.max(b));
            match set.ranges.last_mut() {
                Some((first, last)) if start >= *first && start <= last.saturating_add(1) => {
                    *last = end.max(*last);
                }
                _ => set.ranges.push((start, end)),
            }
        }
        if !set.ranges.is_sorted_by(|a, b| a.1 < b.0) {
            set.normalise();
        }
        set
    }
}

/// The wire form.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &(start, end)) in self.ranges.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match (start, end) {
                (u32::MAX, _) => f.write_str("*")?,
                (_, u32::MAX) => write!(f, "{start}:*")?,
                (_, _) if start == end => write!(f, "{start}")?,
                _ => write!(f, "{start}:{end}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_set_is_written_in_its_shortest_form() {
        let set: UidSet = [7, 3, 1, 2, 9, 10, 3].into_iter().collect();
        assert_eq!(set.to_string(), "1:3,7,9:10");
        assert_eq!(UidSet::from_uid(5).to_string(), "5:*");
        assert_eq!(UidSet::parse("1:3,7,9:10"), Some(set));
        assert_eq!(UidSet::parse("4:2"), Some(UidSet::range(2..=4)));
        assert_eq!(UidSet::parse("x"), None);
        assert_eq!(UidSet::parse(""), None);
    }

    #[test]
    fn a_long_set_is_cut_into_short_ones() {
        let set: UidSet = (1..5000).filter(|uid| uid % 3 != 0).collect();
        let parts = set.split(100);
        assert!(parts.iter().all(|part| part.to_string().len() <= 100));
        assert!(parts.iter().flat_map(UidSet::iter).eq(set.iter()));
        assert_eq!(UidSet::from_uid(7).split(1), [UidSet::from_uid(7)]);
        assert!(UidSet::new().split(10).is_empty());
    }

    #[test]
    fn sets_behave_like_plain_sets_of_numbers() {
        let mut seed = 7u64;
        let mut next = move || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            u32::try_from(seed >> 58).unwrap()
        };
        for _ in 0..500 {
            let a: Vec<u32> = (0..next() % 40).map(|_| next()).collect();
            let b: Vec<u32> = (0..next() % 40).map(|_| next()).collect();
            let (plain_a, plain_b): (BTreeSet<u32>, BTreeSet<u32>) =
                (a.iter().copied().collect(), b.iter().copied().collect());
            let collected: UidSet = a.iter().copied().collect();
            let mut grown = UidSet::new();
            a.iter().for_each(|uid| grown.insert(*uid));
            assert_eq!(collected, grown);
            assert!(collected.iter().eq(plain_a.iter().copied()));
            assert_eq!(collected.len(), plain_a.len() as u64);
            let left = collected.difference(&b.iter().copied().collect());
            assert!(left.iter().eq(plain_a.difference(&plain_b).copied()));
            let both = collected.intersection(&b.iter().copied().collect());
            assert!(both.iter().eq(plain_a.intersection(&plain_b).copied()));
            assert!((0..70).all(|uid| collected.contains(uid) == plain_a.contains(&uid)));
            assert_eq!(UidSet::parse(&collected.to_string()), (!a.is_empty()).then_some(collected));
        }
    }
}
