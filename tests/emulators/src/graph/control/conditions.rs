//! The conditions a client meets: switches, faults, time, forgetfulness.

use crate::graph::Graph;
use crate::graph::methods::METHODS;
use crate::graph::switches::Settings;
use crate::shared::calls::{CallCounts, CallEntry};
use crate::shared::faults::{Fault, FaultRule, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Names of calls that are no methods below a user.
const OTHER_CALLS: [&str; 14] = [
    "batch",
    "oauth.authorize",
    "oauth.token",
    "oauth.keys",
    "oauth.configuration",
    "subscriptions.create",
    "subscriptions.list",
    "subscriptions.get",
    "subscriptions.update",
    "subscriptions.delete",
    "subscriptions.reauthorize",
    "uploads.put",
    "uploads.get",
    "uploads.delete",
];

impl Graph {
    /// The switches as they are.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes switches.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Changes the switches that the object names; refuses names that are none.
    pub fn patch_settings(&self, patch: &Value) -> Result<Settings, String> {
        let mut state = self.state();
        let mut merged = serde_json::to_value(&state.settings).map_err(|error| error.to_string())?;
        for (name, value) in patch.as_object().into_iter().flatten() {
            merged[name] = value.clone();
        }
        state.settings = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        Ok(state.settings.clone())
    }

    /// Adds a fault for calls of this name: `messages.get`, `messages.*` or `*`. A name that is no call's is
    /// refused, since such a fault would never come.
    pub fn add_fault(&self, calls: &str, when: When, fault: Fault) -> Result<(), String> {
        self.add_fault_rule(FaultRule::new(calls, when, fault))
    }

    /// The same with all that a rule may say.
    pub fn add_fault_rule(&self, rule: FaultRule) -> Result<(), String> {
        let mut names = METHODS.iter().map(|method| method.name).chain(OTHER_CALLS);
        if !names.any(|name| rule.names(name)) {
            return Err(format!("no call is named `{}`", rule.calls));
        }
        if matches!(rule.fault, Fault::RateForbidden { .. } | Fault::DailyLimit) {
            return Err("Graph says 429 where it means too many requests, and knows no limit for a day".to_owned());
        }
        self.conditions.add_fault(rule);
        Ok(())
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.conditions.clear_faults();
    }

    /// Sets how long each request takes.
    pub fn set_latency(&self, latency: Duration) {
        self.conditions.set_latency(latency, Duration::ZERO);
    }

    /// Every call since the log was emptied.
    pub fn calls(&self) -> Vec<CallEntry> {
        self.conditions.calls(|log| log.entries().to_vec())
    }

    /// The calls counted.
    pub fn counts(&self) -> CallCounts {
        self.conditions.calls(|log| log.counts())
    }

    /// The most requests of an application to a mailbox that were under way at once, refused ones among them, by
    /// `<client id> <address>`.
    pub fn most_in_flight(&self) -> BTreeMap<String, usize> {
        self.in_flight.most()
    }

    /// Empties the log of calls and forgets how many were under way at once.
    pub fn clear_calls(&self) {
        self.conditions.clear_calls();
        self.in_flight.clear_most();
    }

    /// The emulator's time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Lets time pass at once.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.bell.notify_waiters();
    }

    /// Gives every application a fresh allowance.
    pub fn clear_quota(&self) {
        self.state().throttle.clear();
    }

    /// Makes all tokens of a mailbox's delta queries worthless, as when the service forgot them.
    pub fn expire_delta(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        self.state().mailboxes.get_mut(&id).map(|mailbox| mailbox.generation += 1)
    }

    /// The same for links to the next page alone, so that a round breaks off in the middle.
    pub fn expire_next_links(&self, user: &str) -> Option<()> {
        let id = self.user_id(user)?;
        self.state().mailboxes.get_mut(&id).map(|mailbox| mailbox.link_generation += 1)
    }
}
