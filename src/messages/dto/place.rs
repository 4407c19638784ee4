//! A conversation and a folder as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::{MessageDto, Person};
use crate::clock::Timestamp;
use crate::ids::{FolderId, ThreadId};
use crate::messages::model::{Folder, FolderCount, FolderRole};

/// A conversation, as the caller sees it: from the caller's own mails.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadDto {
    /// The conversation.
    pub id: ThreadId,
    /// The subject of its first mail.
    pub subject: Option<String>,
    /// Who takes part, in the order of appearance.
    pub participants: Vec<Person>,
    /// How many mails it has.
    pub message_count: i64,
    /// How many of them are unread.
    pub unread_count: i64,
    /// When its newest mail was received.
    pub last_message_at: Timestamp,
    /// The beginning of its newest mail.
    pub snippet: Option<String>,
    /// The contacts that it is linked to.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub contact_ids: Vec<uuid::Uuid>,
    /// The deals that it is linked to.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub deal_ids: Vec<uuid::Uuid>,
    /// Its mails, oldest first; in lists they are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<MessageDto>>,
}

/// A folder or label of a mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct FolderDto {
    /// The folder.
    pub id: FolderId,
    /// The whole decoded path with `/`.
    pub name: String,
    /// What it is for.
    pub role: Option<&'static str>,
    /// The folder above it.
    pub parent_id: Option<FolderId>,
    /// Whether its mail is stored.
    pub included: bool,
    /// How many stored mails are unread.
    pub unread_count: u64,
    /// How many mails the provider says it holds.
    pub provider_count: Option<u64>,
    /// How many are stored.
    pub stored_count: u64,
}

impl FolderDto {
    /// Puts a folder together.
    pub(in crate::messages) fn new(folder: Folder, count: FolderCount) -> Self {
        Self {
            id: folder.id,
            name: folder.name,
            role: folder.role.map(FolderRole::as_str),
            parent_id: folder.parent,
            included: folder.included,
            unread_count: count.unread,
            provider_count: folder.provider_count,
            stored_count: count.stored,
        }
    }
}

/// What to change of a folder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderPatch {
    /// Whether its mail is to be stored.
    pub included: Option<bool>,
}
