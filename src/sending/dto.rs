//! What is sent in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::{AccountId, ContactId, DealId, EmailId, UploadId};

/// A recipient.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    /// The address.
    pub email: String,
    /// The name to be written beside it.
    #[serde(default)]
    pub name: Option<String>,
}

/// A mail to be sent, or a draft.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailInput {
    /// The mailbox that it is sent from.
    pub account_id: AccountId,
    /// Another address of the mailbox to write it from.
    #[serde(default)]
    pub from_alias: Option<String>,
    /// The primary recipients; empty in an answer: derived from the mail that is answered.
    #[serde(default)]
    pub to: Vec<PersonInput>,
    /// The recipients of a copy.
    #[serde(default)]
    pub cc: Vec<PersonInput>,
    /// The recipients of a blind copy.
    #[serde(default)]
    pub bcc: Vec<PersonInput>,
    /// The subject; empty in an answer or a forward: derived.
    #[serde(default)]
    pub subject: Option<String>,
    /// The text as HTML.
    #[serde(default)]
    pub body_html: Option<String>,
    /// The text; derived from the HTML when absent.
    #[serde(default)]
    pub body_text: Option<String>,
    /// Files: uploads, or files of other mails and of this draft. One that the HTML shows as `cid:<its id>` is embedded.
    #[serde(default)]
    pub attachment_ids: Vec<Uuid>,
    /// The mail that it answers.
    #[serde(default)]
    pub reply_to_message_id: Option<EmailId>,
    /// Whether everybody in the mail that it answers gets it.
    #[serde(default)]
    pub reply_all: bool,
    /// The mail that it forwards, with its files.
    #[serde(default)]
    pub forward_message_id: Option<EmailId>,
    /// The template that it is made from.
    #[serde(default)]
    pub template_id: Option<Uuid>,
    /// Values for the variables of the template.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub variables: Option<BTreeMap<String, serde_json::Value>>,
    /// The contact that it is about.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// The deal that it is about.
    #[serde(default)]
    pub deal_id: Option<DealId>,
    /// Whether opens are tracked; absent: as the mailbox says.
    #[serde(default)]
    pub track_opens: Option<bool>,
    /// Whether clicks are tracked; absent: as the mailbox says.
    #[serde(default)]
    pub track_clicks: Option<bool>,
    /// Whether recipients can unsubscribe with one click (RFC 8058).
    #[serde(default)]
    pub unsubscribe: bool,
    /// When it is to be sent; absent: now.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
    /// Header fields of its own.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// When a draft is to be sent.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendDraftInput {
    /// The time; absent: now.
    #[serde(default)]
    pub scheduled_at: Option<Timestamp>,
}

/// How an uploaded file is called.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadParams {
    /// The name, when the body is the bare file.
    #[serde(default)]
    pub file_name: Option<String>,
}

/// A file that was brought in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UploadDto {
    /// Its id, for `attachment_ids`.
    pub id: UploadId,
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub mime_type: String,
    /// Its size, in bytes.
    pub size_bytes: u64,
}
