//! Builds outgoing mail: from people, texts and files to the octets of RFC 5322 and MIME.
//!
//! [`compose`] turns an [`Outgoing`] into a [`Composed`]: the octets around the files, and the places where the files
//! stand. The files themselves are read, encoded and passed on while the mail is sent ([`Composed::stream`]), so a mail
//! takes as much memory as its texts. The same [`Outgoing`] gives the same octets every time, on every machine: nothing in
//! here asks a clock or for random numbers.
//!
//! What a stranger wrote into a field must never become another field. [`check_text`], [`check_address`] and
//! [`check_header`] say at the door what is wrong; [`compose`] asks them again. [`answer`] prepares replies and forwards.

mod address;
pub mod answer;
mod build;
mod check;
mod composed;
mod fields;
mod files;
mod model;

#[cfg(test)]
mod address_tests;
#[cfg(test)]
mod compose_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod stream_tests;

pub use address::check_address;
pub use build::compose;
pub use check::{ComposeError, check_header, check_text};
pub use composed::{Composed, Piece, WrongSize};
pub use model::{Outgoing, OutgoingFile};

pub use super::html::content_ids as referenced_content_ids;
