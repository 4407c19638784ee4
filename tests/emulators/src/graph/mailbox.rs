//! What can happen to one mailbox. Each change is written into a journal; the caller commits it.

use super::errors::ApiError;
use super::ids::{Ids, Kind, is_wellformed};
use super::model::{Content, Folder, Given, Mail, Mailbox, Reason, What};
use super::well_known::{ROOT, WELL_KNOWN};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};

/// What happened, in order.
pub type Journal = Vec<What>;

/// A mail about to be placed.
#[derive(Clone, Debug, Default)]
pub struct NewMail {
    /// What it says.
    pub content: Content,
    /// The folder.
    pub folder: u64,
    /// When it came, in milliseconds.
    pub received: i64,
    /// When it left, in milliseconds.
    pub sent: i64,
    /// Whether it is still being written.
    pub is_draft: bool,
    /// Whether it left from here.
    pub is_sent: bool,
    /// Whether somebody read it.
    pub is_read: bool,
    /// The conversation; by its references and its subject if not set.
    pub conversation: Option<u64>,
    /// Now, in milliseconds.
    pub now: i64,
    /// Whether an equal subject is enough for a conversation.
    pub subject_joins: bool,
}

impl Mailbox {
    /// An empty mailbox with the folders that every one has.
    pub fn new(user: &str, in_german: bool) -> Self {
        let mut mailbox = Self {
            ids: Ids::new(user),
            mails: BTreeMap::new(),
            by_place: BTreeMap::new(),
            by_message_id: BTreeMap::new(),
            by_subject: BTreeMap::new(),
            folders: BTreeMap::new(),
            changes: Vec::new(),
            last_change: 0,
            given: Given::default(),
            sent_at: VecDeque::new(),
            recipients_at: VecDeque::new(),
            generation: 0,
            link_generation: 0,
        };
        for known in &WELL_KNOWN {
            mailbox.given.folders += 1;
            let number = mailbox.given.folders;
            let parent = mailbox.well_known(known.parent).unwrap_or(number);
            let name = if in_german { known.shown.1 } else { known.shown.0 }.to_owned();
            let (well_known, is_hidden) = (Some(known.name), known.is_hidden);
            mailbox.folders.insert(number, Folder { number, name, parent, is_hidden, well_known, query: None });
        }
        mailbox
    }

    /// The number of a folder that every mailbox has.
    pub fn well_known(&self, name: &str) -> Option<u64> {
        let is_it = |folder: &&Folder| folder.well_known.is_some_and(|known| known.eq_ignore_ascii_case(name));
        self.folders.values().find(is_it).map(|folder| folder.number)
    }

    /// The same for one that is always there.
    pub fn the(&self, name: &str) -> u64 {
        self.well_known(name).unwrap_or(1)
    }

    /// A folder by id or by the name that every mailbox knows.
    pub fn folder(&self, id: &str) -> Result<&Folder, ApiError> {
        if let Some(number) = self.well_known(id) {
            return self.folders.get(&number).ok_or_else(ApiError::not_found);
        }
        match self.ids.parse(id) {
            Some(named) if named.kind == Kind::Folder => {
                self.folders.get(&named.number).ok_or_else(ApiError::not_found)
            }
            None if is_wellformed(id) => Err(ApiError::not_found()),
            _ => Err(ApiError::malformed_id()),
        }
    }

    /// A mail by either of its ids. One that is on its way is nowhere.
    pub fn mail(&self, id: &str) -> Result<&Mail, ApiError> {
        let key = self.key(id)?;
        let mail = self.mails.get(&key).filter(|mail| mail.folder != 0);
        mail.ok_or_else(ApiError::not_found)
    }

    /// The key behind either id of a mail.
    pub fn key(&self, id: &str) -> Result<u64, ApiError> {
        let named = match self.ids.parse(id) {
            Some(named) if named.kind != Kind::Folder && named.attachment == 0 => named,
            None if is_wellformed(id) => return Err(ApiError::not_found()),
            _ => return Err(ApiError::malformed_id()),
        };
        match named.kind {
            Kind::Lasting => Ok(named.number),
            _ => self.by_place.get(&named.number).copied().ok_or_else(ApiError::not_found),
        }
    }

    /// Whether people see the folder, below the root and not among what can be recovered.
    pub fn is_visible(&self, folder: u64) -> bool {
        let root = self.the(ROOT);
        let mut at = folder;
        for _ in 0..300 {
            match self.folders.get(&at) {
                Some(folder) if folder.number == root => return true,
                Some(folder) if folder.parent != at => at = folder.parent,
                _ => return false,
            }
        }
        false
    }

    /// Puts a mail into the mailbox and returns its key.
    pub fn place(&mut self, new: NewMail, journal: &mut Journal) -> u64 {
        self.given.mails += 1;
        self.given.places += 1;
        let (key, place) = (self.given.mails, self.given.places);
        let conversation = new.conversation.unwrap_or_else(|| self.conversation(&new.content, new.subject_joins));
        let mail = Mail {
            key,
            place,
            folder: new.folder,
            content: new.content,
            is_draft: new.is_draft,
            is_sent: new.is_sent,
            is_read: new.is_read,
            flag: json!({"flagStatus": "notFlagged"}),
            categories: Vec::new(),
            inference: "focused".to_owned(),
            received: new.received,
            sent: new.sent,
            created: new.now,
            modified: new.now,
            version: 1,
            conversation,
            single_values: BTreeMap::new(),
            multi_values: BTreeMap::new(),
            is_leaving: false,
        };
        self.index(&mail);
        self.mails.insert(key, mail);
        self.by_place.insert(place, key);
        journal.push(What::Entered { mail: key, place, folder: new.folder });
        key
    }

    /// The conversation of a mail: that of a mail it refers to, or of one with the same subject.
    fn conversation(&mut self, content: &Content, subject_joins: bool) -> u64 {
        let references = content.references.split(' ').rev().chain(content.in_reply_to.split(' '));
        let by_reference = references.filter_map(|id| self.by_message_id.get(id)).next().copied();
        let has_none = content.references.is_empty() && content.in_reply_to.is_empty();
        let by_subject = || self.by_subject.get(&plain_subject(&content.subject)).copied();
        by_reference.or_else(|| (subject_joins && has_none).then(by_subject).flatten()).unwrap_or_else(|| {
            self.given.conversations += 1;
            self.given.conversations
        })
    }

    /// Lets mails that come later find the conversation of this one.
    pub fn index(&mut self, mail: &Mail) {
        let (id, subject) = (&mail.content.message_id, plain_subject(&mail.content.subject));
        if !id.is_empty() {
            self.by_message_id.insert(id.clone(), mail.conversation);
        }
        if !subject.is_empty() {
            self.by_subject.insert(subject, mail.conversation);
        }
    }

    /// Changes a mail where it lies.
    pub fn change(
        &mut self,
        key: u64,
        properties: Vec<&'static str>,
        journal: &mut Journal,
        change: impl FnOnce(&mut Mail),
    ) {
        let Some(mail) = self.mails.get_mut(&key) else {
            return;
        };
        change(mail);
        if !properties.is_empty() {
            let (place, folder) = (mail.place, mail.folder);
            journal.push(What::Changed { mail: key, place, folder, properties });
        }
    }

    /// Moves a mail, which gives it another place.
    pub fn relocate(&mut self, key: u64, folder: u64, journal: &mut Journal) {
        let Some(mail) = self.mails.get_mut(&key) else {
            return;
        };
        let (old_place, old_folder) = (mail.place, mail.folder);
        self.given.places += 1;
        mail.place = self.given.places;
        mail.folder = folder;
        self.by_place.remove(&old_place);
        self.by_place.insert(mail.place, key);
        if old_folder != 0 {
            journal.push(What::Left { mail: key, place: old_place, folder: old_folder, reason: Reason::Deleted });
        }
        if folder != 0 {
            journal.push(What::Entered { mail: key, place: mail.place, folder });
        }
    }

    /// Copies a mail; the key of the copy.
    pub fn duplicate(&mut self, key: u64, folder: u64, now: i64, journal: &mut Journal) -> Option<u64> {
        let mut copy = self.mails.get(&key)?.clone();
        self.given.mails += 1;
        self.given.places += 1;
        (copy.key, copy.place, copy.folder) = (self.given.mails, self.given.places, folder);
        (copy.created, copy.modified, copy.version, copy.is_leaving) = (now, now, 1, false);
        let (key, place) = (copy.key, copy.place);
        self.by_place.insert(place, key);
        self.mails.insert(key, copy);
        journal.push(What::Entered { mail: key, place, folder });
        Some(key)
    }

    /// Removes a mail for good.
    pub fn remove(&mut self, key: u64, journal: &mut Journal) {
        if let Some(mail) = self.mails.remove(&key) {
            self.by_place.remove(&mail.place);
            let (place, folder) = (mail.place, mail.folder);
            if folder != 0 {
                journal.push(What::Left { mail: key, place, folder, reason: Reason::Deleted });
            }
        }
    }

    /// Mails and unread mails of each folder.
    pub fn counts(&self) -> BTreeMap<u64, (usize, usize)> {
        let mut counts: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for mail in self.mails.values() {
            let (total, unread) = counts.entry(mail.folder).or_default();
            *total += 1;
            *unread += usize::from(!mail.is_read);
        }
        counts
    }

    /// The folder and all below it.
    pub fn tree(&self, folder: u64) -> Vec<u64> {
        let mut found = vec![folder];
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            let inner = self.folders.values().filter(|one| one.parent == parent && one.number != parent);
            found.extend(inner.map(|one| one.number));
            at += 1;
        }
        found
    }
}

/// A subject as conversations compare it: without prefixes, in lower case.
pub fn plain_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((prefix, after)) = rest.split_once(':') {
        if !["re", "fw", "fwd", "aw", "wg"].contains(&prefix.trim().to_ascii_lowercase().as_str()) {
            break;
        }
        rest = after.trim();
    }
    rest.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
