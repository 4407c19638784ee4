//! What is known of subscriptions, and what is waiting to be told.

use crate::graph::ids::Kind;
use crate::graph::mailbox::Journal;
use crate::graph::model::What;
use crate::graph::state::State;
use crate::graph::view::change_key;
use crate::shared::clock::rfc3339_seconds;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The application.
    pub client: String,
    /// The organisation.
    pub tenant: String,
    /// The person who made it; none for an application by itself.
    pub creator: Option<String>,
    /// `created`, `updated`, `deleted`.
    pub change_types: Vec<String>,
    /// Where notifications go.
    pub notification_url: String,
    /// Where news about the subscription itself goes.
    pub lifecycle_url: Option<String>,
    /// As it was asked for.
    pub resource: String,
    /// Whose mailbox it is about, by object id.
    pub user: String,
    /// The folder; all of them if not set.
    pub folder: Option<u64>,
    /// The client's secret.
    pub client_state: Option<String>,
    /// When it ends, in milliseconds.
    pub expires: i64,
    /// Whether ids in notifications last.
    pub immutable: bool,
    /// Whether nothing is told until it is authorised anew.
    pub is_paused: bool,
}

/// News about a subscription itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lifecycle {
    /// It has to be authorised anew; nothing is told until then.
    ReauthorizationRequired,
    /// It is gone.
    SubscriptionRemoved,
    /// Something was not told.
    Missed,
}

/// What goes wrong between Graph and the subscriber.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushFaults {
    /// So many of the next notifications are lost.
    pub drop_next: u32,
    /// This share of notifications is lost, from 0 to 100.
    pub drop_percent: f64,
    /// So many of the next notifications come twice.
    pub duplicate_next: u32,
    /// This share of notifications comes twice, from 0 to 100.
    pub duplicate_percent: f64,
    /// So many of the next notifications go behind one that comes later.
    pub reorder_next: u32,
    /// This `clientState` is sent in place of the right one.
    pub forged_client_state: Option<String>,
}

/// A notification that waits.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its number.
    pub number: u64,
    /// The subscription.
    pub subscription: String,
    /// Where it goes.
    pub url: String,
    /// What it says.
    pub item: Value,
    /// From when it may be sent, in milliseconds.
    pub due: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first due, in milliseconds.
    pub since: i64,
}

/// One attempt to tell.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Where it went.
    pub url: String,
    /// How many notifications it held.
    pub items: usize,
    /// The most attempts any of them has had.
    pub attempt: u32,
    /// The answer's status; none if there was no answer in time.
    pub status: Option<u16>,
    /// When the answer came, in milliseconds.
    pub at: i64,
}

/// Everything of this kind.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Subscriptions by id.
    pub all: BTreeMap<String, Subscription>,
    /// What waits.
    pub queue: Vec<Notice>,
    /// Attempts so far.
    pub deliveries: Vec<Delivery>,
    /// What goes wrong.
    pub faults: PushFaults,
    /// How many notifications there were, and how many of them were lost.
    pub counted: (u64, u64),
    /// How many subscriptions were made.
    pub made: u64,
}

impl State {
    /// Tells those who subscribed what happened in a mailbox. It has not been numbered yet.
    pub fn announce(&mut self, user: &str, journal: &Journal) {
        let now = self.now();
        let live = |one: &&Subscription| one.user == user && one.expires > now && !one.is_paused;
        let concerned: Vec<Subscription> = self.subscriptions.all.values().filter(live).cloned().collect();
        for what in journal {
            for subscription in &concerned {
                if let Some(item) = self.notification(subscription, what) {
                    self.tell(subscription, &subscription.notification_url.clone(), item, now);
                }
            }
        }
    }

    /// What a subscription says about a change, if it is about it.
    fn notification(&self, subscription: &Subscription, what: &What) -> Option<Value> {
        let (change, mail, place, folder) = match what {
            What::Entered { mail, place, folder } => ("created", *mail, *place, *folder),
            What::Changed { mail, place, folder, .. } => ("updated", *mail, *place, *folder),
            What::Left { mail, place, folder, .. } => ("deleted", *mail, *place, *folder),
            What::Folder { .. } => return None,
        };
        let mailbox = self.mailboxes.get(&subscription.user)?;
        let is_wanted = subscription.change_types.iter().any(|wanted| wanted == change);
        if !is_wanted || !mailbox.is_visible(folder) || subscription.folder.is_some_and(|wanted| wanted != folder) {
            return None;
        }
        let id = if subscription.immutable {
            mailbox.ids.id(Kind::Lasting, mail)
        } else {
            mailbox.ids.id(Kind::Moving, place)
        };
        let resource = format!("Users/{}/Messages/{id}", subscription.user);
        let etag = mailbox.mails.get(&mail).map(change_key).unwrap_or_default();
        let mut item = self.head(subscription);
        item["changeType"] = json!(change);
        item["resourceData"] = json!({
            "@odata.type": "#Microsoft.Graph.Message", "@odata.id": resource, "@odata.etag": format!("W/\"{etag}\""), "id": id,
        });
        item["resource"] = json!(resource);
        Some(item)
    }

    /// What every notification of a subscription says.
    fn head(&self, subscription: &Subscription) -> Value {
        let mut head = json!({
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": rfc3339_seconds(subscription.expires),
            "tenantId": subscription.tenant,
        });
        let forged = self.subscriptions.faults.forged_client_state.as_ref();
        if let Some(client_state) = forged.or(subscription.client_state.as_ref()) {
            head["clientState"] = json!(client_state);
        }
        head
    }

    /// Puts a notification into the queue, or does to it what goes wrong.
    fn tell(&mut self, subscription: &Subscription, url: &str, item: Value, now: i64) {
        let all = &mut self.subscriptions;
        all.counted.0 += 1;
        let chosen = |next: &mut u32, percent: f64| {
            let by_count = *next > 0;
            *next = next.saturating_sub(1);
            by_count || (percent > 0.0 && self.random.percent(percent))
        };
        if chosen(&mut all.faults.drop_next, all.faults.drop_percent) {
            all.counted.1 += 1;
            return;
        }
        let twice = chosen(&mut all.faults.duplicate_next, all.faults.duplicate_percent);
        let late = chosen(&mut all.faults.reorder_next, 0.0);
        let due = now + self.settings.notification_lag_millis + if late { 400 } else { 0 };
        for _ in 0..if twice { 2 } else { 1 } {
            let number = all.counted.0;
            all.queue.push(Notice {
                number,
                subscription: subscription.id.clone(),
                url: url.to_owned(),
                item: item.clone(),
                due,
                attempts: 0,
                since: now,
            });
        }
    }

    /// Tells news about a subscription itself; none if it is not there or has no address for that.
    pub fn lifecycle(&mut self, id: &str, event: Lifecycle) -> Option<()> {
        let now = self.now();
        let subscription = self.subscriptions.all.get_mut(id)?;
        subscription.is_paused |= event == Lifecycle::ReauthorizationRequired;
        let subscription = subscription.clone();
        if event == Lifecycle::SubscriptionRemoved {
            self.subscriptions.all.remove(id);
        }
        let url = subscription.lifecycle_url.clone()?;
        let mut item = self.head(&subscription);
        item["lifecycleEvent"] = json!(event);
        item["resource"] = json!(subscription.resource);
        self.tell(&subscription, &url, item, now);
        Some(())
    }

    /// Removes what a person made who is not allowed it any more.
    pub fn remove_subscriptions(&mut self, creator: &str) {
        let own = self.subscriptions.all.values().filter(|one| one.creator.as_deref() == Some(creator));
        for id in own.map(|one| one.id.clone()).collect::<Vec<_>>() {
            self.lifecycle(&id, Lifecycle::SubscriptionRemoved);
        }
    }
}
