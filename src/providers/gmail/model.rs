//! What the Gmail API tells, as Duplex needs it.

use bytes::Bytes;
use chrono::{DateTime, Utc};

/// The mailbox itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its address.
    pub email_address: String,
    /// Mails in it.
    pub messages_total: u64,
    /// Conversations in it.
    pub threads_total: u64,
    /// Its place in the history now.
    pub history_id: u64,
}

/// A mail by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// The id, which never changes.
    pub id: String,
    /// The conversation.
    pub thread_id: String,
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Mails that have all of these labels.
    pub label_ids: Vec<String>,
    /// A search as in Gmail's own search box.
    pub q: Option<String>,
    /// Whether trash and spam are listed too.
    pub include_spam_trash: bool,
    /// Where the last page ended.
    pub page_token: Option<String>,
    /// Mails of a page, 500 at most.
    pub max: u32,
}

/// A page of mails, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The mails.
    pub messages: Vec<MessageRef>,
    /// Where the next page begins; none after the last one.
    pub next_page_token: Option<String>,
}

/// What changes about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// The id.
    pub id: String,
    /// The conversation.
    pub thread_id: String,
    /// Its labels.
    pub label_ids: Vec<String>,
    /// The last change of it.
    pub history_id: Option<u64>,
    /// When Gmail got it.
    pub internal_date: Option<DateTime<Utc>>,
    /// Its size in octets, roughly.
    pub size_estimate: Option<u64>,
}

/// A mail with some of its header fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageMetadata {
    /// What changes about it.
    pub state: MessageState,
    /// The fields that were asked for and are there, in their order.
    pub headers: Vec<(String, String)>,
}

/// A whole mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// The id.
    pub id: String,
    /// The conversation.
    pub thread_id: String,
    /// Its labels.
    pub label_ids: Vec<String>,
    /// The last change of it.
    pub history_id: Option<u64>,
    /// When Gmail got it.
    pub internal_date: Option<DateTime<Utc>>,
    /// Its size in octets, roughly.
    pub size_estimate: Option<u64>,
    /// The mail (RFC 5322).
    pub raw: Bytes,
}

/// A mail as the history mentions it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryMessage {
    /// The id.
    pub id: String,
    /// The conversation.
    pub thread_id: String,
    /// Its labels, which are not always told.
    pub label_ids: Option<Vec<String>>,
}

/// Labels that a mail got or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLabels {
    /// The mail.
    pub message: HistoryMessage,
    /// The labels.
    pub labels: Vec<String>,
}

/// One entry of the history; each kind of change stands for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Its place in the history; no place to ask from.
    pub id: u64,
    /// Mails that came into the mailbox.
    pub added: Vec<HistoryMessage>,
    /// Mails that were deleted for good.
    pub deleted: Vec<HistoryMessage>,
    /// Labels that mails got.
    pub labels_added: Vec<HistoryLabels>,
    /// Labels that mails lost.
    pub labels_removed: Vec<HistoryLabels>,
}

/// A page of the history, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// The entries.
    pub records: Vec<HistoryRecord>,
    /// The mailbox's place now; counts only after the last page.
    pub history_id: u64,
    /// Where the next page begins; none after the last one.
    pub next_page_token: Option<String>,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The id.
    pub id: String,
    /// Its name; of those of people with `/` between the levels.
    pub name: String,
    /// Whether it is one of Gmail's own.
    pub is_system: bool,
}

/// How many mails have a label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelCounts {
    /// All of them.
    pub total: u64,
    /// Those that are not read.
    pub unread: u64,
}

/// A draft: a box with an id that holds a mail, another one after each change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The id of the box.
    pub id: String,
    /// The mail in it.
    pub message: MessageRef,
}

/// A page of drafts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftPage {
    /// The drafts.
    pub drafts: Vec<Draft>,
    /// Where the next page begins; none after the last one.
    pub next_page_token: Option<String>,
}

/// An address that mail may be sent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendAs {
    /// The address.
    pub address: String,
    /// The name beside it.
    pub display_name: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Its signature, as HTML.
    pub signature_html: Option<String>,
    /// Whether it is the mailbox's own address.
    pub is_primary: bool,
    /// Whether it is used where no other is chosen.
    pub is_default: bool,
    /// Whether it may be used: Gmail silently replaces one that is not.
    pub is_verified: bool,
}

/// Notifications that were ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The mailbox's place in the history when they began.
    pub history_id: u64,
    /// When they end unless they are ordered again.
    pub expires_at: Option<DateTime<Utc>>,
}
