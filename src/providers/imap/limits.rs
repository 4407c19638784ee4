//! How much of our time and memory one server may take.

use std::time::Duration;

/// The bounds of one connection. Whoever exceeds them is disconnected.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest wait for a sign of life, and for every 4 KiB of an unfinished response: a
    /// server that drips bytes is as bad as a silent one.
    pub stall: Duration,
    /// The longest time one command may take in all.
    pub command: Duration,
    /// The longest time from the first packet to a logged-in connection.
    pub login: Duration,
    /// The largest literal, in octets.
    pub literal: usize,
    /// The most octets of mails held for batches that are not complete yet.
    pub held: usize,
    /// The longest response without its literals, in octets.
    pub line: usize,
    /// The longest answer to a search, in octets: about a million UIDs.
    pub search_line: usize,
    /// The most index lines, or ranges of UIDs, that one command may yield.
    pub entries: usize,
    /// The most responses to one command that nobody asked for.
    pub unsolicited: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            stall: Duration::from_secs(55),
            command: Duration::from_secs(600),
            login: Duration::from_secs(55),
            literal: 48 * MIB,
            held: 48 * MIB,
            line: MIB,
            search_line: 8 * MIB,
            entries: 250_000,
            unsolicited: 100_000,
        }
    }
}
