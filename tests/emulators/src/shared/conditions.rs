//! The conditions a client meets: faults, latency, and the record of what it did under them.

use super::calls::{CallEntry, CallLog};
use super::faults::{Fault, FaultRule};
use super::lock;
use super::random::Random;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Faults, latency and the log of calls of one emulator.
#[derive(Debug)]
pub struct Conditions {
    faults: Mutex<Vec<FaultRule>>,
    latency_micros: AtomicU64,
    jitter_micros: AtomicU64,
    calls: Mutex<CallLog>,
    /// The emulator's source of chance.
    pub random: Random,
}

impl Conditions {
    /// Fair weather.
    pub fn new(seed: u64) -> Self {
        Self {
            faults: Mutex::default(),
            latency_micros: AtomicU64::new(0),
            jitter_micros: AtomicU64::new(0),
            calls: Mutex::default(),
            random: Random::new(seed),
        }
    }

    /// Adds a rule behind those there are.
    pub fn add_fault(&self, rule: FaultRule) {
        lock(&self.faults).push(rule);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// The rules with what they have hit.
    pub fn faults(&self) -> Vec<FaultRule> {
        lock(&self.faults).clone()
    }

    /// The fault that hits this call, if any.
    pub fn fault_for(&self, call: &str, user: Option<&str>, in_batch: bool) -> Option<Fault> {
        let mut rules = lock(&self.faults);
        rules.iter_mut().find_map(|rule| rule.applies(call, user, in_batch, &self.random).then(|| rule.fault.clone()))
    }

    /// Sets how long each request takes, and by how much that varies.
    pub fn set_latency(&self, latency: Duration, jitter: Duration) {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.store(micros(latency), Ordering::SeqCst);
        self.jitter_micros.store(micros(jitter), Ordering::SeqCst);
    }

    /// How long the next request takes.
    pub fn latency(&self) -> Duration {
        let jitter = self.jitter_micros.load(Ordering::SeqCst);
        let extra = if jitter == 0 { 0 } else { self.random.next() % jitter };
        Duration::from_micros(self.latency_micros.load(Ordering::SeqCst) + extra)
    }

    /// Writes a call down.
    pub fn log(&self, entry: CallEntry) {
        lock(&self.calls).add(entry);
    }

    /// Reads the log of calls.
    pub fn calls<T>(&self, read: impl FnOnce(&CallLog) -> T) -> T {
        read(&lock(&self.calls))
    }

    /// Empties the log of calls.
    pub fn clear_calls(&self) {
        lock(&self.calls).clear();
    }
}
