//! What the Gmail API tells, as Duplex needs it. What Google marks as optional and is needed is checked here.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use google_gmail1::api;

use crate::providers::{ProviderError, ProviderErrorKind};

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
    /// Its place in the history.
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

/// An answer that lacks what it must have.
pub(super) fn lacks(what: &str) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_answer_invalid",
        format!("Gmail's answer lacks {what}. It is asked again by itself."),
    )
}

/// What must be there.
pub(super) fn required<T>(value: Option<T>, what: &str) -> Result<T, ProviderError> {
    value.ok_or_else(|| lacks(what))
}

fn count(value: Option<i32>) -> u64 {
    value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
}

fn date(millis: Option<i64>) -> Option<DateTime<Utc>> {
    millis.and_then(DateTime::from_timestamp_millis)
}

impl TryFrom<api::Profile> for Profile {
    type Error = ProviderError;

    fn try_from(profile: api::Profile) -> Result<Self, ProviderError> {
        Ok(Self {
            email_address: required(profile.email_address, "the mailbox's address")?,
            messages_total: count(profile.messages_total),
            threads_total: count(profile.threads_total),
            history_id: required(profile.history_id, "the place in the history")?,
        })
    }
}

impl TryFrom<api::Message> for MessageRef {
    type Error = ProviderError;

    fn try_from(message: api::Message) -> Result<Self, ProviderError> {
        let id = required(message.id, "the id of a mail")?;
        Ok(Self { thread_id: message.thread_id.unwrap_or_else(|| id.clone()), id })
    }
}

impl TryFrom<api::Message> for MessageState {
    type Error = ProviderError;

    fn try_from(message: api::Message) -> Result<Self, ProviderError> {
        let id = required(message.id, "the id of a mail")?;
        Ok(Self {
            thread_id: message.thread_id.unwrap_or_else(|| id.clone()),
            id,
            label_ids: message.label_ids.unwrap_or_default(),
            history_id: message.history_id,
            internal_date: date(message.internal_date),
            size_estimate: message.size_estimate.and_then(|size| u64::try_from(size).ok()),
        })
    }
}

impl TryFrom<api::Message> for MessageMetadata {
    type Error = ProviderError;

    fn try_from(mut message: api::Message) -> Result<Self, ProviderError> {
        let headers = message.payload.take().and_then(|payload| payload.headers).unwrap_or_default();
        let headers = headers.into_iter().filter_map(|header| Some((header.name?, header.value.unwrap_or_default())));
        Ok(Self { headers: headers.collect(), state: message.try_into()? })
    }
}

impl TryFrom<api::Message> for RawMessage {
    type Error = ProviderError;

    fn try_from(mut message: api::Message) -> Result<Self, ProviderError> {
        let raw = required(message.raw.take(), "the mail itself")?;
        let state = MessageState::try_from(message)?;
        Ok(Self {
            id: state.id,
            thread_id: state.thread_id,
            label_ids: state.label_ids,
            history_id: state.history_id,
            internal_date: state.internal_date,
            raw: raw.into(),
        })
    }
}

impl HistoryMessage {
    fn of(message: Option<api::Message>) -> Option<Self> {
        let message = message?;
        let id = message.id?;
        Some(Self { thread_id: message.thread_id.unwrap_or_else(|| id.clone()), id, label_ids: message.label_ids })
    }
}

impl TryFrom<api::History> for HistoryRecord {
    type Error = ProviderError;

    fn try_from(record: api::History) -> Result<Self, ProviderError> {
        let labels = |message, labels: Option<Vec<String>>| {
            Some(HistoryLabels { message: HistoryMessage::of(message)?, labels: labels.unwrap_or_default() })
        };
        let added = record.messages_added.unwrap_or_default().into_iter();
        let deleted = record.messages_deleted.unwrap_or_default().into_iter();
        let labels_added = record.labels_added.unwrap_or_default().into_iter();
        let labels_removed = record.labels_removed.unwrap_or_default().into_iter();
        Ok(Self {
            id: required(record.id, "the id of a change")?,
            added: added.filter_map(|change| HistoryMessage::of(change.message)).collect(),
            deleted: deleted.filter_map(|change| HistoryMessage::of(change.message)).collect(),
            labels_added: labels_added.filter_map(|change| labels(change.message, change.label_ids)).collect(),
            labels_removed: labels_removed.filter_map(|change| labels(change.message, change.label_ids)).collect(),
        })
    }
}

impl TryFrom<api::Label> for Label {
    type Error = ProviderError;

    fn try_from(label: api::Label) -> Result<Self, ProviderError> {
        let id = required(label.id, "the id of a label")?;
        Ok(Self {
            name: label.name.unwrap_or_else(|| id.clone()),
            is_system: label.type_.as_deref() == Some("system"),
            id,
        })
    }
}

impl From<api::Label> for LabelCounts {
    fn from(label: api::Label) -> Self {
        Self { total: count(label.messages_total), unread: count(label.messages_unread) }
    }
}

impl TryFrom<api::Draft> for Draft {
    type Error = ProviderError;

    fn try_from(draft: api::Draft) -> Result<Self, ProviderError> {
        Ok(Self {
            id: required(draft.id, "the id of a draft")?,
            message: required(draft.message, "the mail of a draft")?.try_into()?,
        })
    }
}

impl From<api::SendAs> for SendAs {
    fn from(address: api::SendAs) -> Self {
        let text = |value: Option<String>| value.filter(|text| !text.is_empty());
        let is_primary = address.is_primary.unwrap_or_default();
        Self {
            is_verified: is_primary || address.verification_status.as_deref() == Some("accepted"),
            address: address.send_as_email.unwrap_or_default(),
            display_name: text(address.display_name),
            reply_to: text(address.reply_to_address),
            signature_html: text(address.signature),
            is_primary,
            is_default: address.is_default.unwrap_or_default(),
        }
    }
}

impl TryFrom<api::WatchResponse> for Watch {
    type Error = ProviderError;

    fn try_from(watch: api::WatchResponse) -> Result<Self, ProviderError> {
        Ok(Self {
            history_id: required(watch.history_id, "the place in the history")?,
            expires_at: date(watch.expiration),
        })
    }
}
