//! A push: who sends it, which mailbox it is about, and that this mailbox is looked at.

use std::time::Duration;

use moka::sync::Cache;
use serde_json::Value;

use crate::accounts::Provider;
use crate::providers::gmail::notification;
use crate::providers::oidc::{Expected, Refusal};
use crate::push::Push;

/// Who may issue the token of a push: Google writes itself in two ways.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// How long messages are remembered that came already.
const MEMORY: Duration = Duration::from_secs(3600);

/// The same complaint is logged so often at most.
const COMPLAINT: Duration = Duration::from_secs(3600);

/// What becomes of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::push) enum Answer {
    /// It is dealt with, or not worth it.
    Done,
    /// It should come again: nothing could be done about it now.
    Again,
}

/// What came before.
pub(in crate::push) struct Heard {
    messages: Cache<String, ()>,
    complaints: Cache<String, ()>,
}

impl Default for Heard {
    fn default() -> Self {
        let memory = |time| Cache::builder().max_capacity(100_000).time_to_live(time).build();
        Self { messages: memory(MEMORY), complaints: memory(COMPLAINT) }
    }
}

impl Push {
    /// Hears a push. It only rings: what is new is read from Gmail, from the place that is known here.
    pub(in crate::push) async fn hear_gmail(&self, token: Option<&str>, body: &[u8]) -> Answer {
        let Some(pusher) = self.0.parts.gmail_push.as_ref().and_then(|push| push.pusher.as_ref()) else {
            return Answer::Done;
        };
        let Some(token) = token else {
            self.complain("it brings no token; switch authentication on in the subscription");
            return Answer::Done;
        };
        let expected = Expected { issuers: &ISSUERS, audience: &pusher.audience, email: &pusher.email };
        match self.0.parts.verifier.check(token, &expected).await {
            Ok(()) => self.ring_gmail(body).await,
            Err(Refusal::Forged(forged)) => {
                self.complain(&forged.to_string());
                Answer::Done
            }
            Err(Refusal::NoKeys(_)) => Answer::Again,
        }
    }

    async fn ring_gmail(&self, body: &[u8]) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return Answer::Done };
        let message = &body["message"];
        let Some(told) = message["data"].as_str().and_then(notification) else { return Answer::Done };
        let id = message["messageId"].as_str();
        if id.is_some_and(|id| self.0.heard.messages.contains_key(id)) {
            return Answer::Done;
        }
        match self.0.parts.accounts.ring_address(Provider::Gmail, &told.email_address).await {
            Ok(rung) => {
                self.0.announce(&rung);
                // Only now: what could not be written down must be heard when it comes again.
                if let Some(id) = id {
                    self.0.heard.messages.insert(id.to_owned(), ());
                }
                Answer::Done
            }
            Err(error) => {
                tracing::warn!(%error, "a push could not be written down; it comes again");
                Answer::Again
            }
        }
    }

    /// Tells the operator that pushes are not believed: a wrong setting looks like a forgery.
    fn complain(&self, why: &str) {
        if self.0.heard.complaints.entry(why.to_owned()).or_insert(()).is_fresh() {
            tracing::warn!(
                why,
                "a push to the webhook of Gmail was not believed; if it was not forged, look at GOOGLE_PUBSUB_AUDIENCE and \
                 GOOGLE_PUBSUB_SERVICE_ACCOUNT"
            );
        }
    }
}
