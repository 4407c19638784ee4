//! Sending: mails are written, kept as drafts, scheduled, called back, handed over once, and filed among the sent ones.
//!
//! A mail to be sent is a row, like every mail; `email_outgoing` says when it is due. One claim a mailbox makes one process
//! its sender ([`Sender`]), which also files copies of what was sent and mirrors drafts at the provider. Before the last
//! octet of a mail leaves, that is written down durably: a crash before it sends the mail again, a crash after it leaves the
//! mail `uncertain` until it is found (docs/adr/0011-sending-once.md).

mod compose;
mod dto;
mod model;
mod routes;
mod service;
mod store;
mod worker;

pub use routes::configure;
pub use service::Sending;
pub use worker::{Sender, SenderParts};
