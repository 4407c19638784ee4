//! What a mail is made of before it has its MIME form.

use chrono::{DateTime, Utc};

use crate::mail::Mailbox;

/// A mail to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The Message-ID without angle brackets; the boundaries between the parts are derived from it.
    pub message_id: String,
    /// What the Date field says, to the second.
    pub date: DateTime<Utc>,
    /// The author.
    pub from: Mailbox,
    /// The primary recipients.
    pub to: Vec<Mailbox>,
    /// The recipients of a copy.
    pub cc: Vec<Mailbox>,
    /// The recipients of a blind copy; written only with `keep_bcc`.
    pub bcc: Vec<Mailbox>,
    /// Where answers should go, when not to the author.
    pub reply_to: Vec<Mailbox>,
    /// The subject; without one the field is left out.
    pub subject: String,
    /// The Message-ID of the mail that is answered, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The Message-IDs of the thread, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// The plain text; derived from the HTML when it is missing.
    pub text: Option<String>,
    /// The HTML, as the author wants it to go out.
    pub html: Option<String>,
    /// The files, in the order in which they are attached.
    pub files: Vec<OutgoingFile>,
    /// Further fields, as [`check_header`](super::check_header) lets them pass.
    pub headers: Vec<(String, String)>,
    /// Fields of our own, such as `X-Duplex-Draft`, which nobody outside may set.
    pub marks: Vec<(&'static str, String)>,
    /// Whether the Bcc field stays: in the author's own copy and in drafts, never in what is sent.
    pub keep_bcc: bool,
}

/// A file of an outgoing mail, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    /// The name under which it is offered.
    pub file_name: String,
    /// The media type; anything that is none goes as `application/octet-stream`.
    pub mime_type: String,
    /// The Content-ID without angle brackets, by which the HTML can refer to it.
    pub content_id: Option<String>,
    /// Whether it belongs into the text; it is shown there only if the HTML refers to its Content-ID.
    pub is_inline: bool,
    /// The exact number of octets of its content.
    pub size: u64,
}
