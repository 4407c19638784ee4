//! Pushes: what is due, the token that proves who sends it, and what the answer means.

use super::model::{Delivery, Forgery, PushConfig};
use crate::gmail::state::State;
use crate::shared::clock::rfc3339;
use crate::shared::jwt;
use crate::shared::keys::TestKey;
use serde_json::{Value, json};

/// Answers that acknowledge a push; every other one brings it again.
const ACKNOWLEDGING: [u16; 5] = [102, 200, 201, 202, 204];

/// Waits between attempts do not grow beyond this.
const LONGEST_WAIT: u64 = 60_000;

/// One push to be made.
#[derive(Clone, Debug)]
pub struct Job {
    /// The subscription.
    pub subscription: String,
    /// The message.
    pub message_id: String,
    /// Its number, from 1.
    pub attempt: u32,
    /// Where it goes.
    pub endpoint: String,
    /// The bearer token.
    pub token: Option<String>,
    /// The body.
    pub body: Value,
    /// How long the answer may take, in milliseconds.
    pub deadline: u64,
}

/// The pushes that are due, and when the next one will be.
pub fn due(state: &mut State) -> (Vec<Job>, Option<i64>) {
    let now = state.now();
    let (forgery, signing) = (state.pubsub.faults.forgery, state.oauth.signing);
    let mut jobs = Vec::new();
    let mut next: Option<i64> = None;
    for (name, subscription) in &mut state.pubsub.subscriptions {
        let Some(push) = &subscription.push else {
            continue;
        };
        for message in &mut subscription.queue {
            if message.available > now {
                next = Some(next.map_or(message.available, |known| known.min(message.available)));
                continue;
            }
            message.attempts += 1;
            // In flight until the answer is there, or the deadline over.
            message.available = now + subscription.ack_deadline_millis;
            let published = rfc3339(message.published);
            jobs.push(Job {
                subscription: name.clone(),
                message_id: message.id.clone(),
                attempt: message.attempts,
                endpoint: push.endpoint.clone(),
                token: token_for(push, forgery, signing, now),
                body: json!({
                    "message": {
                        "attributes": {}, "data": message.data, "messageId": message.id, "message_id": message.id,
                        "publishTime": published, "publish_time": published,
                    },
                    "subscription": name,
                }),
                deadline: u64::try_from(subscription.ack_deadline_millis).unwrap_or(10_000),
            });
        }
    }
    (jobs, next)
}

/// The token that proves who pushes, or one that is false in this way.
pub fn token_for(push: &PushConfig, forgery: Option<Forgery>, signing: TestKey, now: i64) -> Option<String> {
    let account = push.service_account.as_ref()?;
    let now = now / 1000;
    let audience = push.audience.as_ref().unwrap_or(&push.endpoint);
    let mut claims = json!({
        "aud": audience, "azp": "113774264463038321964", "email": account, "email_verified": true,
        "exp": now + 3600, "iat": now, "iss": "https://accounts.google.com", "sub": "113774264463038321964",
    });
    match forgery {
        None => {}
        Some(Forgery::Absent) => return None,
        Some(Forgery::Unsigned) => return Some(jwt::unsigned(&claims)),
        Some(Forgery::ForeignKey) => return Some(jwt::signed(TestKey::Foreign, &claims)),
        Some(Forgery::Expired) => {
            claims["iat"] = json!(now - 7200);
            claims["exp"] = json!(now - 3600);
        }
        Some(Forgery::WrongAudience) => claims["aud"] = json!("https://elsewhere.example/push"),
        Some(Forgery::WrongIssuer) => claims["iss"] = json!("https://issuer.example"),
        Some(Forgery::WrongEmail) => claims["email"] = json!("someone-else@project.iam.gserviceaccount.com"),
        Some(Forgery::UnverifiedEmail) => claims["email_verified"] = json!(false),
    }
    Some(jwt::signed(signing, &claims))
}

/// Notes an answer: the message is done, or comes again later.
pub fn delivered(state: &mut State, job: &Job, status: Option<u16>) {
    let now = state.now();
    let (name, id, attempt) = (job.subscription.clone(), job.message_id.clone(), job.attempt);
    state.pubsub.deliveries.push(Delivery { subscription: name, message_id: id, attempt, status, at: now });
    let growth = 1_u64 << job.attempt.saturating_sub(1).min(10);
    let wait = (state.settings.push_retry_millis * growth).min(LONGEST_WAIT);
    let Some(subscription) = state.pubsub.subscriptions.get_mut(&job.subscription) else {
        return;
    };
    let mine = |message: &&mut super::model::Queued| message.id == job.message_id && message.attempts == job.attempt;
    if status.is_some_and(|status| ACKNOWLEDGING.contains(&status)) {
        let place = subscription.queue.iter().position(|one| one.id == job.message_id && one.attempts == job.attempt);
        if let Some(place) = place {
            subscription.queue.remove(place);
        }
    } else if let Some(message) = subscription.queue.iter_mut().find(mine) {
        message.available = now + i64::try_from(wait).unwrap_or(60_000);
    }
}
