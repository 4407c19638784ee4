//! IMAP4rev1 and its extensions (RFC 3501, 9051, 7162, …): reading and changing mailboxes, safely and fast.
//!
//! An [`ImapConnection`] is one logged-in connection. The server is not trusted: every read has
//! a time limit, a response that would not fit is refused before it takes memory, and whatever
//! cannot be understood becomes an [`ImapError`] with a class that says what to do next.
//!
//! The layers, from the bytes up: `wire` cuts the stream into responses under limits, `lexer`
//! turns a response into values without copying bodies, `response` gives them meaning,
//! `connection` runs commands, and the rest are the verbs. Nothing in here logs what is sent, so
//! a password cannot reach a log at any level.

mod append;
mod bodies;
mod capabilities;
mod command;
mod connection;
mod copy_map;
mod error;
mod fetch;
mod folders;
mod heads;
mod idle;
mod large;
mod lexer;
mod limits;
mod login;
mod mailbox;
mod model;
mod moves;
mod response;
mod roles;
mod search;
mod store;
mod uid_set;
mod utf7;
mod wire;

pub use append::AppendError;
pub use bodies::FetchedBatch;
pub use capabilities::Capabilities;
pub use connection::ImapConnection;
pub use copy_map::CopyMap;
pub use error::{ImapError, ImapErrorKind};
pub use idle::IdleEnd;
pub use limits::Limits;
pub use model::{
    FetchedMail, FlagEntry, FlagFlow, FolderRole, ImapSettings, IndexEntry, LargeMail, Mailbox, MailboxStatus,
    MessageFlags, RemoteFolder,
};
pub use moves::Moved;
pub use store::{Flag, FlagSet, Stored};
pub use uid_set::UidSet;
pub use utf7::{decode as decode_folder_name, encode as encode_folder_name};

pub use super::Security;

#[cfg(test)]
mod append_tests;
#[cfg(test)]
mod bodies_tests;
#[cfg(test)]
pub(super) mod fake_server_tests;
#[cfg(test)]
mod heads_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod hostile_verbs_tests;
#[cfg(test)]
mod idle_tests;
#[cfg(test)]
mod login_tests;
#[cfg(test)]
mod mailbox_tests;
#[cfg(test)]
mod moves_tests;
#[cfg(test)]
mod response_tests;
#[cfg(test)]
mod store_tests;
