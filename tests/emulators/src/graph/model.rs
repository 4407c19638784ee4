//! A mailbox as Exchange keeps it: folders, mails taken apart, and what happened to them.

use super::ids::{Ids, Kind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// One person of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The name beside the address.
    pub name: String,
    /// The address as written.
    pub address: String,
}

/// What an attachment holds.
#[derive(Clone, Debug)]
pub enum Held {
    /// A file.
    File(Bytes),
    /// A mail.
    Item(Bytes),
    /// A link to a file elsewhere.
    Reference(String),
}

/// An attachment.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its number within the mail, from 1.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// How HTML refers to it, without angle brackets.
    pub content_id: Option<String>,
    /// Where it says it lies.
    pub location: Option<String>,
    /// Whether it belongs into the text.
    pub is_inline: bool,
    /// When it was changed last, in milliseconds.
    pub modified: i64,
    /// What it holds.
    pub held: Held,
}

impl Attachment {
    /// Bytes it holds.
    pub fn len(&self) -> usize {
        match &self.held {
            Held::File(bytes) | Held::Item(bytes) => bytes.len(),
            Held::Reference(link) => link.len(),
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a mail says.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The decoded subject.
    pub subject: String,
    /// Who wrote it.
    pub from: Option<Recipient>,
    /// Who sent it.
    pub sender: Option<Recipient>,
    /// To whom.
    pub to: Vec<Recipient>,
    /// To whom else.
    pub cc: Vec<Recipient>,
    /// To whom in secret.
    pub bcc: Vec<Recipient>,
    /// Where answers go.
    pub reply_to: Vec<Recipient>,
    /// The HTML, if there is any.
    pub html: Option<String>,
    /// The plain text, if there is any.
    pub text: Option<String>,
    /// Fields of the head as they came, unfolded and still encoded.
    pub headers: Vec<(String, String)>,
    /// Its Message-ID with the angle brackets.
    pub message_id: String,
    /// `In-Reply-To`.
    pub in_reply_to: String,
    /// `References`.
    pub references: String,
    /// `low`, `normal` or `high`.
    pub importance: String,
    /// What is attached.
    pub attachments: Vec<Attachment>,
    /// Media type, encoding and body where the structure has to stay as it is: signed, encrypted, reports.
    pub verbatim: Option<Bytes>,
    /// `Date` in milliseconds.
    pub date: Option<i64>,
    /// Whether it is about a meeting.
    pub is_meeting: bool,
    /// Whether a receipt for reading is asked for.
    pub wants_read_receipt: bool,
    /// Whether a receipt for delivery is asked for.
    pub wants_delivery_receipt: bool,
    /// `Thread-Index`, decoded.
    pub thread_index: Vec<u8>,
}

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The number behind the id that lasts.
    pub key: u64,
    /// The number behind the id that changes with each move.
    pub place: u64,
    /// The folder it lies in.
    pub folder: u64,
    /// What it says.
    pub content: Content,
    /// Whether it is still being written.
    pub is_draft: bool,
    /// Whether it left from here.
    pub is_sent: bool,
    /// Whether somebody read it.
    pub is_read: bool,
    /// The flag, as Graph shows it.
    pub flag: serde_json::Value,
    /// Categories in order.
    pub categories: Vec<String>,
    /// `focused` or `other`.
    pub inference: String,
    /// When it came, in milliseconds.
    pub received: i64,
    /// When it left, in milliseconds.
    pub sent: i64,
    /// When it was made, in milliseconds.
    pub created: i64,
    /// When it was changed last, in milliseconds.
    pub modified: i64,
    /// Raised by each change.
    pub version: u64,
    /// The conversation.
    pub conversation: u64,
    /// Single values by id.
    pub single_values: BTreeMap<String, String>,
    /// Lists of values by id.
    pub multi_values: BTreeMap<String, Vec<String>>,
    /// Whether it was handed to the transport.
    pub is_leaving: bool,
}

impl Mail {
    /// Whether it shows as having attachments: inline ones do not count.
    pub fn has_attachments(&self) -> bool {
        self.content.attachments.iter().any(|attachment| !attachment.is_inline)
    }

    /// Takes over how important JSON calls it.
    pub fn importance_from(&mut self, body: &serde_json::Value) {
        if let Some(importance) = body.get("importance").and_then(serde_json::Value::as_str) {
            self.content.importance = importance.to_lowercase();
        }
    }

    /// Its number for ids of this kind.
    pub fn number(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Lasting => self.key,
            _ => self.place,
        }
    }
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its number.
    pub number: u64,
    /// What a person sees.
    pub name: String,
    /// The folder it lies in; the root lies in itself.
    pub parent: u64,
    /// Whether lists leave it out unless they are asked.
    pub is_hidden: bool,
    /// The name by which every mailbox knows it.
    pub well_known: Option<&'static str>,
    /// The query of a search folder.
    pub query: Option<String>,
}

/// Why a mail is no longer in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is gone.
    Deleted,
    /// It does not fit any more, which for mails means the same.
    Changed,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A mail came into a folder.
    Entered {
        /// The mail.
        mail: u64,
        /// Its number there.
        place: u64,
        /// The folder.
        folder: u64,
    },
    /// A mail changed where it lies.
    Changed {
        /// The mail.
        mail: u64,
        /// Its number there.
        place: u64,
        /// The folder.
        folder: u64,
        /// The properties that changed.
        properties: Vec<&'static str>,
    },
    /// A mail left a folder.
    Left {
        /// The mail.
        mail: u64,
        /// The number it had there.
        place: u64,
        /// The folder.
        folder: u64,
        /// Why.
        reason: Reason,
    },
    /// A folder came, changed or went.
    Folder {
        /// The folder.
        folder: u64,
        /// Whether it is gone.
        is_gone: bool,
    },
}

/// What happened, numbered.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its number; numbers rise.
    pub number: u64,
    /// From when delta queries show it.
    pub visible_from: i64,
    /// What happened.
    pub what: What,
}

/// Counters behind the numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// Mails.
    pub mails: u64,
    /// Places of mails.
    pub places: u64,
    /// Folders.
    pub folders: u64,
    /// Conversations.
    pub conversations: u64,
}

/// One user's mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// How its ids are made.
    pub ids: Ids,
    /// Mails by key.
    pub mails: BTreeMap<u64, Mail>,
    /// The mail at each place.
    pub by_place: BTreeMap<u64, u64>,
    /// Conversations by the Message-IDs of their mails.
    pub by_message_id: BTreeMap<String, u64>,
    /// Conversations by plain subject, the newest.
    pub by_subject: BTreeMap<String, u64>,
    /// Folders by number.
    pub folders: BTreeMap<u64, Folder>,
    /// What happened, oldest first.
    pub changes: Vec<Change>,
    /// The last number given to a change.
    pub last_change: u64,
    /// Counters.
    pub given: Given,
    /// When mails left in the last minute.
    pub sent_at: VecDeque<i64>,
    /// To how many a mail went, and when, in the last day.
    pub recipients_at: VecDeque<(i64, usize)>,
    /// Raised to make the tokens of delta queries given out so far worthless.
    pub generation: u64,
    /// The same for links to the next page alone.
    pub link_generation: u64,
}
