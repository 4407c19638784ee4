//! What can happen to one mailbox. Each change is written into a record; the caller commits it.

use super::errors::ApiError;
use super::mime::{self, Facts};
use super::model::{FIXED_LABELS, Given, Label, Mail, Mailbox, Mention, Record, SYSTEM_LABELS, SendAs};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most labels that one change adds or removes.
const MOST_LABELS_AT_ONCE: usize = 100;

/// A mail about to be placed.
#[derive(Clone, Debug, Default)]
pub struct NewMail {
    /// The mail as in RFC 5322.
    pub raw: Bytes,
    /// Ids of its labels.
    pub labels: BTreeSet<String>,
    /// When it came, in milliseconds.
    pub internal_date: i64,
    /// The thread it joins; without one it starts its own.
    pub thread: Option<String>,
    /// From when lists and searches know it.
    pub listed_from: i64,
}

impl Mailbox {
    /// An empty mailbox. Numbers start the same in each, so that ids of two mailboxes collide as they may.
    pub fn new(email: &str, workspace: bool) -> Self {
        let labels = SYSTEM_LABELS.iter().map(|id| ((*id).to_owned(), system_label(id))).collect();
        let primary =
            SendAs { send_as_email: email.to_owned(), is_primary: true, is_default: true, ..SendAs::default() };
        let digits = email.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
        Self {
            email: email.to_owned(),
            subject: format!("1{:020}", digits),
            workspace,
            disabled: false,
            mails: BTreeMap::new(),
            by_message_id: BTreeMap::new(),
            labels,
            drafts: BTreeMap::new(),
            history: Vec::new(),
            history_id: 1000,
            history_floor: 1000,
            send_as: vec![primary],
            watches: BTreeMap::new(),
            notified: BTreeMap::new(),
            sent_at: VecDeque::new(),
            given: Given::default(),
        }
    }

    /// The number of the last record that `history.list` shows.
    pub fn visible_history_id(&self, now: i64) -> u64 {
        let visible = self.history.iter().rev().find(|record| record.visible_from <= now);
        visible.map_or(self.history_floor, |record| record.id).max(self.history_floor)
    }

    /// Numbers a record, stamps it on the mails it changed and keeps it. An empty one is dropped.
    pub fn commit(&mut self, mut record: Record, visible_from: i64, gap: u64) -> Option<u64> {
        if record.is_empty() {
            return None;
        }
        self.history_id += 1 + gap;
        record.id = self.history_id;
        record.visible_from = visible_from;
        for id in record.mentions().map(|mention| mention.id.clone()).collect::<Vec<_>>() {
            if let Some(mail) = self.mails.get_mut(&id) {
                mail.history_id = self.history_id;
            }
        }
        self.history.push(record);
        Some(self.history_id)
    }

    /// A mail by its id; an id that is none is refused as such.
    pub fn mail(&self, id: &str) -> Result<&Mail, ApiError> {
        let is_id = !id.is_empty() && id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Err(ApiError::invalid("Invalid id value"));
        }
        self.mails.get(id).ok_or_else(ApiError::not_found)
    }

    /// Mails of a thread, oldest first.
    pub fn thread(&self, id: &str) -> Vec<&Mail> {
        let mut mails: Vec<&Mail> = self.mails.values().filter(|mail| mail.thread == id).collect();
        mails.sort_by(|a, b| (a.internal_date, &a.id).cmp(&(b.internal_date, &b.id)));
        mails
    }

    /// The thread a mail sent through the API joins: the one asked for, if `References` and subject fit.
    pub fn thread_to_join(&self, asked: Option<&str>, facts: &Facts) -> Result<Option<String>, ApiError> {
        let Some(asked) = asked.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let mails = self.thread(asked);
        if mails.is_empty() {
            return Err(ApiError::not_found());
        }
        let fits = mails.iter().any(|mail| {
            facts.references.contains(&mail.facts.message_id)
                && mime::plain_subject(&mail.facts.subject) == mime::plain_subject(&facts.subject)
        });
        Ok(fits.then(|| asked.to_owned()))
    }

    /// The thread an arriving mail joins, by its head alone.
    pub fn thread_by_head(&self, facts: &Facts) -> Option<String> {
        let known = facts.references.iter().rev().filter_map(|id| self.by_message_id.get(id)).flatten();
        known
            .filter_map(|id| self.mails.get(id))
            .find(|mail| mime::plain_subject(&mail.facts.subject) == mime::plain_subject(&facts.subject))
            .map(|mail| mail.thread.clone())
    }

    /// Puts a mail into the mailbox and returns its id.
    pub fn place(&mut self, new: NewMail, record: &mut Record) -> String {
        self.given.mails += 1;
        let id = format!("{:016x}", 0x18c0_0000_0000_0000_u64 + self.given.mails * 0x3_a7f1);
        let facts = mime::facts(&new.raw);
        self.by_message_id.entry(facts.message_id.clone()).or_default().push(id.clone());
        let thread = new.thread.unwrap_or_else(|| id.clone());
        record.added.push(Mention { id: id.clone(), thread: thread.clone(), labels: new.labels.clone() });
        let mail = Mail {
            id: id.clone(),
            thread,
            labels: new.labels,
            raw: new.raw,
            internal_date: new.internal_date,
            history_id: self.history_id,
            listed_from: new.listed_from,
            facts,
        };
        self.mails.insert(id.clone(), mail);
        id
    }

    /// The id for a new draft.
    pub fn next_draft_id(&mut self) -> String {
        self.given.drafts += 1;
        let sign = if self.given.drafts.is_multiple_of(2) { "-" } else { "" };
        format!("r{sign}{}", 1_000_000_007_u64.wrapping_mul(self.given.drafts) + 5_140_000_000_000_000)
    }

    /// Removes a mail for good, with the draft it may be.
    pub fn remove(&mut self, id: &str, record: &mut Record) {
        let Some(mail) = self.mails.remove(id) else {
            return;
        };
        if let Some(ids) = self.by_message_id.get_mut(&mail.facts.message_id) {
            ids.retain(|known| known != id);
        }
        self.drafts.retain(|_, known| known != id);
        record.deleted.push(Mention { id: mail.id, thread: mail.thread, labels: mail.labels });
    }

    /// Changes the labels of a mail. What changes nothing is not recorded.
    pub fn relabel(&mut self, id: &str, add: &[String], remove: &[String], record: &mut Record) {
        let Some(mail) = self.mails.get_mut(id) else {
            return;
        };
        let mut add = add.to_vec();
        let mut remove = remove.to_vec();
        // A mail that goes to the trash or is called spam leaves the inbox, and one of the two excludes the other.
        for (place, left) in [("TRASH", ["INBOX", "SPAM"]), ("SPAM", ["INBOX", "TRASH"])] {
            if add.iter().any(|label| label == place) {
                remove.extend(left.map(str::to_owned));
            }
        }
        add.retain(|label| !remove.contains(label));
        let added: Vec<String> = add.into_iter().filter(|label| mail.labels.insert(label.clone())).collect();
        let removed: Vec<String> = remove.into_iter().filter(|label| mail.labels.remove(label)).collect();
        let mention = Mention { id: mail.id.clone(), thread: mail.thread.clone(), labels: mail.labels.clone() };
        if !added.is_empty() {
            record.labels_added.push((mention.clone(), added));
        }
        if !removed.is_empty() {
            record.labels_removed.push((mention, removed));
        }
    }

    /// Refuses what a change of labels must not name.
    pub fn check_change(&self, add: &[String], remove: &[String]) -> Result<(), ApiError> {
        if add.len() > MOST_LABELS_AT_ONCE || remove.len() > MOST_LABELS_AT_ONCE {
            return Err(ApiError::invalid("Too many labels"));
        }
        if add.is_empty() && remove.is_empty() {
            return Err(ApiError::invalid("No label add or removes specified"));
        }
        if add.iter().any(|label| remove.contains(label)) {
            return Err(ApiError::invalid("Cannot both add and remove the same label"));
        }
        self.check_labels(add.iter().chain(remove), &FIXED_LABELS)
    }

    /// Refuses labels that do not exist or that are not for users to set.
    pub fn check_labels<'a>(
        &self,
        labels: impl IntoIterator<Item = &'a String>,
        fixed: &[&str],
    ) -> Result<(), ApiError> {
        for label in labels {
            if !self.labels.contains_key(label) || fixed.contains(&label.as_str()) {
                return Err(ApiError::invalid(format!("Invalid label: {label}")));
            }
        }
        Ok(())
    }

    /// Takes a label away, from its mails as well.
    pub fn remove_label(&mut self, id: &str, record: &mut Record) {
        let carriers: Vec<String> =
            self.mails.values().filter(|mail| mail.labels.contains(id)).map(|mail| mail.id.clone()).collect();
        for mail in carriers {
            self.relabel(&mail, &[], &[id.to_owned()], record);
        }
        self.labels.remove(id);
    }

    /// The draft that this mail is.
    pub fn draft_of(&self, mail: &str) -> Option<&str> {
        self.drafts.iter().find(|(_, known)| *known == mail).map(|(draft, _)| draft.as_str())
    }

    /// Whether the user may send from this address.
    pub fn may_send_from(&self, address: &str) -> bool {
        self.send_as.iter().any(|known| {
            known.send_as_email.eq_ignore_ascii_case(address)
                && (known.is_primary || known.verification_status.as_deref() == Some("accepted"))
        })
    }
}

fn system_label(id: &str) -> Label {
    let hidden = id.starts_with("CATEGORY_");
    Label {
        id: id.to_owned(),
        name: id.to_owned(),
        message_list_visibility: hidden.then(|| "hide".to_owned()),
        label_list_visibility: hidden.then(|| "labelHide".to_owned()),
        r#type: "system",
        color: None,
    }
}
