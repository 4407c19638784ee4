//! What can go wrong with a mail server, by what to do about it.

use super::UidSet;
use crate::net::NetError;

/// The class of an [`ImapError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImapErrorKind {
    /// The name or password is wrong, or no longer valid: the user must act.
    AuthFailed,
    /// The server takes no password on this connection: another security setting is needed.
    LoginDisabled,
    /// No secure connection could be set up.
    Tls,
    /// The host cannot be found or reached.
    Unreachable,
    /// The host lies in a network that must not be reached.
    Refused,
    /// The server did not answer in time, or too slowly.
    Timeout,
    /// The server broke the protocol, or sent what cannot be understood.
    Protocol,
    /// The folder is not there (any more).
    NoSuchFolder,
    /// The folder that mails were to go to is not there: it can be created and the command tried again.
    TryCreate,
    /// The folder or mailbox is read-only for us, or we lack the right (RFC 4314).
    NotPermitted,
    /// Mails cannot be taken out of the folder without others that somebody marked as deleted.
    OthersMarked,
    /// The server lacks the extension that this takes; nothing was sent.
    NotSupported,
    /// The server asks to come back later.
    Unavailable,
    /// The mailbox is full or its transfer limit is used up.
    OverQuota,
    /// The server refused this one command; the connection is still good.
    Rejected,
    /// The server did not understand this one command; the connection is still good.
    NotUnderstood,
    /// A mail is larger than may be held in memory: fetch it piece by piece.
    TooLarge,
    /// The connection broke.
    ConnectionLost,
    /// The mail could not be written on our side.
    Sink,
}

/// A failed step on an IMAP connection; never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ImapError {
    /// The class, which says what to do next.
    pub kind: ImapErrorKind,
    /// Plain words for the user, with the next step.
    pub detail: String,
    /// The mails that were being fetched, when one of them is to blame.
    pub batch: Option<UidSet>,
}

impl ImapError {
    pub(crate) fn new(kind: ImapErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), batch: None }
    }

    pub(super) fn protocol(detail: impl Into<String>) -> Self {
        Self::new(ImapErrorKind::Protocol, detail)
    }

    pub(super) fn not_supported(extension: &str) -> Self {
        Self::new(ImapErrorKind::NotSupported, format!("the mail server cannot do that (it lacks {extension})"))
    }

    pub(super) fn in_batch(mut self, batch: &UidSet) -> Self {
        self.batch.get_or_insert_with(|| batch.clone());
        self
    }

    /// The public code, stable for API clients.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ImapErrorKind::AuthFailed => "imap_login_failed",
            ImapErrorKind::LoginDisabled => "imap_login_disabled",
            ImapErrorKind::Tls => "imap_tls_failed",
            ImapErrorKind::Unreachable => "imap_unreachable",
            ImapErrorKind::Refused => "host_not_allowed",
            ImapErrorKind::Timeout => "imap_timeout",
            ImapErrorKind::Protocol | ImapErrorKind::NotUnderstood => "imap_protocol_error",
            ImapErrorKind::NoSuchFolder => "imap_folder_missing",
            ImapErrorKind::TryCreate => "imap_target_missing",
            ImapErrorKind::NotPermitted => "imap_not_permitted",
            ImapErrorKind::OthersMarked => "cannot_remove_copy",
            ImapErrorKind::NotSupported => "imap_not_supported",
            ImapErrorKind::Unavailable => "imap_unavailable",
            ImapErrorKind::OverQuota => "imap_over_quota",
            ImapErrorKind::Rejected => "imap_rejected",
            ImapErrorKind::TooLarge => "imap_message_too_large",
            ImapErrorKind::ConnectionLost => "imap_connection_lost",
            ImapErrorKind::Sink => "storage_unavailable",
        }
    }

    /// Whether trying again later may help without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        use ImapErrorKind as Kind;
        matches!(
            self.kind,
            Kind::Unreachable
                | Kind::Timeout
                | Kind::Protocol
                | Kind::NotUnderstood
                | Kind::Unavailable
                | Kind::OverQuota
                | Kind::ConnectionLost
                | Kind::Sink
        )
    }

    /// Whether the connection can still be used.
    pub fn keeps_connection(&self) -> bool {
        use ImapErrorKind as Kind;
        matches!(
            self.kind,
            Kind::NoSuchFolder
                | Kind::TryCreate
                | Kind::NotPermitted
                | Kind::OthersMarked
                | Kind::NotSupported
                | Kind::Rejected
                | Kind::NotUnderstood
        )
    }
}

impl From<NetError> for ImapError {
    fn from(error: NetError) -> Self {
        let kind = match &error {
            NetError::Dns { .. } | NetError::Unreachable { .. } => ImapErrorKind::Unreachable,
            NetError::Private { .. } => ImapErrorKind::Refused,
            NetError::Timeout { .. } => ImapErrorKind::Timeout,
            NetError::Tls { .. } => ImapErrorKind::Tls,
            NetError::Http { .. } | NetError::Config(_) => ImapErrorKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
