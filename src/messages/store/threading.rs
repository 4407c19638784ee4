//! Which mails belong together: by Message-ID, In-Reply-To and References (RFC 5322 §3.6.4), whatever order they come in.
//!
//! Every id that a mail has or refers to is mapped to its thread. A mail whose ids lead to several threads joins them. The
//! outcome is the set of connected components of "shares an id", which does not depend on the order of arrival.

use std::collections::{BTreeSet, HashMap};

use crate::ids::ThreadId;
use crate::mail::ParsedMail;

/// Every id that ties a mail to others.
pub(super) fn ids(mail: &ParsedMail) -> impl Iterator<Item = &str> {
    mail.message_id.iter().chain(&mail.in_reply_to).chain(&mail.references).map(String::as_str)
}

/// Some mails of a batch that belong together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// Their positions in the batch.
    pub mails: Vec<usize>,
    /// The threads that exist already and are theirs; more than one are to be merged.
    pub threads: BTreeSet<ThreadId>,
    /// Their ids that no thread has yet.
    pub new_ids: BTreeSet<String>,
}

/// Groups the mails of a batch, given the threads that some of their ids have already.
pub(super) fn group(mails: &[Vec<&str>], known: &HashMap<String, ThreadId>) -> Vec<Group> {
    let mut sets = Sets::new(mails.len());
    let mut first_by_id: HashMap<&str, usize> = HashMap::new();
    let mut first_by_thread: HashMap<ThreadId, usize> = HashMap::new();
    for (index, ids) in mails.iter().enumerate() {
        for id in ids {
            sets.join(index, *first_by_id.entry(id).or_insert(index));
            if let Some(thread) = known.get(*id) {
                sets.join(index, *first_by_thread.entry(*thread).or_insert(index));
            }
        }
    }
    let mut groups: HashMap<usize, Group> = HashMap::new();
    let mut order = Vec::new();
    for (index, ids) in mails.iter().enumerate() {
        let root = sets.root(index);
        let group = groups.entry(root).or_insert_with(|| {
            order.push(root);
            Group::default()
        });
        group.mails.push(index);
        for id in ids {
            match known.get(*id) {
                Some(thread) => group.threads.insert(*thread),
                None => group.new_ids.insert((*id).to_owned()),
            };
        }
    }
    order.into_iter().filter_map(|root| groups.remove(&root)).collect()
}

/// Disjoint sets with path halving.
struct Sets(Vec<usize>);

impl Sets {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn parent(&self, of: usize) -> usize {
        self.0.get(of).copied().unwrap_or(of)
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent(at) != at {
            let above = self.parent(self.parent(at));
            if let Some(slot) = self.0.get_mut(at) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The smaller index stays the root, so that groups come in the order of the batch.
        if let Some(slot) = self.0.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_that_share_an_id_belong_together_through_others_too() {
        let mails = [vec!["c", "b"], vec!["x"], vec!["a"], vec!["b", "a"]];
        let groups = group(&mails, &HashMap::new());
        let indexes: Vec<_> = groups.iter().map(|group| group.mails.clone()).collect();
        assert_eq!(indexes, [vec![0, 2, 3], vec![1]]);
    }

    #[test]
    fn a_mail_between_two_threads_names_both() {
        let (one, two) = (ThreadId::new(), ThreadId::new());
        let known = HashMap::from([("a".to_owned(), one), ("b".to_owned(), two)]);
        let groups = group(&[vec!["n", "a", "b"], vec![]], &known);
        assert_eq!(groups[0].threads, BTreeSet::from([one, two]));
        assert_eq!(groups[0].new_ids, BTreeSet::from(["n".to_owned()]));
        assert_eq!(groups[1], Group { mails: vec![1], ..Group::default() });
    }
}
