//! Mails that are written here: drafts, and what is on its way out.

use crate::clock::Timestamp;
use crate::ids::AttachmentId;
use crate::mail::ParsedMail;

/// What the identity of a mail begins with before its provider knows it.
pub const LOCAL: &str = "local-";

/// How far a mail that is written here is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailStatus {
    /// It is being written.
    Draft,
    /// It leaves at a time that a person chose.
    Scheduled,
    /// It leaves when the time to call it back is over, or at the next try.
    Queued,
    /// It is being handed over.
    Sending,
    /// The connection or the process ended between the last octet and the answer: it may have been sent.
    Uncertain,
    /// The server took it.
    Sent,
    /// The server refused it, or was tried for too long.
    Failed,
    /// A person called it back.
    Cancelled,
}

impl MailStatus {
    /// Every status there is.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::Uncertain,
        Self::Sent,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word of the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word; `delivered` is the status of what came in.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The content of a mail that is written here.
#[derive(Debug, Clone)]
pub struct Written {
    /// What it says, its files excepted.
    pub content: ParsedMail,
    /// Its files; their contents are in the storage.
    pub files: Vec<WrittenFile>,
    /// The time that lists sort it by, until it is sent.
    pub at: Timestamp,
    /// How far it is.
    pub status: MailStatus,
}

/// A file of a mail that is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// The file as a part of this mail.
    pub id: AttachmentId,
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub mime_type: String,
    /// The size of the content, in bytes.
    pub size: u64,
    /// Where the content lies within the organization's part of the storage.
    pub storage_path: String,
    /// The Content-ID without angle brackets, of an image that the HTML shows.
    pub content_id: Option<String>,
    /// Whether the HTML shows it.
    pub is_inline: bool,
}
