//! What a mail on its way out is made of.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AccountId, ContactId, DealId, EmailId, OrgId, RecipientId};
use crate::mail::Mailbox as Address;
use crate::messages::{MailStatus, WrittenFile};

/// Most recipients of one mail, all kinds together.
pub const MAX_RECIPIENTS: usize = 500;

/// The largest mail that is built, in octets: what Gmail takes, and more than most servers do.
pub const MAX_MAIL: u64 = 36_700_160;

/// What a mail has to do with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It answers it.
    Reply,
    /// It forwards it.
    Forward,
}

impl Action {
    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Forward => "forward",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reply, Self::Forward].into_iter().find(|action| action.as_str() == text)
    }
}

/// What else was asked for, kept beside the mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// An answer to all.
    pub reply_all: bool,
    /// The signature and the quoted original are part of the text already.
    pub is_whole: bool,
    /// What the writer wrote, before these were added: a mail that is called back is what it was before.
    pub own: Option<OwnText>,
    /// Whether opens are tracked; nothing: as the mailbox says.
    pub track_opens: Option<bool>,
    /// Whether clicks are tracked; nothing: as the mailbox says.
    pub track_clicks: Option<bool>,
    /// The contact that it is about.
    pub contact_id: Option<ContactId>,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
}

/// The texts of a mail as its writer wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnText {
    /// The plain text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
}

/// How a mail goes out, beside what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it has to do with another mail.
    pub source: Option<(Action, EmailId)>,
    /// Header fields of its own.
    pub headers: Vec<(String, String)>,
    /// What else was asked for.
    pub options: Options,
}

/// A mail that is written here, as it is stored.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The mail.
    pub id: EmailId,
    /// The organization.
    pub org: OrgId,
    /// Its mailbox.
    pub account: AccountId,
    /// How far it is.
    pub status: MailStatus,
    /// The version of the draft.
    pub revision: i64,
    /// The version that the provider has.
    pub mirrored_revision: Option<i64>,
    /// How it goes out.
    pub plan: Plan,
    /// Its Message-ID without angle brackets.
    pub message_id: String,
    /// The Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// The conversation so far, oldest first.
    pub references: Vec<String>,
    /// The author.
    pub from: Address,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub body_text: Option<String>,
    /// The HTML.
    pub body_html: Option<String>,
    /// Its Date.
    pub sent_at: Timestamp,
    /// The place in lists.
    pub received_at: Timestamp,
    /// When its copy among the provider's drafts is brought in step.
    pub mirror_due_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i32,
    /// The last octet may have left.
    pub handed_at: Option<Timestamp>,
    /// The recipients.
    pub recipients: Vec<Recipient>,
    /// The files.
    pub files: Vec<WrittenFile>,
}

/// What became of the mail for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// To be tried again.
    Deferred,
    /// Handed over, without an answer so far.
    Handed,
    /// The server took it.
    Accepted,
    /// The server refused it for good.
    Refused,
    /// A report says that it is late.
    Delayed,
    /// A report says that it came back.
    Bounced,
}

impl Delivered {
    /// The word in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deferred => "deferred",
            Self::Handed => "handed",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Delayed => "delayed",
            Self::Bounced => "bounced",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Deferred, Self::Handed, Self::Accepted, Self::Refused, Self::Delayed, Self::Bounced]
            .into_iter()
            .find(|delivered| delivered.as_str() == text)
    }
}

/// A recipient of a mail on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The row.
    pub id: RecipientId,
    /// `to`, `cc`, `bcc` or `reply_to`.
    pub kind: String,
    /// Name and address.
    pub person: Address,
    /// What became of it.
    pub delivered: Option<Delivered>,
}

impl Recipient {
    /// Whether the mail is still to be handed over for this recipient.
    pub fn is_open(&self) -> bool {
        self.kind != "reply_to" && matches!(self.delivered, None | Some(Delivered::Deferred))
    }
}

impl Outgoing {
    /// The recipients of one kind.
    pub fn people(&self, kind: &str) -> Vec<Address> {
        self.recipients.iter().filter(|row| row.kind == kind).map(|row| row.person.clone()).collect()
    }
}
