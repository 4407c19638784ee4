//! What a mail becomes once it is read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A mail as read from its raw form, whatever state that was in.
///
/// Every text is valid UTF-8, bounded (see [`super::limits`]) and free of NUL bytes, which PostgreSQL refuses.
#[derive(Debug, Clone, Default)]
pub struct ParsedMail {
    /// The Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// The identifiers of In-Reply-To, in the order found.
    pub in_reply_to: Vec<String>,
    /// The identifiers of References, oldest first as the header gives them.
    pub references: Vec<String>,
    /// The first author of the From header; see [`ParsedMail::author`] for the fallback.
    pub from: Option<Mailbox>,
    /// Who sent the mail when that is not the author (RFC 5322 §3.6.2).
    pub sender: Option<Mailbox>,
    /// The primary recipients.
    pub to: Vec<Mailbox>,
    /// The recipients of a copy.
    pub cc: Vec<Mailbox>,
    /// The recipients of a blind copy, known only for mails of our own.
    pub bcc: Vec<Mailbox>,
    /// Where answers should go.
    pub reply_to: Vec<Mailbox>,
    /// The decoded subject on one line, empty when there is none.
    pub subject: String,
    /// What the Date header says; anyone can write anything there, so it is shown but never sorted by.
    pub date: Option<DateTime<Utc>>,
    /// When the last server on the way says it received the mail (top Received header).
    pub received: Option<DateTime<Utc>>,
    /// The plain text parts, decoded and joined.
    pub body_text: Option<String>,
    /// The HTML parts, decoded and joined, **not** sanitised: see [`super::html::sanitize`].
    pub body_html: Option<String>,
    /// What the author wrote in this mail, without quotes and signature.
    pub visible_text: Option<String>,
    /// The beginning of the visible text on one line, at most 200 characters.
    pub snippet: String,
    /// Who or what wrote the mail.
    pub kind: Kind,
    /// What a delivery report says.
    pub bounce: Option<Bounce>,
    /// Files and embedded images.
    pub attachments: Vec<Attachment>,
    /// The header fields of use later, names in lower case, values decoded.
    pub headers: Vec<(String, String)>,
    /// What was wrong with the mail and how far it could be read.
    pub defects: Vec<Defect>,
}

impl ParsedMail {
    /// The author, or the best guess where the From header is missing or unusable.
    pub fn author(&self) -> Option<Mailbox> {
        self.from.clone().or_else(|| self.sender.clone()).or_else(|| {
            let path = self.header("return-path")?;
            super::address::parse(path).into_iter().next()
        })
    }

    /// The value of a kept header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Records a defect once.
    pub(super) fn note(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// The decoded display name.
    pub name: Option<String>,
    /// The address as written; [`Mailbox::normalized`] is the form to compare.
    pub address: String,
}

impl Mailbox {
    /// The address trimmed, in lower case, with an ASCII (IDNA) domain.
    pub fn normalized(&self) -> String {
        super::address::normalize(&self.address)
    }
}

/// Who or what wrote a mail; only `Person` counts as an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A human, as far as the headers tell.
    #[default]
    Person,
    /// A vacation notice, receipt or other automatic message (RFC 3834, RFC 8098).
    AutoReply,
    /// A report that a mail could not be delivered (RFC 3464).
    Bounce,
    /// A mailing list or bulk sender (RFC 2919, RFC 2369).
    List,
    /// An invitation or an answer to one (RFC 6047).
    Calendar,
}

impl Kind {
    /// The name used in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::AutoReply => "auto_reply",
            Kind::Bounce => "bounce",
            Kind::List => "list",
            Kind::Calendar => "calendar",
        }
    }
}

/// A delivery report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// One entry for each recipient reported on.
    pub recipients: Vec<BounceRecipient>,
    /// The Message-ID of the mail reported on, without angle brackets.
    pub original_message_id: Option<String>,
}

/// What a delivery report says about one recipient (RFC 3464 §2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BounceRecipient {
    /// The address the mail was for.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`.
    pub action: Option<String>,
    /// The enhanced status code, for example `5.1.1` (RFC 3463).
    pub status: Option<String>,
    /// What the refusing server said.
    pub diagnostic: Option<String>,
}

/// A file carried by a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The position in the MIME tree, counted as IMAP does, for example `2.1`.
    pub part_id: String,
    /// The declared name, without folders and control characters.
    pub file_name: Option<String>,
    /// The declared media type in lower case, without parameters.
    pub mime_type: String,
    /// The Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Whether the HTML body refers to this part.
    pub is_inline: bool,
    /// The decoded content.
    pub content: Vec<u8>,
    /// The SHA-256 digest of the content, lower-case hexadecimal.
    pub sha256: String,
}

/// Something wrong with a mail that was read nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// There was nothing to read.
    Empty,
    /// The body was not parsed because the mail is too large.
    TooLarge,
    /// The header block was cut at its cap.
    HeaderTooLarge,
    /// A line among the headers was not a header.
    MalformedHeader,
    /// The blank line between headers and body is missing.
    MissingHeaderEnd,
    /// A multipart container declares no boundary.
    MissingBoundary,
    /// A multipart container holds none of its boundary lines.
    BoundaryNotFound,
    /// The last boundary line is missing: the mail may be cut.
    MissingFinalBoundary,
    /// Containers are nested too deeply.
    TooDeep,
    /// There are too many parts.
    TooManyParts,
    /// A body text was cut at its cap.
    TextTruncated,
    /// The transfer encoding had errors.
    BadEncoding,
    /// A charset was unknown or its bytes were invalid.
    BadCharset,
    /// NUL bytes were taken out of a text.
    NulBytes,
    /// The Date header could not be read.
    BadDate,
    /// An address header could not be read in full.
    BadAddress,
    /// There is no From header.
    MissingFrom,
    /// There is no Message-ID header.
    MissingMessageId,
    /// The content is encrypted and cannot be read.
    Encrypted,
}
