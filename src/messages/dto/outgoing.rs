//! What is shown of a mail that is written here, beside what every mail has.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::EmailId;
use crate::messages::store::read::{DeliveryRow, OutgoingRow};

/// How a mail goes out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutgoingDto {
    /// `reply` or `forward`, when it answers or passes on another mail.
    pub action: Option<String>,
    /// That mail.
    pub source_email_id: Option<EmailId>,
    /// The version; a draft's ETag.
    pub revision: i64,
    /// Whether the signature and the quoted original are part of the text already.
    pub is_whole: bool,
    /// Until when it can be called back, while it waits for that.
    pub undo_until: Option<Timestamp>,
    /// When it is tried next, after a try that did not succeed.
    pub next_attempt_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i32,
    /// The stable code of what went wrong last.
    pub error_code: Option<String>,
    /// What became of it for each recipient.
    pub recipients: Vec<DeliveryDto>,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryDto {
    /// The address.
    pub email: String,
    /// `to`, `cc` or `bcc`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `deferred`, `handed`, `accepted`, `refused`, `delayed` or `bounced`; nothing before the first try.
    pub status: Option<String>,
    /// The server's words.
    pub detail: Option<String>,
}

impl OutgoingDto {
    /// Puts it together.
    pub(in crate::messages) fn new(row: OutgoingRow, status: &str, people: Vec<DeliveryRow>) -> Self {
        let waits = matches!(status, "queued" | "scheduled");
        let due = row.due_at.filter(|_| waits);
        let is_whole = row.options.0.get("is_whole").and_then(serde_json::Value::as_bool).unwrap_or(false);
        Self {
            action: row.action,
            source_email_id: row.source_email_id,
            revision: row.revision,
            is_whole,
            undo_until: due.filter(|_| row.attempts == 0 && status == "queued"),
            next_attempt_at: due.filter(|_| row.attempts > 0),
            attempts: row.attempts,
            error_code: row.error_code,
            recipients: people
                .into_iter()
                .filter(|row| row.recipient_type != "reply_to")
                .map(DeliveryDto::from)
                .collect(),
        }
    }
}

impl From<DeliveryRow> for DeliveryDto {
    fn from(row: DeliveryRow) -> Self {
        let words = row.smtp_reply.filter(|words| !words.is_empty());
        let detail = match (row.smtp_code, words) {
            (Some(code), Some(words)) => Some(format!("{code} {words}")),
            (Some(code), None) => Some(code.to_string()),
            (None, words) => words,
        };
        Self { email: row.email_address, kind: row.recipient_type, status: row.delivery, detail }
    }
}
