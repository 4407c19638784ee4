//! What goes in and out over HTTP.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model::{Change, OperationState};
use super::store::list::{ItemRow, OperationRow};
use crate::clock::Timestamp;
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, EmailId, FolderId, OperationId, UserId};

/// What to change of a mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessagePatch {
    /// Read or unread.
    is_read: Option<bool>,
    /// With a star or without.
    is_starred: Option<bool>,
    /// Put away, or taken out of the archive.
    is_archived: Option<bool>,
}

/// Where to move a mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveRequest {
    /// The folder that it goes to.
    folder_id: FolderId,
    /// The folder that it leaves; absent: the inbox if it lies there, else every folder.
    from_folder_id: Option<FolderId>,
}

/// Which labels to add and remove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsRequest {
    /// Names; a label that does not exist is made.
    #[serde(default)]
    add: Vec<String>,
    /// Names.
    #[serde(default)]
    remove: Vec<String>,
}

/// What to change of some mails, in one operation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// The mails, at most 1,000.
    pub(super) ids: Vec<EmailId>,
    /// Read or unread.
    is_read: Option<bool>,
    /// With a star or without.
    is_starred: Option<bool>,
    /// Put away, or taken out of the archive.
    is_archived: Option<bool>,
    /// Into the trash, or out of it.
    trash: Option<bool>,
    /// Into this folder.
    folder_id: Option<FolderId>,
    /// Out of this folder alone.
    from_folder_id: Option<FolderId>,
    /// Labels to add, by name.
    #[serde(default)]
    add_labels: Vec<String>,
    /// Labels to remove, by name.
    #[serde(default)]
    remove_labels: Vec<String>,
}

/// What to change of all the caller's mails in a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreadPatch {
    /// Read or unread.
    is_read: Option<bool>,
    /// With a star or without.
    is_starred: Option<bool>,
    /// Put away, or taken out of the archive.
    is_archived: Option<bool>,
    /// Into the trash, or out of it.
    trash: Option<bool>,
    /// Into this folder.
    folder_id: Option<FolderId>,
    /// Out of this folder alone.
    from_folder_id: Option<FolderId>,
    /// Labels to add, by name.
    #[serde(default)]
    add_labels: Vec<String>,
    /// Labels to remove, by name.
    #[serde(default)]
    remove_labels: Vec<String>,
}

impl From<MessagePatch> for Change {
    fn from(patch: MessagePatch) -> Self {
        let MessagePatch { is_read, is_starred, is_archived } = patch;
        Self { is_read, is_starred, is_archived, ..Self::default() }
    }
}

impl From<MoveRequest> for Change {
    fn from(request: MoveRequest) -> Self {
        let MoveRequest { folder_id, from_folder_id } = request;
        Self { folder_id: Some(folder_id), from_folder_id, ..Self::default() }
    }
}

impl From<LabelsRequest> for Change {
    fn from(request: LabelsRequest) -> Self {
        Self { add_labels: request.add, remove_labels: request.remove, ..Self::default() }
    }
}

impl BatchRequest {
    /// The mails and what to change of them.
    pub(super) fn into_parts(self) -> (Vec<EmailId>, Change) {
        let Self { ids, is_read, is_starred, is_archived, trash, folder_id, from_folder_id, add_labels, remove_labels } =
            self;
        let change =
            Change { is_read, is_starred, is_archived, trash, folder_id, from_folder_id, add_labels, remove_labels };
        (ids, change)
    }
}

impl From<ThreadPatch> for Change {
    fn from(patch: ThreadPatch) -> Self {
        let ThreadPatch {
            is_read,
            is_starred,
            is_archived,
            trash,
            folder_id,
            from_folder_id,
            add_labels,
            remove_labels,
        } = patch;
        Self { is_read, is_starred, is_archived, trash, folder_id, from_folder_id, add_labels, remove_labels }
    }
}

/// Which operations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OperationParams {
    /// Only with this state.
    #[param(inline)]
    pub state: Option<OperationState>,
    /// Only with a mail of this mailbox.
    pub account_id: Option<AccountId>,
    /// How many at most.
    #[serde(default)]
    pub limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
}

/// The operation that a batch became.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// The operation; ask for it to see how far it is, or take it back.
    pub operation_id: OperationId,
}

/// A change that a person asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationDto {
    /// The operation.
    pub id: OperationId,
    /// What it is: `read`, `unread`, `star`, `unstar`, `archive`, `unarchive`, `move`, `labels`, `trash`, `untrash`, `undo`,
    /// or `batch` for several of these at once.
    pub kind: String,
    /// The mails.
    pub email_ids: Vec<EmailId>,
    /// How far it has come.
    pub state: OperationState,
    /// The code of what went wrong, or of why it waits for another try.
    pub error_code: Option<String>,
    /// The same for a person.
    pub error_message: Option<String>,
    /// Who asked for it.
    pub created_by: Option<UserId>,
    /// When it was asked for, and done here.
    pub created_at: Timestamp,
    /// When the provider had it.
    pub confirmed_at: Option<Timestamp>,
    /// The operation that it took back, if it is an `undo`.
    pub undoes: Option<OperationId>,
}

impl OperationDto {
    /// Puts an operation together.
    pub(super) fn new(row: OperationRow, items: &[ItemRow]) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            email_ids: items.iter().map(|item| item.email_id).collect(),
            state: state(&row.state),
            error_code: row.error_code,
            error_message: row.error_message,
            created_by: row.created_by,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
            undoes: row.changes.0.get("undo").and_then(|id| id.as_str()?.parse().ok()),
        }
    }
}

fn state(word: &str) -> OperationState {
    OperationState::parse(word).unwrap_or(OperationState::Pending)
}

/// A change that a person asked for, with its outcome for each mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationDetail {
    /// The operation.
    #[serde(flatten)]
    pub operation: OperationDto,
    /// Each mail's part of it.
    pub items: Vec<OperationItemDto>,
}

/// One mail's part of an operation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationItemDto {
    /// The mail.
    pub email_id: EmailId,
    /// How far it has come for this mail.
    pub state: OperationState,
    /// The code of what went wrong.
    pub error_code: Option<String>,
    /// The same for a person.
    pub error_message: Option<String>,
}

impl OperationDetail {
    /// Puts an operation together.
    pub(super) fn new(row: OperationRow, items: Vec<ItemRow>) -> Self {
        let operation = OperationDto::new(row, &items);
        let item = |item: ItemRow| OperationItemDto {
            email_id: item.email_id,
            state: state(&item.state),
            error_code: item.error_code,
            error_message: item.error_message,
        };
        Self { operation, items: items.into_iter().map(item).collect() }
    }
}
