//! How much of our time one server may take.

use std::time::Duration;

/// The bounds of one connection. Whoever exceeds them is disconnected.
///
/// RFC 5321 §4.5.3.2 has longer times for what comes before the final dot: up to five minutes. It speaks to relays, which
/// wait for strangers; here a program hands its own person's mail to the server of their mailbox, which answers in seconds.
/// Until the dot nothing was accepted, so whoever is given up early costs a second try and no second mail, while a peer
/// that stalls holds one of the few connections of its mailbox. After the dot it is the other way round: what is given up
/// then may never be known, and the RFC's ten minutes stand.
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
            envelope: Duration::from_secs(55),
            data: Duration::from_secs(55),
            stall: Duration::from_secs(55),
            transaction: Duration::from_secs(60 * MINUTE),
            end: Duration::from_secs(10 * MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_stalls_is_given_up_within_a_minute_until_the_final_dot() {
        let SmtpLimits { login, reply, envelope, data, stall, transaction: _, end } = SmtpLimits::default();
        for limit in [login, reply, envelope, data, stall] {
            assert!(limit < Duration::from_secs(60), "{limit:?}");
        }
        assert_eq!(end, Duration::from_secs(600), "RFC 5321 §4.5.3.2.6");
    }
}
