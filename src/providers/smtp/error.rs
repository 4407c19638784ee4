//! What can go wrong with a submission server, by what to do about it.

use super::reply::Reply;
use crate::net::NetError;

/// The class of an [`SmtpError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmtpErrorKind {
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
    /// The server did not answer in time.
    Timeout,
    /// The server broke the protocol, or does not speak it.
    Protocol,
    /// The server asks to come back later.
    Unavailable,
    /// The connection broke.
    ConnectionLost,
}

/// A failed step on an SMTP connection; never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SmtpError {
    /// The class, which says what to do next.
    pub kind: SmtpErrorKind,
    /// Plain words for the user, with the next step.
    pub detail: String,
}

impl SmtpError {
    pub(super) fn new(kind: SmtpErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn lost(reason: &str) -> Self {
        Self::new(
            SmtpErrorKind::ConnectionLost,
            format!("the connection to the server for outgoing mail broke: {reason}"),
        )
    }

    pub(super) fn insecure(reason: &str) -> Self {
        Self::new(SmtpErrorKind::Tls, format!("no secure connection to the server for outgoing mail: {reason}"))
    }

    pub(super) fn timeout() -> Self {
        Self::new(
            SmtpErrorKind::Timeout,
            "the server for outgoing mail did not answer in time (is the security setting right \
             for this port?)",
        )
    }

    /// A reply that was not the hoped-for one.
    pub(super) fn said(kind: SmtpErrorKind, reply: &Reply) -> Self {
        let kind = if reply.is_temporary() { SmtpErrorKind::Unavailable } else { kind };
        Self::new(kind, format!("the server for outgoing mail said: {} {}", reply.code, reply.said()))
    }

    /// The public code, stable for API clients.
    pub fn code(&self) -> &'static str {
        match self.kind {
            SmtpErrorKind::AuthFailed => "smtp_login_failed",
            SmtpErrorKind::LoginDisabled => "smtp_login_disabled",
            SmtpErrorKind::Tls => "smtp_tls_failed",
            SmtpErrorKind::Unreachable => "smtp_unreachable",
            SmtpErrorKind::Refused => "host_not_allowed",
            SmtpErrorKind::Timeout => "smtp_timeout",
            SmtpErrorKind::Protocol => "smtp_protocol_error",
            SmtpErrorKind::Unavailable => "smtp_unavailable",
            SmtpErrorKind::ConnectionLost => "smtp_connection_lost",
        }
    }
}

impl From<NetError> for SmtpError {
    fn from(error: NetError) -> Self {
        let kind = match &error {
            NetError::Private { .. } => SmtpErrorKind::Refused,
            NetError::Timeout { .. } => SmtpErrorKind::Timeout,
            NetError::Tls { .. } => SmtpErrorKind::Tls,
            NetError::Dns { .. } | NetError::Unreachable { .. } | NetError::Http { .. } | NetError::Config(_) => {
                SmtpErrorKind::Unreachable
            }
        };
        Self::new(kind, error.to_string())
    }
}
