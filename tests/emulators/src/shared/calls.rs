//! The exact log of calls: what was asked, what it cost and how it ended.

use serde::Serialize;
use std::collections::BTreeMap;

/// One call, also one inside a batch.
#[derive(Clone, Debug, Serialize)]
pub struct CallEntry {
    /// Its place in the log, from 1.
    pub number: u64,
    /// The method's name, such as `messages.get`.
    pub call: String,
    /// The mailbox it was for.
    pub user: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The status of the answer; 0 where none left.
    pub status: u16,
    /// Quota units it cost.
    pub units: u32,
    /// Whether it was a part of a batch.
    pub in_batch: bool,
    /// The fault that hit it.
    pub fault: Option<&'static str>,
    /// When it came, in the emulator's milliseconds.
    pub at: i64,
}

/// Calls counted by name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallCounts {
    /// Requests over the network; a batch is one.
    pub requests: u64,
    /// Calls, each part of a batch for itself and the batch around them not.
    pub calls: u64,
    /// Quota units they cost.
    pub units: u64,
    /// Calls by name, with `batch` for the envelopes.
    pub by_name: BTreeMap<String, u64>,
    /// Quota units by name.
    pub units_by_name: BTreeMap<String, u64>,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
}

/// The log.
#[derive(Debug, Default)]
pub struct CallLog {
    entries: Vec<CallEntry>,
    last: u64,
}

impl CallLog {
    /// Adds a call and numbers it.
    pub fn add(&mut self, mut entry: CallEntry) {
        self.last += 1;
        entry.number = self.last;
        self.entries.push(entry);
    }

    /// All calls so far.
    pub fn entries(&self) -> &[CallEntry] {
        &self.entries
    }

    /// Starts anew; numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The calls counted.
    pub fn counts(&self) -> CallCounts {
        let mut counts = CallCounts::default();
        for entry in &self.entries {
            counts.requests += u64::from(!entry.in_batch);
            counts.calls += u64::from(entry.call != "batch");
            counts.units += u64::from(entry.units);
            *counts.by_name.entry(entry.call.clone()).or_default() += 1;
            *counts.units_by_name.entry(entry.call.clone()).or_default() += u64::from(entry.units);
            *counts.by_status.entry(entry.status).or_default() += 1;
        }
        counts
    }
}
