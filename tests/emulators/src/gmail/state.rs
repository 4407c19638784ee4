//! Everything the emulator knows, behind one lock.

use super::errors::ApiError;
use super::model::{Mailbox, Record, Sent, Watch};
use super::oauth::OAuth;
use super::pubsub::PubSub;
use super::quota::Quota;
use super::switches::Settings;
use super::uploads::Uploads;
use crate::shared::clock::Clock;
use crate::shared::random::Random;
use data_encoding::BASE64;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything the emulator knows.
#[derive(Debug)]
pub struct State {
    /// Where the emulator listens.
    pub url: String,
    /// Mailboxes by address.
    pub users: BTreeMap<String, Mailbox>,
    /// Clients, grants and tokens.
    pub oauth: OAuth,
    /// Topics and subscriptions.
    pub pubsub: PubSub,
    /// Allowances.
    pub quota: Quota,
    /// Uploads that go on.
    pub uploads: Uploads,
    /// The switches.
    pub settings: Settings,
    /// What left for the world, oldest first.
    pub sent: Vec<Sent>,
    /// Raised to make ids of attachments and tokens of pages given out so far worthless.
    pub generation: u64,
    /// The emulator's time.
    pub clock: Arc<Clock>,
    /// The emulator's source of chance.
    pub random: Random,
}

impl State {
    /// A world without users.
    pub fn new(url: &str, clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            url: url.to_owned(),
            users: BTreeMap::new(),
            oauth: OAuth::default(),
            pubsub: PubSub::default(),
            quota: Quota::default(),
            uploads: Uploads::default(),
            settings: Settings::default(),
            sent: Vec::new(),
            generation: 0,
            clock,
            random: Random::new(seed),
        }
    }

    /// The time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The mailbox of this address.
    pub fn mailbox(&mut self, user: &str) -> Result<&mut Mailbox, ApiError> {
        let mailbox = self.users.get_mut(user);
        mailbox.filter(|mailbox| !mailbox.disabled).ok_or_else(|| ApiError::precondition("Mail service not enabled"))
    }

    /// Commits a record to a mailbox's history and announces it to those who watch.
    pub fn commit(&mut self, user: &str, record: Record) {
        let now = self.now();
        let gap = self.random.next() % 37;
        let visible_from = now + self.settings.history_lag_millis;
        let Some(mailbox) = self.users.get_mut(user) else {
            return;
        };
        let touched: Vec<BTreeSet<String>> = touched_labels(&record);
        let Some(history_id) = mailbox.commit(record, visible_from, gap) else {
            return;
        };
        let concerned: Vec<String> = mailbox
            .watches
            .iter()
            .filter(|(_, watch)| watch.expires > now && touched.iter().any(|labels| concerns(watch, labels)))
            .map(|(project, _)| project.clone())
            .collect();
        for project in concerned {
            self.announce(user, &project, history_id);
        }
    }

    /// Tells a project's topic that the mailbox has changed. What comes too soon is dropped, not kept.
    pub fn announce(&mut self, user: &str, project: &str, history_id: u64) {
        let now = self.now();
        let gap = self.settings.notification_gap_millis;
        let Some(mailbox) = self.users.get_mut(user) else {
            return;
        };
        let Some(topic) = mailbox.watches.get(project).map(|watch| watch.topic.clone()) else {
            return;
        };
        if mailbox.notified.get(project).is_some_and(|last| now - last < gap) {
            self.pubsub.dropped_for_rate += 1;
            return;
        }
        mailbox.notified.insert(project.to_owned(), now);
        let number = self.settings.notification_id_is_number.applies(self.pubsub.published + 1);
        let id = if number { json!(history_id) } else { json!(history_id.to_string()) };
        let data = json!({"emailAddress": user, "historyId": id}).to_string();
        self.pubsub.publish(&topic, BASE64.encode(data.as_bytes()), now, &self.random);
    }
}

/// The labels of each mail a record touches, with those it lost.
fn touched_labels(record: &Record) -> Vec<BTreeSet<String>> {
    let mut touched: Vec<BTreeSet<String>> =
        record.added.iter().chain(&record.deleted).map(|mention| mention.labels.clone()).collect();
    for (mention, labels) in record.labels_added.iter().chain(&record.labels_removed) {
        touched.push(mention.labels.iter().chain(labels).cloned().collect());
    }
    touched
}

fn concerns(watch: &Watch, labels: &BTreeSet<String>) -> bool {
    watch.labels.is_empty() || watch.labels.iter().any(|label| labels.contains(label)) != watch.excludes
}
