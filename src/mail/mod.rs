//! Reads mail: from the raw bytes of a message to its people, texts, files, threads and kind. And builds it: [`compose`].
//!
//! Nothing here touches a database or a network, and reading never fails: the mail of the world is full of
//! errors, and each of them must leave a mail that can be shown. What was wrong is kept as a [`Defect`].
//! [`parse`] reads a mail, [`html`] makes its HTML safe, [`threading`] tells which mails belong together,
//! [`identity`] names a mail wherever it lies, and [`inspect`] shows how one is read.

mod address;
mod body;
mod bounce;
mod bounce_prose;
mod classify;
pub mod compose;
mod date;
pub mod html;
mod identity;
mod inspect;
pub mod limits;
mod message_id;
mod mime;
mod model;
mod parse;
pub mod threading;
mod visible;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod html_tests;
#[cfg(test)]
mod parse_tests;
#[cfg(test)]
mod threading_tests;

pub use address::normalize as normalize_address;
pub use address::parse as parse_addresses;
pub use body::sha256_hex;
pub use identity::identity;
pub use inspect::inspect;
pub use mime::header::header_block;
pub use model::{Attachment, Bounce, BounceRecipient, Defect, Kind, Mailbox, ParsedMail};
pub use parse::{parse, parse_head};
pub use threading::{is_reply_subject, normalize_subject, thread_keys};
pub use visible::{snippet, strip as visible_text};
