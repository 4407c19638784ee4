//! The handle of the feature, and its workers.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::gmail;
use super::model::GmailPush;
use crate::accounts::{Account, Accounts, Farewell};
use crate::clock::Clock;
use crate::events::{AccountRef, Event, Events};
use crate::providers::gmail::{Gmail, PubSub};
use crate::providers::oauth::AccessTokens;
use crate::providers::oidc::Verifier;

/// How often it is looked which orders are due; most are not for a day.
const LOOK: Duration = Duration::from_secs(3);

/// The handles that the feature needs.
pub struct PushParts {
    /// The clock.
    pub clock: Clock,
    /// Mailboxes.
    pub accounts: Accounts,
    /// The bells.
    pub events: Events,
    /// The Gmail API.
    pub gmail: Gmail,
    /// How Gmail tells of news; nothing: not at all.
    pub gmail_push: Option<GmailPush>,
    /// The keys that prove pushes.
    pub verifier: Verifier,
    /// Pub/Sub, with the service account that may pull.
    pub puller: Option<(PubSub, Arc<dyn AccessTokens>)>,
}

/// Makes providers ring and hears them; cheap to clone.
#[derive(Clone)]
pub struct Push(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) parts: PushParts,
    pub(super) heard: gmail::Heard,
    bell: Notify,
}

impl Push {
    /// Takes the handles.
    pub fn new(parts: PushParts) -> Self {
        Self(Arc::new(Inner { parts, heard: gmail::Heard::default(), bell: Notify::new() }))
    }

    /// Who is to be told of mailboxes that are disconnected.
    pub fn farewell(&self) -> Arc<dyn Farewell> {
        Arc::new(Leaving(Arc::downgrade(&self.0)))
    }

    /// Says that orders may be due: the scheduler does so every hour.
    pub fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Orders and renews notifications, and pulls them where they are not pushed, until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let Some(settings) = self.0.parts.gmail_push.clone() else {
            return gmail::silence(&self.0.parts).await;
        };
        gmail::begin(&self.0.parts, &settings).await;
        let pulling = async {
            if let (Some((pubsub, tokens)), Some(subscription)) = (&self.0.parts.puller, &settings.subscription) {
                gmail::pull(&self.0, pubsub, &**tokens, subscription, &stop).await;
            }
        };
        tokio::join!(self.keep_orders(&settings, &stop), pulling);
    }

    async fn keep_orders(&self, settings: &GmailPush, stop: &CancellationToken) {
        let mut prove = settings.pusher.is_some();
        while !stop.is_cancelled() {
            if std::mem::take(&mut prove) {
                self.0.parts.verifier.warm_up().await;
            }
            if let Err(error) = gmail::keep_orders(&self.0.parts, settings, stop).await {
                tracing::warn!(%error, "mailboxes that Gmail is to tell of could not be read; trying again");
            }
            tokio::select! {
                // With the scheduler's ring the keys are fetched anew, so that no push has to wait for them.
                () = self.0.bell.notified() => prove = settings.pusher.is_some(),
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Ends the notifications of mailboxes that are disconnected. It holds on to nothing: the mailboxes hold on to it.
struct Leaving(Weak<Inner>);

impl Farewell for Leaving {
    fn leaving(&self, account: Account, tokens: Arc<dyn AccessTokens>) -> BoxFuture<'static, ()> {
        let push = self.0.upgrade();
        Box::pin(async move {
            if let Some(push) = push {
                gmail::leave(&push.parts, &account, tokens).await;
            }
        })
    }
}

impl Inner {
    /// Tells the engine of mailboxes that were rung for; the row is what counts.
    pub(super) fn announce(&self, rung: &[AccountRef]) {
        for account in rung {
            self.parts.events.publish(Event::SyncRequested(*account));
        }
    }
}
