//! What Graph tells. Nearly every field may be missing: changes come as the parts that changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A person with an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailAddress {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// An author or recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Who it is.
    #[serde(default)]
    pub email_address: EmailAddress,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyType {
    /// Plain text.
    #[default]
    Text,
    /// HTML, cleaned by Exchange.
    Html,
}

/// The text of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// How it is written.
    #[serde(default)]
    pub content_type: BodyType,
    /// The text.
    #[serde(default)]
    pub content: String,
}

/// Whether a mail has a flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlagStatus {
    /// It has none.
    #[default]
    NotFlagged,
    /// It has one.
    Flagged,
    /// What it was for is done.
    Complete,
}

/// The flag of a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flag {
    /// Whether it is there.
    #[serde(default)]
    pub flag_status: FlagStatus,
}

/// A header field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(default)]
    pub value: String,
}

/// A mail, as far as it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each is the property of the same name of Graph's message resource")]
pub struct GraphMessage {
    pub id: String,
    pub parent_folder_id: Option<String>,
    pub conversation_id: Option<String>,
    pub internet_message_id: Option<String>,
    pub change_key: Option<String>,
    pub subject: Option<String>,
    pub body: Option<Body>,
    pub from: Option<Recipient>,
    pub sender: Option<Recipient>,
    pub to_recipients: Option<Vec<Recipient>>,
    pub cc_recipients: Option<Vec<Recipient>>,
    pub bcc_recipients: Option<Vec<Recipient>>,
    pub reply_to: Option<Vec<Recipient>>,
    pub received_date_time: Option<DateTime<Utc>>,
    pub sent_date_time: Option<DateTime<Utc>>,
    pub last_modified_date_time: Option<DateTime<Utc>>,
    pub is_read: Option<bool>,
    pub is_draft: Option<bool>,
    pub flag: Option<Flag>,
    pub categories: Option<Vec<String>>,
    pub has_attachments: Option<bool>,
    pub internet_message_headers: Option<Vec<Header>>,
}

/// A folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each is the property of the same name of Graph's mailFolder resource")]
pub struct GraphFolder {
    pub id: String,
    pub display_name: String,
    pub parent_folder_id: Option<String>,
    pub child_folder_count: u32,
    pub total_item_count: u64,
    pub unread_item_count: u64,
    pub is_hidden: bool,
    /// Set for folders that are searches and hold no mail.
    #[serde(rename = "@odata.type")]
    pub odata_type: Option<String>,
}

/// Who the mailbox belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each is the property of the same name of Graph's user resource")]
pub struct GraphUser {
    pub id: String,
    pub mail: Option<String>,
    pub user_principal_name: Option<String>,
    pub display_name: Option<String>,
    pub proxy_addresses: Vec<String>,
}

/// A file that is attached, without its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each is the property of the same name of Graph's attachment resource")]
pub struct GraphAttachment {
    #[serde(rename = "@odata.type")]
    pub odata_type: String,
    pub id: String,
    pub name: Option<String>,
    pub content_type: Option<String>,
    pub size: u64,
    pub is_inline: bool,
    pub content_id: Option<String>,
}

/// An order for notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub resource: String,
    /// When it ends: what Graph says counts, not what was asked.
    pub expiration_date_time: Option<DateTime<Utc>>,
}

/// A list of things.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new")]
    pub value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub next: Option<String>,
}
