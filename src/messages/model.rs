//! What the sync engine hands in, and what it learns from the store.

use std::collections::BTreeSet;

use crate::accounts::Account;
use crate::clock::Timestamp;
use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId, FolderId, OrgId, ThreadId, UserId};
use crate::mail::ParsedMail;
use crate::providers::imap::FlagEntry;

/// The mailbox that mails are stored for, with what every row of them repeats.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// The organization that owns it.
    pub org: OrgId,
    /// The person whose mailbox it is.
    pub user: UserId,
    /// The mailbox itself.
    pub account: AccountId,
    /// Its own addresses, normalised: a mail From one of them is outbound.
    pub addresses: BTreeSet<String>,
}

impl Mailbox {
    /// What is needed of a connected mailbox.
    pub fn of(account: &Account) -> Self {
        Self {
            org: account.org,
            user: account.user,
            account: account.id,
            addresses: account.own_addresses().into_iter().collect(),
        }
    }

    /// The mailbox as events speak of it.
    pub fn reference(&self) -> AccountRef {
        AccountRef { org: self.org, user: self.user, account: self.account }
    }
}

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Put away.
    Archive,
    /// A view of every mail.
    All,
    /// A label of Gmail.
    Label,
}

impl FolderRole {
    const EVERY: [Self; 8] =
        [Self::Inbox, Self::Sent, Self::Drafts, Self::Trash, Self::Spam, Self::Archive, Self::All, Self::Label];

    /// The word of the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Trash => "trash",
            Self::Spam => "spam",
            Self::Archive => "archive",
            Self::All => "all",
            Self::Label => "label",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|role| role.as_str() == text)
    }
}

/// A mail as it was fetched from a folder.
#[derive(Debug, Clone)]
pub struct IncomingMail {
    /// The folder that it lies in.
    pub folder: FolderId,
    /// Its number in the folder (RFC 3501 §2.3.1.1).
    pub uid: u32,
    /// The generation that the number belongs to.
    pub uid_validity: u32,
    /// The state of its flags, where the server counts them (RFC 7162).
    pub mod_seq: Option<u64>,
    /// `\Seen`.
    pub is_read: bool,
    /// `\Flagged`.
    pub is_starred: bool,
    /// `\Answered`.
    pub is_answered: bool,
    /// `\Draft`; what counts is the role of the folder, since servers leave the flag on sent mail.
    pub is_draft: bool,
    /// The provider's time (IMAP: INTERNALDATE), which lists are sorted by.
    pub received_at: Timestamp,
    /// The identity of the mail within its mailbox, whatever the folder.
    pub external_id: String,
    /// The mail as read; the contents of its attachments lie in the storage already, their lengths are read here.
    pub parsed: ParsedMail,
    /// Where the raw mail is kept, when it is.
    pub raw_ref: Option<String>,
    /// The size of the raw mail, in bytes.
    pub raw_size: u64,
}

/// Another copy of a mail that is stored: its body needs no fetching.
#[derive(Debug, Clone)]
pub struct KnownCopy {
    /// The folder that it lies in.
    pub folder: FolderId,
    /// Its number in the folder.
    pub uid: u32,
    /// The generation that the number belongs to.
    pub uid_validity: u32,
    /// The state of its flags, where the server counts them.
    pub mod_seq: Option<u64>,
    /// `\Seen`.
    pub is_read: bool,
    /// `\Flagged`.
    pub is_starred: bool,
    /// `\Answered`.
    pub is_answered: bool,
    /// The identity of the stored mail within its mailbox.
    pub external_id: String,
}

impl KnownCopy {
    /// The place of a fetched mail, without the mail.
    pub(super) fn of(mail: &IncomingMail) -> Self {
        Self {
            folder: mail.folder,
            uid: mail.uid,
            uid_validity: mail.uid_validity,
            mod_seq: mail.mod_seq,
            is_read: mail.is_read,
            is_starred: mail.is_starred,
            is_answered: mail.is_answered,
            external_id: mail.external_id.clone(),
        }
    }
}

/// How news of a provider are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// The time now.
    pub now: Timestamp,
    /// When the provider was asked: what was confirmed to us later than that is not overwritten.
    pub seen_at: Timestamp,
    /// Whether the news become facts that are told; what a first import brings is no news.
    pub told: bool,
}

impl Intake {
    /// News that are told to nobody, seen at this very moment.
    pub fn silent(now: Timestamp) -> Self {
        Self { now, seen_at: now, told: false }
    }
}

/// What a batch brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The mails that were not known before, in the order given.
    pub new: Vec<(EmailId, ThreadId)>,
    /// How many were known.
    pub known: usize,
    /// Those of the known ones that got another place or other flags. Nobody was told yet: a mail that lies in another
    /// folder now may have been moved there, and that is one change ([`super::tell_updated`]).
    pub changed: Vec<EmailId>,
    /// Whether facts were written: what became of mails that were sent.
    pub told: bool,
}

/// What became of mails that were taken out of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Those that lie elsewhere.
    pub left: Vec<EmailId>,
    /// Those that lie nowhere any more.
    pub gone: Vec<EmailId>,
}

/// What the provider says about the flags of one mail in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagChange {
    /// The number in the folder.
    pub uid: u32,
    /// `\Seen`.
    pub is_read: bool,
    /// `\Flagged`.
    pub is_starred: bool,
    /// `\Answered`.
    pub is_answered: bool,
    /// The state of the flags, where the server counts them.
    pub mod_seq: Option<u64>,
}

impl From<&FlagEntry> for FlagChange {
    fn from(entry: &FlagEntry) -> Self {
        Self {
            uid: entry.uid,
            is_read: entry.flags.seen,
            is_starred: entry.flags.flagged,
            is_answered: entry.flags.answered,
            mod_seq: entry.mod_seq,
        }
    }
}

/// A mail that was not stored, and why.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The mailbox.
    pub account: AccountId,
    /// The folder that it lies in.
    pub folder: FolderId,
    /// Its number in the folder.
    pub uid: u32,
    /// The generation that the number belongs to.
    pub uid_validity: u32,
    /// The identity within the mailbox, when that is known.
    pub external_id: Option<String>,
    /// The Message-ID without angle brackets, when that is known.
    pub message_id: Option<String>,
    /// The stable word for the reason, such as `too_large`.
    pub reason: String,
    /// The reason for a person, without any content of the mail.
    pub detail: Option<String>,
    /// The size of the raw mail, in bytes.
    pub size: Option<u64>,
    /// When to try again; never when absent.
    pub next_attempt_at: Option<Timestamp>,
}

/// A skipped mail whose time to be tried again has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSkip {
    /// The folder that it lies in.
    pub folder: FolderId,
    /// Its number in the folder.
    pub uid: u32,
    /// The generation that the number belongs to.
    pub uid_validity: u32,
    /// How often it was tried.
    pub attempts: u32,
}

/// A folder as the provider lists it.
#[derive(Debug, Clone)]
pub struct FolderListing {
    /// The provider's name of it; IMAP: the raw name.
    pub external_id: String,
    /// The provider's name of its parent.
    pub parent_external_id: Option<String>,
    /// The whole decoded path with `/`.
    pub name: String,
    /// What it is for.
    pub role: Option<FolderRole>,
    /// Whether it can hold mail.
    pub selectable: bool,
}

/// A folder as it is stored.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Our id.
    pub id: FolderId,
    /// The mailbox.
    pub account: AccountId,
    /// The provider's name of it; IMAP: the raw name.
    pub external_id: String,
    /// The parent folder.
    pub parent: Option<FolderId>,
    /// The whole decoded path with `/`.
    pub name: String,
    /// What it is for.
    pub role: Option<FolderRole>,
    /// Whether it can hold mail.
    pub selectable: bool,
    /// Whether its mail is stored.
    pub included: bool,
    /// How many mails the provider says it holds.
    pub provider_count: Option<u64>,
    /// How far its mail is stored.
    pub cursor: FolderCursor,
    /// Why the last sync of it failed: a stable word and a text for a person.
    pub error: Option<(String, String)>,
}

/// How far the mail of a folder is stored; saved in the transaction that stores what it covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderCursor {
    /// The generation of UIDs that the rest belongs to.
    pub uid_validity: Option<u32>,
    /// The next UID that the server will give (RFC 3501 §2.3.1.1).
    pub uid_next: Option<u32>,
    /// The state of the flags up to which all are known (RFC 7162).
    pub highest_modseq: Option<u64>,
    /// Every mail with this UID or a higher one is stored; 1 or 0 when the backfill is done.
    pub backfill_cursor: Option<u32>,
    /// How many mails the backfill has to look at.
    pub backfill_total: u64,
    /// How many of them it has looked at.
    pub backfill_synced: u64,
    /// The generation before this one, while its places are taken over.
    pub former_uid_validity: Option<u32>,
    /// The link to ask for changes with (Graph).
    pub delta_link: Option<String>,
}

/// How many mails of a folder are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FolderCount {
    /// Places in the folder, as an IMAP server counts.
    pub stored: u64,
    /// Of these, how many are unread.
    pub unread: u64,
    /// Mails of the folder that were left out with a reason.
    pub skipped: u64,
}

/// What a comparison of a folder with the provider's came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The mailbox.
    pub account: AccountId,
    /// The folder.
    pub folder: FolderId,
    /// The generation of its UIDs.
    pub uid_validity: u32,
    /// How many mails the provider listed, within the span of time that is imported.
    pub provider_count: u64,
    /// How many were missing here before it was mended.
    pub found_missing: u64,
    /// How many were here that the provider has no more.
    pub found_vanished: u64,
}

/// What an erasing step did, and what it left to be deleted from the storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many mails were deleted; fewer than the limit means that nothing is left.
    pub emails: usize,
    /// Attachments that nobody refers to any more: paths within the organization's part of the storage.
    pub attachments: Vec<String>,
    /// Whether the mailbox holds no mail any more.
    pub done: bool,
}
