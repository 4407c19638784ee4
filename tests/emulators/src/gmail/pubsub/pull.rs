//! `subscriptions.pull`, `acknowledge` and `modifyAckDeadline`.

use crate::gmail::errors::ApiError;
use crate::gmail::oauth::Access;
use crate::gmail::schema::{Field, Kind, TEXTS, check_body, field};
use crate::gmail::scopes::names::{CLOUD, PUBSUB};
use crate::gmail::state::State;
use crate::shared::clock::rfc3339;
use crate::shared::http::Request;
use serde_json::{Value, json};

static PULL: [Field; 2] = [field("maxMessages", Kind::Int32), field("returnImmediately", Kind::Bool)];
static ACKNOWLEDGE: [Field; 1] = [field("ackIds", TEXTS)];
static MODIFY: [Field; 2] = [field("ackIds", TEXTS), field("ackDeadlineSeconds", Kind::Int32)];

/// A call of the Pub/Sub API.
#[derive(Clone, Debug)]
pub struct PubSubCall {
    /// `pull`, `acknowledge` or `modifyAckDeadline`.
    pub verb: String,
    /// The full name of the subscription.
    pub subscription: String,
}

impl PubSubCall {
    /// Reads `/v1/projects/p/subscriptions/s:verb`.
    pub fn of(request: &Request) -> Option<Self> {
        let pieces = request.segments();
        let [version, projects, project, subscriptions, last] = pieces.as_slice() else {
            return None;
        };
        let (name, verb) = last.rsplit_once(':')?;
        let is_it = request.method == "POST"
            && version == "v1"
            && projects == "projects"
            && subscriptions == "subscriptions"
            && ["pull", "acknowledge", "modifyAckDeadline"].contains(&verb);
        is_it.then(|| Self { verb: verb.to_owned(), subscription: format!("projects/{project}/subscriptions/{name}") })
    }

    /// Refuses callers without the scope, bodies of another shape, and subscriptions that do not exist.
    pub fn check(&self, state: &State, access: Option<&Access>, request: &Request) -> Result<Value, ApiError> {
        let access = access.ok_or_else(|| {
            ApiError::unauthenticated("Request had invalid authentication credentials. Expected OAuth 2 access token.")
        })?;
        if !access.has(PUBSUB) && !access.has(CLOUD) {
            return Err(ApiError::scope());
        }
        if request.headers.media_type() != "application/json" {
            return Err(ApiError::badly_formed("Invalid JSON payload received. The media type is not JSON."));
        }
        let body: Value = serde_json::from_slice(&request.body)
            .map_err(|_| ApiError::badly_formed("Invalid JSON payload received. Parse error."))?;
        let fields: &'static [Field] = match self.verb.as_str() {
            "pull" => &PULL,
            "acknowledge" => &ACKNOWLEDGE,
            _ => &MODIFY,
        };
        check_body(&body, fields, "")?;
        let missing = |name: &str| {
            let count = body.get(name).and_then(Value::as_array).map_or(0, Vec::len);
            if count == 0 { Err(ApiError::invalid(format!("You must specify {name}."))) } else { Ok(()) }
        };
        if self.verb != "pull" {
            missing("ackIds")?;
        } else if body.get("maxMessages").and_then(Value::as_i64).unwrap_or(0) <= 0 {
            return Err(ApiError::invalid("You have passed an invalid max messages value: it must be positive."));
        }
        match state.pubsub.subscriptions.get(&self.subscription) {
            None => {
                let mut error = ApiError::not_found();
                error.message = format!("Resource not found (resource={}).", self.subscription).into();
                Err(error)
            }
            Some(subscription) if subscription.push.is_some() => {
                Err(ApiError::precondition("This method is not supported for push subscriptions."))
            }
            Some(_) => Ok(body),
        }
    }
}

/// The messages that can be had now, leased for the subscription's deadline.
pub fn pull(state: &mut State, name: &str, body: &Value) -> Vec<Value> {
    let now = state.now();
    let most = body.get("maxMessages").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let Some(subscription) = state.pubsub.subscriptions.get_mut(name) else {
        return Vec::new();
    };
    let deadline = subscription.ack_deadline_millis;
    let ready = subscription.queue.iter_mut().filter(|message| message.available <= now);
    ready
        .take(most.unwrap_or(1))
        .map(|message| {
            let ack_id = state.random.token(64);
            message.attempts += 1;
            message.available = now + deadline;
            message.ack_id = Some(ack_id.clone());
            json!({"ackId": ack_id, "message": {
                "data": message.data, "messageId": message.id, "publishTime": rfc3339(message.published),
            }})
        })
        .collect()
}

fn ack_ids(body: &Value) -> Vec<&str> {
    body.get("ackIds").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Takes messages off; ids that are used up do no harm.
pub fn acknowledge(state: &mut State, name: &str, body: &Value) {
    let ids = ack_ids(body);
    if let Some(subscription) = state.pubsub.subscriptions.get_mut(name) {
        subscription.queue.retain(|message| !message.ack_id.as_deref().is_some_and(|id| ids.contains(&id)));
    }
}

/// Prolongs or ends leases.
pub fn modify_deadline(state: &mut State, name: &str, body: &Value) {
    let ids = ack_ids(body);
    let until = state.now() + body.get("ackDeadlineSeconds").and_then(Value::as_i64).unwrap_or(0) * 1000;
    if let Some(subscription) = state.pubsub.subscriptions.get_mut(name) {
        let leased =
            subscription.queue.iter_mut().filter(|one| one.ack_id.as_deref().is_some_and(|id| ids.contains(&id)));
        for message in leased {
            message.available = until;
        }
    }
}
