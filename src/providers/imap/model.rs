//! What an IMAP server tells about folders and mails.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Flag, Security, UidSet};
use crate::secret::Secret;

/// Where a mailbox is and how to log in.
#[derive(Debug, Clone)]
pub struct ImapSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port, usually 993 (TLS) or 143.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// The login name, often the whole address.
    pub username: String,
    /// The password or application password.
    pub password: Secret,
}

/// The use a folder is put to (RFC 6154).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FolderRole {
    /// Where mail arrives.
    Inbox,
    /// Copies of what was sent.
    Sent,
    /// Unfinished mails.
    Drafts,
    /// Deleted mails.
    Trash,
    /// Junk.
    Spam,
    /// Put away by the user.
    Archive,
    /// A view of every mail in the mailbox.
    All,
}

impl FolderRole {
    /// The word used in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Trash => "trash",
            Self::Spam => "spam",
            Self::Archive => "archive",
            Self::All => "all",
        }
    }
}

/// A folder as the server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFolder {
    /// The server's own spelling, in modified UTF-7: the key of the folder.
    pub raw_name: String,
    /// The readable name, its levels joined with `/`.
    pub name: String,
    /// The readable levels of the name.
    pub path: Vec<String>,
    /// What the server separates levels with; none in a flat hierarchy.
    pub delimiter: Option<char>,
    /// The folder's use, by the server's word or else by its name; each is given once.
    pub role: Option<FolderRole>,
    /// Whether it can hold mails at all.
    pub selectable: bool,
    /// Whether it only shows mails that lie elsewhere too (`\All`, `\Flagged`, `\Important`).
    pub is_view: bool,
    /// Counters, when the server gives them with the list.
    pub status: Option<MailboxStatus>,
}

/// A folder's counters without opening it (RFC 3501 §6.3.10).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailboxStatus {
    /// How many mails it holds.
    pub messages: Option<u32>,
    /// The generation of its UIDs: when it changes, all known UIDs are void.
    pub uid_validity: Option<u32>,
    /// A number no existing UID reaches.
    pub uid_next: Option<u32>,
    /// The highest modification sequence (RFC 7162), where the server keeps them.
    pub highest_modseq: Option<u64>,
    /// The folder's id, which survives a change of its name (RFC 8474), where the server has one.
    pub mailbox_id: Option<String>,
}

/// An opened folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The generation of its UIDs: when it changes, all known UIDs are void.
    pub uid_validity: u32,
    /// A number no existing UID reaches; absent on some old servers.
    pub uid_next: Option<u32>,
    /// How many mails it holds.
    pub exists: u32,
    /// The highest modification sequence (RFC 7162); none when the folder does not keep them.
    pub highest_modseq: Option<u64>,
    /// The flags that can be set for good; `\*` means that new keywords can be made. None when the
    /// server does not say, which means all (RFC 3501 §7.1).
    pub permanent_flags: Option<Vec<String>>,
    /// Whether nothing can be changed.
    pub read_only: bool,
    /// Its id, which survives a change of its name (RFC 8474), where the server has one.
    pub mailbox_id: Option<String>,
}

impl Mailbox {
    /// Whether a flag can be set and cleared for good. A server may take others and forget them.
    pub fn can_store(&self, flag: Flag) -> bool {
        let named =
            |listed: &String| listed.eq_ignore_ascii_case(flag.as_str()) || (listed == "\\*" && !flag.is_system());
        !self.read_only && self.permanent_flags.as_ref().is_none_or(|listed| listed.iter().any(named))
    }
}

/// The flags we carry over (RFC 3501 §2.3.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFlags {
    /// `\Seen`
    pub seen: bool,
    /// `\Flagged`
    pub flagged: bool,
    /// `\Answered`
    pub answered: bool,
    /// `\Deleted`
    pub deleted: bool,
    /// `\Draft`
    pub draft: bool,
    /// `$Forwarded`
    pub forwarded: bool,
}

/// One line of a folder's index: everything but the mail itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The mail's number within the folder's UID generation.
    pub uid: u32,
    /// The size in octets that the server claims; some servers are wrong.
    pub size: u64,
    /// Its flags.
    pub flags: MessageFlags,
    /// When it arrived at the server.
    pub internal_date: Option<DateTime<Utc>>,
    /// An id that survives moves (RFC 8474), where the server has one.
    pub email_id: Option<String>,
    /// Its modification sequence (RFC 7162), where the server keeps them.
    pub mod_seq: Option<u64>,
}

/// A mail's flags and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagEntry {
    /// The mail's number within the folder's UID generation.
    pub uid: u32,
    /// Its flags.
    pub flags: MessageFlags,
    /// Its modification sequence (RFC 7162), where the server keeps them.
    pub mod_seq: Option<u64>,
}

/// What became different in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagFlow {
    /// Mails and their flags now, by ascending UID.
    pub changed: Vec<FlagEntry>,
    /// Mails that are gone; told only where the server has QRESYNC and it was asked to.
    pub vanished: UidSet,
}

/// A whole mail with what the server knows about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedMail {
    /// The mail's number within the folder's UID generation.
    pub uid: u32,
    /// Its flags.
    pub flags: MessageFlags,
    /// When it arrived at the server.
    pub internal_date: Option<DateTime<Utc>>,
    /// The size in octets that the server claims; `raw.len()` is the truth.
    pub size: u64,
    /// An id that survives moves (RFC 8474), where the server has one.
    pub email_id: Option<String>,
    /// Its modification sequence (RFC 7162), where the server keeps them.
    pub mod_seq: Option<u64>,
    /// The mail as it is (RFC 5322).
    pub raw: Bytes,
}

/// What is known of a mail that was written to a sink piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeMail {
    /// The mail's number within the folder's UID generation.
    pub uid: u32,
    /// Its flags.
    pub flags: MessageFlags,
    /// When it arrived at the server.
    pub internal_date: Option<DateTime<Utc>>,
    /// An id that survives moves (RFC 8474), where the server has one.
    pub email_id: Option<String>,
    /// Its modification sequence (RFC 7162), where the server keeps them.
    pub mod_seq: Option<u64>,
    /// How many octets were written.
    pub written: u64,
}
