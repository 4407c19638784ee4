//! What is kept of a mail while it is stored, to tie it to others afterwards.

use crate::clock::Timestamp;
use crate::ids::{EmailId, ThreadId};
use crate::mail::{Bounce, Kind};
use crate::messages::model::{FolderRole, IncomingMail};

/// A mail that was stored in this batch.
#[derive(Debug, Clone)]
pub(in crate::messages::store) struct Sighting {
    pub id: EmailId,
    pub thread: ThreadId,
    pub received_at: Timestamp,
    pub message_id: Option<String>,
    /// The mail that it answers.
    pub parent: Option<String>,
    /// Its author's address, to compare by.
    pub author: String,
    pub is_outbound: bool,
    pub is_person: bool,
    /// Whether it went from one server to another.
    travelled: bool,
    is_draft_of_ours: bool,
    pub report: Option<Bounce>,
}

impl Sighting {
    pub fn new(id: EmailId, thread: ThreadId, mail: &IncomingMail, is_outbound: bool) -> Self {
        let parsed = &mail.parsed;
        let report = parsed.bounce.clone().map(|report| Bounce {
            // Some servers name the mail that they report on only as an answer would.
            original_message_id: report.original_message_id.or_else(|| parent(&parsed.in_reply_to, &parsed.references)),
            ..report
        });
        Self {
            id,
            thread,
            received_at: mail.received_at,
            message_id: parsed.message_id.clone(),
            parent: parent(&parsed.in_reply_to, &parsed.references),
            author: parsed.author().map(|author| author.normalized()).unwrap_or_default(),
            is_outbound,
            is_person: parsed.kind == Kind::Person,
            travelled: parsed.received.is_some(),
            is_draft_of_ours: parsed.header(super::judge::MARKER).is_some(),
            report,
        }
    }

    /// Whether the mere presence of this mail shows that a mail with its Message-ID was sent. A draft that was thrown away
    /// lies in the trash and shows nothing.
    pub fn proves(&self, role: Option<FolderRole>) -> bool {
        !self.is_draft_of_ours && (role != Some(FolderRole::Trash) || self.travelled)
    }

    /// The mail that it reports on.
    pub fn original(&self) -> Option<&str> {
        self.report.as_ref()?.original_message_id.as_deref()
    }
}

/// What a mail answers: In-Reply-To, else the last of References.
pub(super) fn parent(in_reply_to: &[String], references: &[String]) -> Option<String> {
    in_reply_to.first().or_else(|| references.last()).cloned()
}
