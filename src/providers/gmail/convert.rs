//! From the library's types to ours. Google marks everything as optional; what is needed is checked here.

use chrono::{DateTime, Utc};
use google_gmail1::api;

use super::model::{
    Draft, HistoryLabels, HistoryMessage, HistoryRecord, Label, LabelCounts, MessageMetadata, MessageRef, MessageState,
    Profile, RawMessage, SendAs, Watch,
};
use crate::providers::{ProviderError, ProviderErrorKind};

/// An answer that lacks what it must have.
pub(super) fn lacks(what: &str) -> ProviderError {
    let error = ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_answer_invalid",
        format!("Gmail's answer lacks {what}. It is asked again by itself."),
    );
    ProviderError { may_be_done: true, ..error }
}

/// What must be there.
pub(super) fn required<T>(value: Option<T>, what: &str) -> Result<T, ProviderError> {
    value.ok_or_else(|| lacks(what))
}

/// What can be read of a list. What cannot is left out, and the rest counts.
pub(super) fn known<A, T: TryFrom<A>>(items: Option<Vec<A>>, odd: &'static str) -> Vec<T> {
    let read = |item| T::try_from(item).inspect_err(|_| tracing::warn!(odd, "Gmail lists something unreadable")).ok();
    items.unwrap_or_default().into_iter().filter_map(read).collect()
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
            size_estimate: state.size_estimate,
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

impl From<api::History> for HistoryRecord {
    fn from(record: api::History) -> Self {
        let labels = |message, labels: Option<Vec<String>>| {
            Some(HistoryLabels { message: HistoryMessage::of(message)?, labels: labels.unwrap_or_default() })
        };
        let added = record.messages_added.unwrap_or_default().into_iter();
        let deleted = record.messages_deleted.unwrap_or_default().into_iter();
        let labels_added = record.labels_added.unwrap_or_default().into_iter();
        let labels_removed = record.labels_removed.unwrap_or_default().into_iter();
        Self {
            id: record.id.unwrap_or_default(),
            added: added.filter_map(|change| HistoryMessage::of(change.message)).collect(),
            deleted: deleted.filter_map(|change| HistoryMessage::of(change.message)).collect(),
            labels_added: labels_added.filter_map(|change| labels(change.message, change.label_ids)).collect(),
            labels_removed: labels_removed.filter_map(|change| labels(change.message, change.label_ids)).collect(),
        }
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
