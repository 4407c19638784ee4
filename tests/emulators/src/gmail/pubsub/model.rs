//! Topics, subscriptions and the messages in them.

use crate::shared::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Whether Gmail was granted the right to publish.
    pub gmail_may_publish: bool,
}

/// Where and how messages are pushed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// The URL.
    pub endpoint: String,
    /// The `aud` of the token; the endpoint if not set.
    pub audience: Option<String>,
    /// The service account that signs; without one there is no token.
    pub service_account: Option<String>,
}

/// A message that waits.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Its id.
    pub id: String,
    /// Its data in base64.
    pub data: String,
    /// When it was published, in milliseconds.
    pub published: i64,
    /// How often delivery was tried.
    pub attempts: u32,
    /// From when it may be delivered, in milliseconds.
    pub available: i64,
    /// The id to acknowledge it with, once it was pulled.
    pub ack_id: Option<String>,
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// Where to push; without it, messages are pulled.
    pub push: Option<PushConfig>,
    /// How long a message may stay unacknowledged.
    pub ack_deadline_millis: i64,
    /// What waits.
    pub queue: VecDeque<Queued>,
}

/// What goes wrong between Gmail and the subscriber.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushFaults {
    /// So many of the next messages are lost.
    pub drop_next: u32,
    /// This share of messages is lost, from 0 to 100.
    pub drop_percent: f64,
    /// So many of the next messages come twice.
    pub duplicate_next: u32,
    /// This share of messages comes twice, from 0 to 100.
    pub duplicate_percent: f64,
    /// So many of the next messages wait until one that came later has gone first.
    pub reorder_next: u32,
    /// How the token of a push is false.
    pub forgery: Option<Forgery>,
}

/// How the token of a push is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgery {
    /// Signed with a key that nobody published.
    ForeignKey,
    /// No signature at all.
    Unsigned,
    /// No token.
    Absent,
    /// Its time is over.
    Expired,
    /// For somebody else.
    WrongAudience,
    /// From somebody else.
    WrongIssuer,
    /// Of another service account.
    WrongEmail,
    /// Of an address that is not verified.
    UnverifiedEmail,
}

/// One attempt to push.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// The subscription.
    pub subscription: String,
    /// The message.
    pub message_id: String,
    /// Its number, from 1.
    pub attempt: u32,
    /// The answer's status; none if there was no answer.
    pub status: Option<u16>,
    /// When the answer came, in milliseconds.
    pub at: i64,
}

/// All topics and subscriptions.
#[derive(Debug, Default)]
pub struct PubSub {
    /// Topics by full name.
    pub topics: BTreeMap<String, Topic>,
    /// Subscriptions by full name.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// What goes wrong.
    pub faults: PushFaults,
    /// How many messages were published.
    pub published: u64,
    /// How many notifications came too soon after another and were dropped.
    pub dropped_for_rate: u64,
    /// Attempts to push, oldest first.
    pub deliveries: Vec<Delivery>,
    held: Vec<(String, Queued)>,
}

impl PubSub {
    /// Publishes data to a topic: every subscription gets the message, unless a fault has it otherwise.
    pub fn publish(&mut self, topic: &str, data: String, now: i64, random: &Random) {
        self.published += 1;
        if !self.topics.contains_key(topic) || happens(&mut self.faults.drop_next, self.faults.drop_percent, random) {
            return;
        }
        let id = (2_070_443_601_311_540 + self.published).to_string();
        let message = Queued { id, data, published: now, attempts: 0, available: now, ack_id: None };
        let names: Vec<String> =
            self.subscriptions.iter().filter(|(_, one)| one.topic == topic).map(|(name, _)| name.clone()).collect();
        if happens(&mut self.faults.reorder_next, 0.0, random) {
            self.held.extend(names.into_iter().map(|name| (name, message.clone())));
            return;
        }
        let twice = happens(&mut self.faults.duplicate_next, self.faults.duplicate_percent, random);
        let copies = std::iter::repeat_n(message, if twice { 2 } else { 1 });
        let mut messages: Vec<(String, Queued)> =
            copies.flat_map(|copy| names.iter().map(move |name| (name.clone(), copy.clone()))).collect();
        messages.append(&mut self.held);
        for (name, message) in messages {
            if let Some(subscription) = self.subscriptions.get_mut(&name) {
                subscription.queue.push_back(message);
            }
        }
    }
}

fn happens(next: &mut u32, share: f64, random: &Random) -> bool {
    if *next > 0 {
        *next -= 1;
        return true;
    }
    share > 0.0 && random.percent(share)
}
