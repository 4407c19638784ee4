//! Mails, labels and drafts as "another client" changes them, and the state for comparisons.

use crate::gmail::Gmail;
use crate::gmail::labels;
use crate::gmail::mailbox::NewMail;
use crate::gmail::model::{Mailbox, Record, Sent};
use crate::gmail::sending::{arrive, leave};
use crate::shared::head;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A mail to be put into a mailbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The mail as in RFC 5322.
    pub raw: String,
    /// The same where it is no UTF-8; in base64 over HTTP it is `raw_base64`.
    #[serde(skip)]
    pub bytes: Option<Vec<u8>>,
    /// Ids of its labels; `INBOX` and `UNREAD` if not set.
    pub labels: Option<Vec<String>>,
    /// When it came, in milliseconds; now if not set.
    pub internal_date: Option<i64>,
    /// The thread it belongs to; by its head if not set.
    pub thread: Option<String>,
}

/// The ids of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailIds {
    /// The mail's.
    pub id: String,
    /// Its thread's.
    pub thread_id: String,
}

/// The ids of a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DraftIds {
    /// The draft's own.
    pub id: String,
    /// Its message's, for as long as nobody changes it.
    pub message: MailIds,
}

fn ids(mailbox: &Mailbox, id: &str) -> Option<MailIds> {
    mailbox.mails.get(id).map(|mail| MailIds { id: mail.id.clone(), thread_id: mail.thread.clone() })
}

impl Gmail {
    /// Changes a mailbox and commits what the record says. None if there is no such user.
    fn change<T>(&self, user: &str, change: impl FnOnce(&mut Mailbox, &mut Record) -> Option<T>) -> Option<T> {
        let mut state = self.state();
        let mut record = Record::default();
        let result = change(state.users.get_mut(user)?, &mut record);
        state.commit(user, record);
        drop(state);
        self.bell.notify_waiters();
        result
    }

    /// A mail arrives.
    pub fn add_mail(&self, user: &str, seed: Seed) -> Option<MailIds> {
        let mut state = self.state();
        let now = state.now();
        let raw = seed.bytes.unwrap_or_else(|| seed.raw.into_bytes());
        let labels = seed.labels.unwrap_or_else(|| vec!["INBOX".to_owned(), "UNREAD".to_owned()]);
        let date = seed.internal_date.unwrap_or(now);
        let id = arrive(&mut state, user, Bytes::from(raw), labels.into_iter().collect(), date, seed.thread)?;
        let found = ids(state.users.get(user)?, &id);
        drop(state);
        self.bell.notify_waiters();
        found
    }

    /// Labels are added and removed, all in one record of the history.
    pub fn relabel(&self, user: &str, mails: &[String], add: &[&str], remove: &[&str]) -> Option<()> {
        let own = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        let (add, remove) = (own(add), own(remove));
        self.change(user, |mailbox, record| {
            for mail in mails {
                mailbox.relabel(mail, &add, &remove, record);
            }
            Some(())
        })
    }

    /// Mails are deleted for good, all in one record of the history.
    pub fn delete_mails(&self, user: &str, mails: &[String]) -> Option<()> {
        self.change(user, |mailbox, record| {
            for mail in mails {
                mailbox.remove(mail, record);
            }
            Some(())
        })
    }

    /// What lies in the trash and in spam goes for good, as it does after thirty days.
    pub fn purge(&self, user: &str) -> Option<usize> {
        self.change(user, |mailbox, record| {
            let gone: Vec<String> = mailbox
                .mails
                .values()
                .filter(|mail| mail.labels.contains("TRASH") || mail.labels.contains("SPAM"))
                .map(|mail| mail.id.clone())
                .collect();
            for id in &gone {
                mailbox.remove(id, record);
            }
            Some(gone.len())
        })
    }

    /// A label is made; its id.
    pub fn create_label(&self, user: &str, name: &str) -> Option<String> {
        self.change(user, |mailbox, _| labels::add(mailbox, &json!({"name": name})).ok())
    }

    /// A label gets another name.
    pub fn rename_label(&self, user: &str, label: &str, name: &str) -> Option<()> {
        self.change(user, |mailbox, _| mailbox.labels.get_mut(label).map(|label| name.clone_into(&mut label.name)))
    }

    /// A label goes, from its mails as well.
    pub fn delete_label(&self, user: &str, label: &str) -> Option<()> {
        self.change(user, |mailbox, record| {
            mailbox.remove_label(label, record);
            Some(())
        })
    }

    /// A draft is written.
    pub fn add_draft(&self, user: &str, raw: &str, thread: Option<String>) -> Option<DraftIds> {
        let now = self.clock.now();
        let raw = Bytes::from(raw.to_owned());
        self.change(user, |mailbox, record| {
            let labels = ["DRAFT".to_owned()].into();
            let new = NewMail { raw, labels, internal_date: now, thread, listed_from: now };
            let mail = mailbox.place(new, record);
            let id = mailbox.next_draft_id();
            mailbox.drafts.insert(id.clone(), mail.clone());
            Some(DraftIds { id, message: ids(mailbox, &mail)? })
        })
    }

    /// A draft is edited on Google's pages, which may give it another id; the thread stays.
    pub fn edit_draft(&self, user: &str, draft: &str, raw: &str, changes_id: bool) -> Option<DraftIds> {
        let now = self.clock.now();
        let raw = Bytes::from(raw.to_owned());
        self.change(user, |mailbox, record| {
            let old = mailbox.drafts.get(draft).cloned()?;
            let thread = mailbox.mails.get(&old).map(|mail| mail.thread.clone());
            mailbox.remove(&old, record);
            let labels = ["DRAFT".to_owned()].into();
            let new = NewMail { raw, labels, internal_date: now, thread, listed_from: now };
            let mail = mailbox.place(new, record);
            let id = if changes_id { mailbox.next_draft_id() } else { draft.to_owned() };
            mailbox.drafts.insert(id.clone(), mail.clone());
            Some(DraftIds { id, message: ids(mailbox, &mail)? })
        })
    }

    /// A mail is sent from Google's pages, in this thread if one is named.
    pub fn send_elsewhere(&self, user: &str, raw: &str, thread: Option<String>) -> Option<MailIds> {
        let mut state = self.state();
        let id = leave(&mut state, user, Bytes::from(raw.to_owned()), thread, Record::default()).ok()?;
        let found = ids(state.users.get(user)?, &id);
        drop(state);
        self.bell.notify_waiters();
        found
    }

    /// A draft is sent from Google's pages.
    pub fn send_draft_elsewhere(&self, user: &str, draft: &str) -> Option<MailIds> {
        let mut state = self.state();
        let mailbox = state.users.get_mut(user)?;
        let old = mailbox.drafts.get(draft).cloned()?;
        let (raw, thread) = mailbox.mails.get(&old).map(|mail| (mail.raw.clone(), mail.thread.clone()))?;
        let mut record = Record::default();
        mailbox.remove(&old, &mut record);
        let id = leave(&mut state, user, raw, Some(thread), record).ok()?;
        let found = ids(state.users.get(user)?, &id);
        drop(state);
        self.bell.notify_waiters();
        found
    }

    /// What left for the world so far, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// A mail as it lies in the mailbox.
    pub fn raw(&self, user: &str, id: &str) -> Option<Bytes> {
        self.state().users.get(user)?.mails.get(id).map(|mail| mail.raw.clone())
    }

    /// A field of a mail's head, as other clients see it, is there.
    pub fn has_field(&self, user: &str, id: &str, name: &str) -> bool {
        self.raw(user, id).is_some_and(|raw| head::has(&raw, name))
    }

    /// The whole mailbox as JSON, for comparisons.
    pub fn dump(&self, user: &str) -> Option<Value> {
        let state = self.state();
        let mailbox = state.users.get(user)?;
        let mails: Vec<Value> = mailbox
            .mails
            .values()
            .map(|mail| {
                let digest = ring::digest::digest(&ring::digest::SHA256, &mail.raw);
                json!({
                    "id": mail.id, "thread_id": mail.thread, "labels": mail.labels, "size": mail.raw.len(),
                    "internal_date": mail.internal_date, "history_id": mail.history_id,
                    "message_id": mail.facts.message_id, "subject": mail.facts.subject,
                    "sha256": HEXLOWER.encode(digest.as_ref()), "draft": mailbox.draft_of(&mail.id),
                })
            })
            .collect();
        let watches: Vec<Value> = mailbox
            .watches
            .iter()
            .map(|(project, watch)| json!({"project": project, "topic": watch.topic, "expires": watch.expires}))
            .collect();
        Some(json!({
            "email": mailbox.email, "history_id": mailbox.history_id, "history_floor": mailbox.history_floor,
            "mails": mails, "labels": mailbox.labels.values().collect::<Vec<_>>(), "drafts": mailbox.drafts,
            "send_as": mailbox.send_as, "watches": watches,
        }))
    }
}
