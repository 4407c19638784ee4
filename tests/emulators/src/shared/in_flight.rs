//! Requests that are under way at this moment, by whatever is limited.

use super::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    now: usize,
    most: usize,
}

/// Requests under way.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<BTreeMap<String, Count>>);

impl InFlight {
    /// Counts so many requests until the guard is dropped.
    pub fn enter(self: &Arc<Self>, key: &str, requests: usize) -> Entered {
        let mut counts = lock(&self.0);
        let count = counts.entry(key.to_owned()).or_default();
        count.now += requests;
        count.most = count.most.max(count.now);
        Entered { counts: Arc::clone(self), key: key.to_owned(), requests }
    }

    /// Counts at most so many requests, as far as they fit under the limit; the guard knows how many did.
    pub fn enter_below(self: &Arc<Self>, key: &str, requests: usize, limit: usize) -> Entered {
        let mut counts = lock(&self.0);
        let count = counts.entry(key.to_owned()).or_default();
        let admitted = requests.min(limit.saturating_sub(count.now));
        count.most = count.most.max(count.now + requests);
        count.now += admitted;
        Entered { counts: Arc::clone(self), key: key.to_owned(), requests: admitted }
    }

    /// How many there are.
    pub fn now(&self, key: &str) -> usize {
        lock(&self.0).get(key).map_or(0, |count| count.now)
    }

    /// The most there were at once, refused ones among them.
    pub fn most(&self) -> BTreeMap<String, usize> {
        lock(&self.0).iter().map(|(key, count)| (key.clone(), count.most)).collect()
    }

    /// Forgets how many there were.
    pub fn clear_most(&self) {
        for count in lock(&self.0).values_mut() {
            count.most = count.now;
        }
    }
}

/// Requests counted as long as this lives.
#[derive(Debug)]
pub struct Entered {
    counts: Arc<InFlight>,
    key: String,
    requests: usize,
}

impl Entered {
    /// How many it counts.
    pub fn requests(&self) -> usize {
        self.requests
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(count) = lock(&self.counts.0).get_mut(&self.key) {
            count.now = count.now.saturating_sub(self.requests);
        }
    }
}
