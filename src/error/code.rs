//! The one public table of error codes.

use actix_web::http::StatusCode;
use serde::Serialize;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, as a stable code that a client may branch on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)+
        }

        impl ErrorCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as it stands in an answer.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// A short title for people, the same for every occurrence (RFC 9457 §3.1.4).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Finds the code by its text.
            pub fn from_code(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

error_codes! {
    // The request itself
    /// The body is not JSON.
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not valid JSON";
    /// Another content type than JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// A field, parameter or cursor does not fit.
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some of the input does not fit";
    /// The body is over the limit.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// No such thing, or not the caller's.
    NotFound = "not_found", NOT_FOUND, "There is no such thing";
    /// The route exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// It exists already, or changed meanwhile.
    Conflict = "conflict", CONFLICT, "It conflicts with what is there";
    /// `If-Match` does not match any more.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "It was changed meanwhile";
    /// Too many requests.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// The idempotency key was used with another body.
    IdempotencyKeyReused = "idempotency_key_reused", CONFLICT, "The Idempotency-Key was used with another request";

    // Who is asking
    /// Nobody is signed in.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    /// Wrong e-mail address or password.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The e-mail address or the password is wrong";
    /// A role or scope that may not do this.
    Forbidden = "forbidden", FORBIDDEN, "This is not allowed";
    /// The CSRF token is missing or wrong.
    CsrfFailed = "csrf_failed", FORBIDDEN, "The X-CSRF-Token header is missing or wrong";
    /// The set-up is done.
    SetupDone = "setup_done", CONFLICT, "The set-up has been done";
    /// The set-up token, invitation or reset link does not count.
    InvalidToken = "invalid_token", UNPROCESSABLE_ENTITY, "The link is not valid";
    /// A user with this address exists already.
    EmailTaken = "email_taken", CONFLICT, "The e-mail address is in use already";
    /// Nobody would be left who can administer the organization.
    LastOwner = "last_owner", CONFLICT, "An organization needs an owner";

    // Mailboxes
    /// The mailbox is connected already.
    AccountExists = "account_exists", CONFLICT, "The mailbox is connected already";
    /// The mailbox is read-only, paused or disconnected.
    AccountNotActive = "account_not_active", CONFLICT, "The mailbox is not active";
    /// The provider cannot be connected this way.
    ProviderNotAvailable = "provider_not_available", UNPROCESSABLE_ENTITY, "This provider cannot be connected this way";
    /// The IMAP server refused the password.
    ImapLoginFailed = "imap_login_failed", UNPROCESSABLE_ENTITY, "The IMAP server refused the sign-in";
    /// The IMAP server takes no password on this connection.
    ImapLoginDisabled = "imap_login_disabled", UNPROCESSABLE_ENTITY, "The IMAP server takes no password this way";
    /// The IMAP server refused a step after the sign-in.
    ImapRejected = "imap_rejected", UNPROCESSABLE_ENTITY, "The IMAP server refuses what a mail program must do";
    /// The mailbox is full or was read too much today.
    ImapOverQuota = "imap_over_quota", UNPROCESSABLE_ENTITY, "The mailbox has reached a limit of its server";
    /// The IMAP server hung up.
    ImapConnectionLost = "imap_connection_lost", UNPROCESSABLE_ENTITY, "The IMAP server closed the connection";
    /// The IMAP server cannot be reached.
    ImapUnreachable = "imap_unreachable", UNPROCESSABLE_ENTITY, "The IMAP server cannot be reached";
    /// No trusted TLS with the IMAP server.
    ImapTlsFailed = "imap_tls_failed", UNPROCESSABLE_ENTITY, "No secure connection to the IMAP server";
    /// The IMAP server does not answer in time.
    ImapTimeout = "imap_timeout", UNPROCESSABLE_ENTITY, "The IMAP server does not answer in time";
    /// The IMAP server speaks nonsense.
    ImapProtocolError = "imap_protocol_error", UNPROCESSABLE_ENTITY, "The IMAP server gives answers that make no sense";
    /// The IMAP server is busy.
    ImapUnavailable = "imap_unavailable", UNPROCESSABLE_ENTITY, "The IMAP server is not available now";
    /// The SMTP server refused the password.
    SmtpLoginFailed = "smtp_login_failed", UNPROCESSABLE_ENTITY, "The SMTP server refused the sign-in";
    /// The SMTP server takes no password on this connection.
    SmtpLoginDisabled = "smtp_login_disabled", UNPROCESSABLE_ENTITY, "The SMTP server takes no password this way";
    /// The SMTP server hung up.
    SmtpConnectionLost = "smtp_connection_lost", UNPROCESSABLE_ENTITY, "The SMTP server closed the connection";
    /// The SMTP server cannot be reached.
    SmtpUnreachable = "smtp_unreachable", UNPROCESSABLE_ENTITY, "The SMTP server cannot be reached";
    /// No trusted TLS with the SMTP server.
    SmtpTlsFailed = "smtp_tls_failed", UNPROCESSABLE_ENTITY, "No secure connection to the SMTP server";
    /// The SMTP server does not answer in time.
    SmtpTimeout = "smtp_timeout", UNPROCESSABLE_ENTITY, "The SMTP server does not answer in time";
    /// The SMTP server speaks nonsense.
    SmtpProtocolError = "smtp_protocol_error", UNPROCESSABLE_ENTITY, "The SMTP server gives answers that make no sense";
    /// The SMTP server is busy.
    SmtpUnavailable = "smtp_unavailable", UNPROCESSABLE_ENTITY, "The SMTP server is not available now";
    /// The SMTP server refused the mail.
    SmtpRejected = "smtp_rejected", UNPROCESSABLE_ENTITY, "The SMTP server refuses the mail";
    /// An address of the mail is beyond ASCII and the SMTP server takes none such.
    SmtpUtf8NotSupported = "smtp_utf8_not_supported", UNPROCESSABLE_ENTITY, "The SMTP server takes no such addresses";
    /// The mail is larger than the SMTP server takes.
    MessageTooLarge = "message_too_large", UNPROCESSABLE_ENTITY, "The mail is larger than its server takes";
    /// The host is a private address.
    HostNotAllowed = "host_not_allowed", UNPROCESSABLE_ENTITY, "This host is not allowed";

    // Sending
    /// A recipient whose mail came back, or who wants none.
    RecipientSuppressed = "recipient_suppressed", UNPROCESSABLE_ENTITY, "A recipient gets no mail from here";

    // The server
    /// The database or the storage is away for the moment.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server cannot do this right now";
    /// The raw mail is not kept any more.
    RawNotKept = "raw_not_kept", GONE, "The original of this mail is not kept";
    /// Events after the number are not kept any more.
    EventsExpired = "events_expired", GONE, "These events are not kept any more";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on the server";
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_errors_share_a_code() {
        let codes: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        assert_eq!(ErrorCode::from_code("not_found"), Some(ErrorCode::NotFound));
    }
}
