//! The conditions a client meets: switches, faults, time, forgetfulness, and topics for notifications.

use crate::gmail::Gmail;
use crate::gmail::methods::METHODS;
use crate::gmail::pubsub::{Delivery, PushConfig, PushFaults, Subscription, Topic};
use crate::gmail::switches::Settings;
use crate::shared::calls::{CallCounts, CallEntry};
use crate::shared::faults::{Fault, FaultRule, When};
use data_encoding::BASE64;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// Names of calls that are no methods of the API.
const OTHER_CALLS: [&str; 9] = [
    "batch",
    "oauth.authorize",
    "oauth.token",
    "oauth.revoke",
    "oauth.certs",
    "oauth.configuration",
    "pubsub.pull",
    "pubsub.acknowledge",
    "pubsub.modifyAckDeadline",
];

impl Gmail {
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

    /// Empties the log of calls.
    pub fn clear_calls(&self) {
        self.conditions.clear_calls();
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

    /// Gives every user a fresh allowance.
    pub fn clear_quota(&self) {
        self.state().quota.clear();
    }

    /// Forgets the mailbox's history: every `historyId` given out so far is answered with 404.
    pub fn expire_history(&self, user: &str) {
        if let Some(mailbox) = self.state().users.get_mut(user) {
            mailbox.history_id += 100;
            mailbox.history_floor = mailbox.history_id;
            mailbox.history.clear();
        }
    }

    /// Makes the ids of attachments and the tokens of pages given out so far worthless.
    pub fn forget_ids(&self) {
        self.state().generation += 1;
    }

    /// Makes a topic, on which Gmail may publish or not.
    pub fn add_topic(&self, name: &str, gmail_may_publish: bool) {
        self.state().pubsub.topics.insert(name.to_owned(), Topic { gmail_may_publish });
    }

    /// Makes a subscription: messages are pushed there, or pulled without it.
    pub fn add_subscription(&self, name: &str, topic: &str, push: Option<PushConfig>, ack_deadline: Duration) {
        let ack_deadline_millis = i64::try_from(ack_deadline.as_millis()).unwrap_or(10_000);
        let subscription = Subscription { topic: topic.to_owned(), push, ack_deadline_millis, queue: VecDeque::new() };
        self.state().pubsub.subscriptions.insert(name.to_owned(), subscription);
    }

    /// Removes a subscription with what waits in it.
    pub fn remove_subscription(&self, name: &str) {
        self.state().pubsub.subscriptions.remove(name);
    }

    /// Decides what goes wrong with notifications from now on.
    pub fn set_push_faults(&self, faults: PushFaults) {
        self.state().pubsub.faults = faults;
    }

    /// Publishes any data to a topic, as somebody else might.
    pub fn publish(&self, topic: &str, data: &[u8]) {
        let mut guard = self.state();
        let state = &mut *guard;
        let now = state.clock.now();
        state.pubsub.publish(topic, BASE64.encode(data), now, &state.random);
        drop(guard);
        self.bell.notify_waiters();
    }

    /// Attempts to push so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().pubsub.deliveries.clone()
    }

    /// How many messages wait in a subscription.
    pub fn waiting(&self, subscription: &str) -> usize {
        self.state().pubsub.subscriptions.get(subscription).map_or(0, |one| one.queue.len())
    }

    /// How many messages were published, and how many notifications came too soon and were dropped.
    pub fn notifications(&self) -> (u64, u64) {
        let state = self.state();
        (state.pubsub.published, state.pubsub.dropped_for_rate)
    }
}
