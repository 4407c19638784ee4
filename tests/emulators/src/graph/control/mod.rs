//! The control API: what a test may do to the emulator, as methods of [`Graph`](super::Graph) and over HTTP.
//!
//! `POST /_control/<name>` takes a JSON object of arguments and answers with JSON; `GET` reads. An unknown
//! name or argument is answered with 400 and says what is known, so that a slip in a test is seen at once.

mod access;
mod conditions;
mod folders;
mod mails;
mod push;
mod routes;
mod sending;

pub use access::NewUser;
pub use mails::{Change, MailIds, Seed};
pub use routes::serve;
