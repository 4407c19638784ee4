//! How much of our time one server may take.

use std::time::Duration;

/// The bounds of one connection. Whoever exceeds them is disconnected.
///
/// While a mail is sent they are those of RFC 5321 §4.5.3.2, for what is given up too early is sent again, and
/// after the final dot it may never be known what became of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmtpLimits {
    /// The longest time from the first packet to a logged-in connection.
    pub login: Duration,
    /// The longest wait for one reply while setting up, and for the rest of any reply that has begun: a server that
    /// drips bytes is as bad as a silent one.
    pub reply: Duration,
    /// The longest wait for the answer to MAIL, RCPT and RSET.
    pub envelope: Duration,
    /// The longest wait for the go-ahead after DATA.
    pub data: Duration,
    /// The longest time in which nothing more of the mail can be written.
    pub stall: Duration,
    /// The longest time from MAIL to the end of the mail, before its final dot.
    pub transaction: Duration,
    /// The longest wait for the answer to the final dot.
    pub end: Duration,
}

impl Default for SmtpLimits {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self {
            login: Duration::from_secs(55),
            reply: Duration::from_secs(30),
            envelope: Duration::from_secs(5 * MINUTE),
            data: Duration::from_secs(2 * MINUTE),
            stall: Duration::from_secs(3 * MINUTE),
            transaction: Duration::from_secs(60 * MINUTE),
            end: Duration::from_secs(10 * MINUTE),
        }
    }
}
