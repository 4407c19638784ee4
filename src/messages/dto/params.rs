//! What a caller asks for.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::clock::Timestamp;
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, ThreadId};

/// Which way a mail went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionParam {
    /// To the mailbox.
    Inbound,
    /// From it.
    Outbound,
}

/// How far a mail is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusParam {
    /// Not finished.
    Draft,
    /// Waits for its time.
    Scheduled,
    /// Waits to be sent.
    Queued,
    /// Being sent.
    Sending,
    /// Nobody can tell whether it left.
    Uncertain,
    /// It left.
    Sent,
    /// It arrived here.
    Delivered,
    /// It could not be sent.
    Failed,
    /// It was called back.
    Cancelled,
}

impl StatusParam {
    /// The word as it is stored.
    pub(in crate::messages) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Which mails to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessageParams {
    /// Only this mailbox.
    pub account_id: Option<AccountId>,
    /// Only this conversation.
    pub thread_id: Option<ThreadId>,
    /// Only this folder: an id, or a role such as `inbox`.
    pub folder: Option<String>,
    /// Only read or only unread mail.
    pub is_read: Option<bool>,
    /// Only mail with or without a star.
    pub is_starred: Option<bool>,
    /// Only mail that is or is not archived.
    pub is_archived: Option<bool>,
    /// Only mail to or from the mailbox.
    #[param(inline)]
    pub direction: Option<DirectionParam>,
    /// Only mail with this status.
    #[param(inline)]
    pub status: Option<StatusParam>,
    /// Only mail from this address.
    pub from: Option<String>,
    /// Only mail to this address, copies included.
    pub to: Option<String>,
    /// Only mail with or without files.
    pub has_attachments: Option<bool>,
    /// Only mail received at this time or later.
    pub after: Option<Timestamp>,
    /// Only mail received before this time.
    pub before: Option<Timestamp>,
    /// How many at most.
    #[serde(default)]
    pub limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
}

/// Which conversations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ThreadParams {
    /// Only with a mail in this mailbox.
    pub account_id: Option<AccountId>,
    /// Only with a mail in this folder (an id, or a role such as `inbox`); they are sorted by their newest mail there.
    pub folder: Option<String>,
    /// `false`: only with an unread mail.
    pub is_read: Option<bool>,
    /// How many at most.
    #[serde(default)]
    pub limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Keyset>,
}

/// How to show the images of a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Images {
    /// Only those that the mail brings along.
    #[default]
    Blocked,
    /// Those from elsewhere too, through this server.
    Proxied,
}

/// How to show a mail.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BodyParams {
    /// How to show images from elsewhere.
    #[serde(default)]
    #[param(inline)]
    pub images: Images,
}

/// Which mail to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LookupParams {
    /// The Message-ID, with or without angle brackets.
    pub message_id: String,
}
