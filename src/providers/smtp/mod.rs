//! SMTP submission (RFC 6409): connecting to a provider's server for outgoing mail, logging in,
//! learning what it can do, and giving it mail.
//!
//! As on the IMAP side the server is not trusted: replies are bounded in length and in time, and
//! every failure is an [`SmtpError`] with a class and the next step. Nothing logs what is sent.
//!
//! What becomes of a mail is told apart with care, for a mail that is sent again by mistake cannot be called back:
//! [`SmtpConnection::send`] gives the server's definite words, or says whether it can have accepted the mail.

mod connection;
mod delivery;
mod envelope;
mod error;
mod limits;
mod model;
mod reply;
mod send;
mod stuffing;

pub use connection::{SmtpConnection, check};
pub use delivery::{DataReply, Delivery, RecipientReply, SendError, SmtpReply};
pub use envelope::Envelope;
pub use error::{SmtpError, SmtpErrorKind};
pub use limits::SmtpLimits;
pub use model::{SmtpCapabilities, SmtpSettings};

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod send_tests;
#[cfg(test)]
mod smtp_tests;
