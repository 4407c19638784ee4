//! SMTP submission (RFC 6409): connecting to a provider's server for outgoing mail, logging in,
//! and learning what it can do.
//!
//! As on the IMAP side the server is not trusted: replies are bounded in length and in time, and
//! every failure is an [`SmtpError`] with a class and the next step. Nothing logs what is sent.

mod connection;
mod error;
mod model;
mod reply;

pub use connection::{SmtpConnection, check};
pub use error::{SmtpError, SmtpErrorKind};
pub use model::{SmtpCapabilities, SmtpSettings};

#[cfg(test)]
mod smtp_tests;
