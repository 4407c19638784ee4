//! A mailbox as Gmail keeps it: mails with labels, drafts, labels, the history of changes.

use super::mime;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Labels that every mailbox has.
pub const SYSTEM_LABELS: [&str; 15] = [
    "INBOX",
    "SENT",
    "DRAFT",
    "TRASH",
    "SPAM",
    "UNREAD",
    "STARRED",
    "IMPORTANT",
    "CHAT",
    "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_UPDATES",
    "CATEGORY_FORUMS",
    "YELLOW_STAR",
];

/// Labels that Gmail alone sets and takes away.
pub const FIXED_LABELS: [&str; 3] = ["SENT", "DRAFT", "CHAT"];

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Sixteen hexadecimal digits; they name another mail in another mailbox.
    pub id: String,
    /// The id of the thread's first mail.
    pub thread: String,
    /// Ids of its labels.
    pub labels: BTreeSet<String>,
    /// The mail as in RFC 5322.
    pub raw: Bytes,
    /// When it came, in milliseconds: the order of lists.
    pub internal_date: i64,
    /// The history record that changed it last.
    pub history_id: u64,
    /// From when lists and searches know it.
    pub listed_from: i64,
    /// What lists and searches look at.
    pub facts: mime::Facts,
}

/// A label.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// `INBOX`, or `Label_<n>` for a user's own.
    pub id: String,
    /// The name a person sees.
    pub name: String,
    /// Whether its mails show in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_list_visibility: Option<String>,
    /// Whether it shows in the list of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_list_visibility: Option<String>,
    /// `system` or `user`.
    pub r#type: &'static str,
    /// Its colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<serde_json::Value>,
}

/// A mail as a history record mentions it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The mail's id.
    pub id: String,
    /// Its thread.
    pub thread: String,
    /// Its labels after the change.
    pub labels: BTreeSet<String>,
}

/// One record of the history. It may hold several kinds of change at once.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its number; numbers rise with gaps.
    pub id: u64,
    /// From when `history.list` shows it.
    pub visible_from: i64,
    /// Mails that came.
    pub added: Vec<Mention>,
    /// Mails that are gone for good.
    pub deleted: Vec<Mention>,
    /// Labels that mails got.
    pub labels_added: Vec<(Mention, Vec<String>)>,
    /// Labels that mails lost.
    pub labels_removed: Vec<(Mention, Vec<String>)>,
}

impl Record {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.deleted.is_empty()
            && self.labels_added.is_empty()
            && self.labels_removed.is_empty()
    }

    /// Every mail it mentions, as often as it does.
    pub fn mentions(&self) -> impl Iterator<Item = &Mention> {
        let labelled = self.labels_added.iter().chain(&self.labels_removed).map(|(mention, _)| mention);
        self.added.iter().chain(&self.deleted).chain(labelled)
    }
}

/// An address that the user may send from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SendAs {
    /// The address.
    pub send_as_email: String,
    /// The name beside it.
    pub display_name: String,
    /// Where answers go.
    pub reply_to_address: String,
    /// HTML that the web interface appends.
    pub signature: String,
    /// Whether it is the mailbox's own address.
    #[serde(skip_serializing_if = "is_false")]
    pub is_primary: bool,
    /// Whether new mails are written from it.
    #[serde(skip_serializing_if = "is_false")]
    pub is_default: bool,
    /// Whether it belongs to the same person.
    pub treat_as_alias: bool,
    /// `accepted` or `pending`; the primary address has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_status: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A standing order to announce changes.
#[derive(Clone, Debug)]
pub struct Watch {
    /// `projects/p/topics/t`.
    pub topic: String,
    /// The labels it is about; all changes if there are none.
    pub labels: Vec<String>,
    /// Whether it is about mails without these labels instead.
    pub excludes: bool,
    /// When it ends, in milliseconds.
    pub expires: i64,
}

/// A mail on its way out that was handed to the world.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// The mailbox it left.
    pub user: String,
    /// The mail's id there.
    pub id: String,
    /// Every address of To, Cc and Bcc, in lower case.
    pub recipients: Vec<String>,
    /// Its Message-ID as the world sees it.
    pub message_id: String,
    /// Its subject, decoded.
    pub subject: String,
    /// When, in milliseconds.
    pub at: i64,
    /// As recipients get it: without Bcc.
    #[serde(skip)]
    pub raw: Bytes,
}

/// One user's mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// The primary address, in lower case.
    pub email: String,
    /// The `sub` of its identity tokens.
    pub subject: String,
    /// Whether it belongs to a Workspace: 2,000 mails a day instead of 500.
    pub workspace: bool,
    /// Whether Gmail is switched off for it.
    pub disabled: bool,
    /// Mails by id.
    pub mails: BTreeMap<String, Mail>,
    /// Ids of the mails with this Message-ID.
    pub by_message_id: BTreeMap<String, Vec<String>>,
    /// Labels by id.
    pub labels: BTreeMap<String, Label>,
    /// The mail of each draft.
    pub drafts: BTreeMap<String, String>,
    /// Records, oldest first.
    pub history: Vec<Record>,
    /// The last number given out.
    pub history_id: u64,
    /// Numbers below are forgotten.
    pub history_floor: u64,
    /// Addresses to send from; the primary one first.
    pub send_as: Vec<SendAs>,
    /// One watch for each project.
    pub watches: BTreeMap<String, Watch>,
    /// When a project's last notification left, in milliseconds.
    pub notified: BTreeMap<String, i64>,
    /// When mails were sent in the last day.
    pub sent_at: VecDeque<i64>,
    /// How many ids of each kind were given out.
    pub given: Given,
}

/// Counters behind the ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// Mails.
    pub mails: u64,
    /// Drafts.
    pub drafts: u64,
    /// Labels.
    pub labels: u64,
}
