//! What a stretch of Gmail's history comes to, mail by mail. Pure.
//!
//! Of each label the last word counts. A mail that was fetched after the stretch had been written has these words in its
//! labels already; saying them again changes nothing, so a stretch may be read as often as need be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::providers::gmail::HistoryRecord;

/// What became of one mail.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// It came into the mailbox.
    pub(super) added: bool,
    /// The labels that it came with; Gmail does not always tell them.
    first: Option<Vec<String>>,
    /// It was deleted for good; Gmail never gives its id again.
    pub(super) deleted: bool,
    /// The conversation, as far as it came or went.
    pub(super) thread: Option<String>,
    /// Labels that it got (true) or lost (false).
    pub(super) labels: BTreeMap<String, bool>,
}

impl Change {
    /// The labels that it has at the end of the stretch, where that is known.
    pub(super) fn labels_now(&self) -> Option<BTreeSet<String>> {
        let mut labels: BTreeSet<String> = self.first.iter().flatten().cloned().collect();
        for (label, has) in &self.labels {
            if *has {
                labels.insert(label.clone());
            } else {
                labels.remove(label);
            }
        }
        self.first.is_some().then_some(labels)
    }
}

/// What became of the mails of a mailbox, in the order in which they first occur.
#[derive(Debug, Default)]
pub(super) struct Fold {
    changes: HashMap<String, Change>,
    order: Vec<String>,
}

impl Fold {
    /// Adds a record. One may hold several kinds of changes, and tells of the same mail again and again.
    pub(super) fn add(&mut self, record: &HistoryRecord) {
        for mail in &record.added {
            let change = self.change(&mail.id);
            change.added = true;
            change.thread = Some(mail.thread_id.clone());
            change.first.clone_from(&mail.label_ids);
        }
        for change in &record.labels_added {
            self.label(&change.message.id, &change.labels, true);
        }
        for change in &record.labels_removed {
            self.label(&change.message.id, &change.labels, false);
        }
        for mail in &record.deleted {
            let change = self.change(&mail.id);
            change.deleted = true;
            change.thread = Some(mail.thread_id.clone());
        }
    }

    fn label(&mut self, id: &str, labels: &[String], has: bool) {
        let change = self.change(id);
        change.labels.extend(labels.iter().map(|label| (label.clone(), has)));
    }

    fn change(&mut self, id: &str) -> &mut Change {
        if !self.changes.contains_key(id) {
            self.order.push(id.to_owned());
        }
        self.changes.entry(id.to_owned()).or_default()
    }

    /// How many mails are concerned.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Every label that is mentioned.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.changes.values().flat_map(|change| change.labels.keys()).map(String::as_str)
    }

    /// The mails with what became of them, in order.
    pub(super) fn into_changes(mut self) -> Vec<(String, Change)> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().filter_map(|id| self.changes.remove_entry(&id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::gmail::{HistoryLabels, HistoryMessage};

    fn mail(id: &str) -> HistoryMessage {
        HistoryMessage { id: id.to_owned(), thread_id: "t".to_owned(), label_ids: None }
    }

    fn labels(id: &str, labels: &[&str]) -> HistoryLabels {
        HistoryLabels { message: mail(id), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
    }

    #[test]
    fn of_each_label_the_last_word_counts() {
        let mut fold = Fold::default();
        fold.add(&HistoryRecord { labels_added: vec![labels("a", &["INBOX", "UNREAD"])], ..HistoryRecord::default() });
        fold.add(&HistoryRecord { labels_removed: vec![labels("a", &["UNREAD"])], ..HistoryRecord::default() });
        let changes = fold.into_changes();
        assert_eq!(changes[0].1.labels, BTreeMap::from([("INBOX".into(), true), ("UNREAD".into(), false)]));
    }

    #[test]
    fn what_a_mail_came_with_and_got_since_is_known_only_where_it_was_told() {
        let mut fold = Fold::default();
        let told = HistoryMessage { label_ids: Some(vec!["SPAM".into(), "UNREAD".into()]), ..mail("a") };
        fold.add(&HistoryRecord { added: vec![told, mail("b")], ..HistoryRecord::default() });
        fold.add(&HistoryRecord { labels_removed: vec![labels("a", &["SPAM"])], ..HistoryRecord::default() });
        let changes = fold.into_changes();
        assert_eq!(changes[0].1.labels_now(), Some(BTreeSet::from(["UNREAD".to_owned()])));
        assert_eq!(changes[1].1.labels_now(), None);
    }

    #[test]
    fn a_record_with_several_kinds_of_changes_tells_them_all() {
        let mut fold = Fold::default();
        fold.add(&HistoryRecord {
            id: 7,
            added: vec![mail("a")],
            deleted: vec![mail("b")],
            labels_added: vec![labels("c", &["STARRED"])],
            labels_removed: vec![labels("a", &["INBOX"])],
        });
        let changes = fold.into_changes();
        assert_eq!(changes.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "c", "b"]);
        assert!(changes[0].1.added && !changes[0].1.labels["INBOX"]);
        assert!(changes[2].1.deleted);
    }
}
