//! What can go wrong with a submission server, by what to do about it.

use super::SmtpReply;
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
    /// The server refused the mail for good.
    Rejected,
    /// The mail is larger than the server takes.
    TooLarge,
    /// The mail needs UTF-8 in addresses or its header, which the server does not take (RFC 6531).
    Utf8NotSupported,
    /// The mail or its envelope is not what may be sent: a fault of ours.
    InvalidMail,
}

/// A failed step on an SMTP connection; never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SmtpError {
    /// The class, which says what to do next.
    pub kind: SmtpErrorKind,
    /// Plain words for the user, with the next step.
    pub detail: String,
    /// What the server said, when it was the server that refused a mail.
    pub reply: Option<SmtpReply>,
}

impl SmtpError {
    pub(super) fn new(kind: SmtpErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), reply: None }
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

    /// A server that speaks SMTP, but is too slow.
    pub(super) fn slow() -> Self {
        Self::new(SmtpErrorKind::Timeout, "the server for outgoing mail did not answer in time")
    }

    /// A reply that was not the hoped-for one.
    pub(super) fn said(kind: SmtpErrorKind, reply: &Reply) -> Self {
        let kind = if reply.is_temporary() { SmtpErrorKind::Unavailable } else { kind };
        Self::new(kind, format!("the server for outgoing mail said: {} {}", reply.code, reply.said()))
    }

    pub(super) fn too_large(size: u64, limit: u64) -> Self {
        Self::new(
            SmtpErrorKind::TooLarge,
            format!(
                "the mail has {size} octets on its way, and the server for outgoing mail takes {limit} at most: leave files out or \
                 send a link to them"
            ),
        )
    }

    /// A refusal of a mail, before it was complete.
    pub(super) fn refused(reply: &Reply) -> Self {
        let said = SmtpReply::from(reply);
        let kind = match (said.code, said.enhanced.as_deref()) {
            _ if !(400..600).contains(&said.code) => SmtpErrorKind::Protocol,
            _ if said.is_temporary() => SmtpErrorKind::Unavailable,
            // The login is missing, or no longer counts.
            (530 | 535, _) => SmtpErrorKind::AuthFailed,
            (_, Some("5.6.7")) => SmtpErrorKind::Utf8NotSupported,
            _ if said.is_too_large() => SmtpErrorKind::TooLarge,
            _ => SmtpErrorKind::Rejected,
        };
        Self { reply: Some(said), ..Self::said(kind, reply) }
    }

    /// Whether trying again later may help without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        use SmtpErrorKind as Kind;
        matches!(
            self.kind,
            Kind::Unreachable | Kind::Timeout | Kind::Protocol | Kind::Unavailable | Kind::ConnectionLost
        )
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
            SmtpErrorKind::Rejected => "smtp_rejected",
            SmtpErrorKind::TooLarge => "message_too_large",
            SmtpErrorKind::Utf8NotSupported => "smtp_utf8_not_supported",
            SmtpErrorKind::InvalidMail => "message_invalid",
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
