//! Why a pass ended early.

use crate::accounts::Outcome;
use crate::providers::imap::{ImapError, ImapErrorKind};
use crate::storage::StorageError;

/// A pass could not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum PassError {
    /// The mail server.
    #[error(transparent)]
    Imap(#[from] ImapError),
    /// The database.
    #[error("the database does not take the mail: {0}")]
    Database(#[from] diesel::result::Error),
    /// The object store.
    #[error("the storage does not take the mail: {0}")]
    Storage(#[from] StorageError),
    /// The credentials cannot be opened, or something is set up wrongly.
    #[error("{0:#}")]
    SetUp(anyhow::Error),
    /// The lease was lost, the mailbox was paused or removed, or the server stops.
    #[error("stopped")]
    Stopped,
}

impl PassError {
    /// What the mailbox's row says about it.
    pub(super) fn outcome(&self) -> Outcome {
        let failed = |code: &str, message: String, refused| Outcome::Failed { code: code.to_owned(), message, refused };
        match self {
            Self::Imap(error) => {
                failed(error.code(), error.detail.clone(), matches!(error.kind, ImapErrorKind::AuthFailed | ImapErrorKind::LoginDisabled))
            }
            Self::Database(_) => failed(
                "database_unavailable",
                "The server's database does not take new mail now. It is tried again by itself; nothing is lost.".to_owned(),
                false,
            ),
            Self::Storage(_) => failed(
                "storage_unavailable",
                "The server's storage does not take new mail now (is the disk full?). It is tried again by itself; nothing is lost.".to_owned(),
                false,
            ),
            Self::SetUp(error) => failed("credentials_unreadable", format!("{error:#}"), false),
            Self::Stopped => Outcome::Stopped,
        }
    }
}
