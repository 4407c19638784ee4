//! A mail as the API shows it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::OutgoingDto;
use crate::clock::Timestamp;
use crate::ids::{AccountId, AttachmentId, EmailId, FolderId, ThreadId};
use crate::messages::store::read::{AttachmentRow, FolderOf, MessageRow, Parts};

/// A person with an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// The address.
    pub email: String,
    /// The name that was written beside it.
    pub name: Option<String>,
}

/// A folder that a mail lies in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FolderRef {
    /// The folder.
    pub id: FolderId,
    /// The whole path with `/`.
    pub name: String,
    /// What it is for.
    pub role: Option<String>,
}

/// A file of a mail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentDto {
    /// The file; download it from `/api/email/attachments/{id}`.
    pub id: AttachmentId,
    /// The declared name.
    pub file_name: String,
    /// The declared media type.
    pub mime_type: Option<String>,
    /// The size of the content, in bytes.
    pub size_bytes: Option<i64>,
    /// Whether the HTML shows it.
    pub is_inline: bool,
    /// The Content-ID without angle brackets.
    pub content_id: Option<String>,
}

/// A mail without its bodies.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageDto {
    /// The mail; it keeps this id when it moves.
    pub id: EmailId,
    /// The mailbox.
    pub account_id: AccountId,
    /// The conversation.
    pub thread_id: Option<ThreadId>,
    /// The identity within the mailbox.
    pub external_id: String,
    /// The Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// The Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// The author.
    pub from: Person,
    /// The primary recipients.
    pub to: Vec<Person>,
    /// The recipients of a copy.
    pub cc: Vec<Person>,
    /// The recipients of a blind copy.
    pub bcc: Vec<Person>,
    /// Where answers should go.
    pub reply_to: Vec<Person>,
    /// The subject.
    pub subject: Option<String>,
    /// The beginning of the text.
    pub snippet: Option<String>,
    /// `inbound` or `outbound`: whether the mailbox itself wrote it.
    pub direction: String,
    /// How far it is on its way.
    pub status: String,
    /// Why it failed.
    pub error_message: Option<String>,
    /// What its Date header says.
    pub sent_at: Timestamp,
    /// When the provider received it; lists are sorted by it.
    pub received_at: Timestamp,
    /// When it is to be sent.
    pub scheduled_at: Option<Timestamp>,
    /// Whether it was read.
    pub is_read: bool,
    /// Whether it is starred.
    pub is_starred: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Where it lies.
    pub folders: Vec<FolderRef>,
    /// Its files.
    pub attachments: Vec<AttachmentDto>,
    /// Whether it has files that its text does not show.
    pub has_attachments: bool,
    /// Who or what wrote it.
    pub kind: String,
    /// Whether a recipient opened it.
    pub opened: bool,
    /// When it was first opened.
    pub opened_at: Option<Timestamp>,
    /// How often it was opened.
    pub open_count: i32,
    /// How often a link in it was followed.
    pub click_count: i32,
    /// When it was answered by a person.
    pub replied_at: Option<Timestamp>,
    /// Whether it came back.
    pub bounced: bool,
    /// The contacts that it is linked to.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub contact_ids: Vec<uuid::Uuid>,
    /// The deals that it is linked to.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub deal_ids: Vec<uuid::Uuid>,
    /// The activity that it is.
    pub activity_id: Option<uuid::Uuid>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl MessageDto {
    /// Puts a mail together.
    pub(in crate::messages) fn new(row: MessageRow, parts: Parts) -> Self {
        let people = |kind: &str| {
            let those = parts.recipients.iter().filter(|recipient| recipient.recipient_type == kind);
            those.map(|row| Person { email: row.email_address.clone(), name: row.name.clone() }).collect()
        };
        Self {
            id: row.id,
            account_id: row.account_id,
            thread_id: row.thread_id,
            external_id: row.external_id,
            message_id: row.message_id,
            in_reply_to: row.in_reply_to,
            from: Person { email: row.from_email, name: row.from_name },
            to: people("to"),
            cc: people("cc"),
            bcc: people("bcc"),
            reply_to: people("reply_to"),
            subject: row.subject,
            snippet: row.snippet,
            direction: row.direction,
            status: row.status,
            error_message: row.error_message,
            sent_at: row.sent_at,
            received_at: row.received_at,
            scheduled_at: row.scheduled_at,
            is_read: row.is_read,
            is_starred: row.is_starred,
            is_archived: row.is_archived,
            folders: parts.folders.into_iter().map(FolderRef::from).collect(),
            attachments: parts.attachments.into_iter().map(AttachmentDto::from).collect(),
            has_attachments: row.has_attachments,
            kind: row.kind,
            opened: row.opened,
            opened_at: row.opened_at,
            open_count: row.open_count,
            click_count: row.click_count,
            replied_at: row.replied_at,
            bounced: row.bounced_at.is_some(),
            contact_ids: Vec::new(),
            deal_ids: Vec::new(),
            activity_id: None,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<FolderOf> for FolderRef {
    fn from(folder: FolderOf) -> Self {
        Self { id: folder.id, name: folder.name, role: folder.role }
    }
}

impl From<AttachmentRow> for AttachmentDto {
    fn from(row: AttachmentRow) -> Self {
        Self {
            id: row.id,
            file_name: row.file_name,
            mime_type: row.mime_type,
            size_bytes: row.size_bytes,
            is_inline: row.is_inline,
            content_id: row.content_id,
        }
    }
}

/// A mail with its bodies.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDetail {
    /// The mail.
    #[serde(flatten)]
    pub message: MessageDto,
    /// The HTML, sanitised; remote images are blocked.
    pub body_html: Option<String>,
    /// The plain text.
    pub body_text: Option<String>,
    /// What the author wrote, without quotes and signature.
    pub visible_text: Option<String>,
    /// The identifiers of References, without angle brackets.
    #[schema(value_type = Vec<String>)]
    pub references: Value,
    /// The header fields that are kept, in their order.
    pub headers: Vec<Header>,
    /// How it goes out, when it is written here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<OutgoingDto>,
}

impl MessageDetail {
    /// The version of a mail that is written here, as an entity tag (RFC 9110 §8.8.3).
    pub fn etag(&self) -> Option<String> {
        self.outgoing.as_ref().map(|outgoing| format!("\"{}\"", outgoing.revision))
    }
}

/// A header field of a mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct Header {
    /// The name in lower case.
    pub name: String,
    /// The decoded value.
    pub value: String,
}

/// Where a mail is, or why it was not stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookupDto {
    /// The mail, when it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_id: Option<EmailId>,
    /// The word for the reason, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The mailbox.
    pub account_id: AccountId,
}

/// One place where a mail is, or several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LookupAnswer {
    /// In one mailbox, once.
    One(LookupDto),
    /// In several, or several times.
    Several {
        /// Each of them.
        items: Vec<LookupDto>,
    },
}
