//! Where a request belongs, what goes wrong with it, and who carries it out.

use super::api::{self, Found};
use super::errors::ApiError;
use super::pubsub::{self, PubSubCall};
use super::{Gmail, batch, control, oauth};
use crate::shared::calls::CallEntry;
use crate::shared::faults::Fault;
use crate::shared::http::{Outcome, Reply, Request};
use crate::shared::outcome;
use crate::shared::server::{BoxFuture, Service};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a request belongs.
enum Place {
    Api(Found),
    Batch,
    OAuth(&'static str),
    PubSub(PubSubCall),
    Nowhere,
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::Api(found) => found.method.name.to_owned(),
            Self::Batch => "batch".to_owned(),
            Self::OAuth(name) => (*name).to_owned(),
            Self::PubSub(call) => format!("pubsub.{}", call.verb),
            Self::Nowhere => "nowhere".to_owned(),
        }
    }
}

/// An answer as the log needs it.
struct Answered {
    reply: Reply,
    units: u32,
}

impl Answered {
    fn free(reply: Reply) -> Self {
        Self { reply, units: 0 }
    }
}

impl Service for Gmail {
    fn serve(self: Arc<Self>, request: Request) -> BoxFuture<Outcome> {
        Box::pin(async move {
            if request.path.starts_with("/_control") {
                return Outcome::Reply(control::serve(&self, &request));
            }
            let _counted = self.in_flight.enter(&self.user_of(&request).unwrap_or_default(), 1);
            tokio::time::sleep(self.conditions.latency()).await;
            self.outcome(&request).await
        })
    }

    fn run(self: Arc<Self>) -> BoxFuture<()> {
        Box::pin(pubsub::deliver(self))
    }
}

impl Gmail {
    fn place(&self, request: &Request) -> Place {
        let oauth = match (request.method.as_str(), request.path.as_str()) {
            ("GET" | "POST", "/o/oauth2/v2/auth") => Some("oauth.authorize"),
            ("POST", "/token") => Some("oauth.token"),
            ("POST", "/revoke") => Some("oauth.revoke"),
            ("GET", "/oauth2/v3/certs") => Some("oauth.certs"),
            ("GET", "/.well-known/openid-configuration") => Some("oauth.configuration"),
            _ => None,
        };
        if let Some(name) = oauth {
            return Place::OAuth(name);
        }
        if batch::is_batch(request) {
            return Place::Batch;
        }
        if let Some(call) = PubSubCall::of(request) {
            return Place::PubSub(call);
        }
        api::find(&self.state(), request).map_or(Place::Nowhere, Place::Api)
    }

    fn user_of(&self, request: &Request) -> Option<String> {
        api::access(&self.state(), request).and_then(|access| access.user)
    }

    async fn outcome(&self, request: &Request) -> Outcome {
        let place = self.place(request);
        let (name, user) = (place.name(), self.user_of(request));
        let fault = self.conditions.fault_for(&name, user.as_deref(), false);
        let mut answered = Answered::free(Reply::empty(0));
        match &fault {
            Some(fault) if !fault.is_done() => {
                if let Some(reply) = self.refusal(fault) {
                    answered = Answered::free(reply);
                }
            }
            _ => answered = self.carried_out(&place, request, user.as_deref()).await,
        }
        let status = if outcome::leaves(fault.as_ref()) { answered.reply.status } else { 0 };
        self.write_down(request, name, user, status, answered.units, false, fault.as_ref());
        // What was changed may have to be announced.
        self.bell.notify_waiters();
        outcome::after(fault.as_ref(), answered.reply).await
    }

    /// A part of a batch, which only faults of the service itself can hit.
    pub(super) fn part(&self, request: &Request, is_too_many: bool) -> Reply {
        let found = api::find(&self.state(), request);
        let user = self.user_of(request);
        let Some(found) = found.filter(|_| request.path.starts_with("/gmail/")) else {
            let error = ApiError::not_found().reply(self.state().settings.error_shape);
            self.write_down(request, "nowhere".to_owned(), user, 404, 0, true, None);
            return error;
        };
        let fault = self.conditions.fault_for(found.method.name, user.as_deref(), true);
        let answered = if let Some(reply) = fault.as_ref().and_then(|fault| self.refusal(fault)) {
            Answered::free(reply)
        } else if is_too_many {
            let error = ApiError::too_many("Too many concurrent requests for user.");
            Answered::free(error.reply(self.state().settings.error_shape))
        } else {
            let done = api::carry_out(&mut self.state(), request, &found);
            Answered { reply: done.reply, units: done.units }
        };
        let (name, status) = (found.method.name.to_owned(), answered.reply.status);
        self.write_down(request, name, user, status, answered.units, true, fault.as_ref());
        answered.reply
    }

    /// The answer of a fault that is one.
    fn refusal(&self, fault: &Fault) -> Option<Reply> {
        let now = self.clock.now();
        let error = match fault {
            Fault::TooManyRequests { retry_after: hint } => {
                ApiError::too_many("Rate Limit Exceeded").retry_after(hint.value(now))
            }
            Fault::RateForbidden { retry_after: hint } => {
                let error = ApiError::rate_forbidden("userRateLimitExceeded", "User Rate Limit Exceeded");
                error.retry_after(hint.value(now))
            }
            Fault::DailyLimit => ApiError::rate_forbidden("dailyLimitExceeded", "Daily Limit Exceeded"),
            Fault::Busy { status, retry_after } => ApiError::server(*status).retry_after(retry_after.value(now)),
            Fault::ServerError { status } => ApiError::server(*status),
            Fault::Refusal { status, reason } => ApiError::named(*status, reason),
            Fault::Html { status } => return Some(Reply::html(*status, "<h1>Error</h1><p>That's all we know.</p>")),
            _ => return None,
        };
        Some(error.reply(self.state().settings.error_shape))
    }

    async fn carried_out(&self, place: &Place, request: &Request, user: Option<&str>) -> Answered {
        let has_length = ["content-length", "transfer-encoding"].iter().any(|name| request.headers.get(name).is_some());
        let needs_length = ["POST", "PUT", "PATCH"].contains(&request.method.as_str());
        if needs_length && !has_length && self.state().settings.needs_content_length {
            let page = "<h1>Error 411 (Length Required)</h1><p>POST requests require a Content-length header.</p>";
            return Answered::free(Reply::html(411, page));
        }
        match place {
            Place::Api(found) => self.called(request, found, user),
            Place::Batch => Answered::free(batch::carry_out(self, request)),
            Place::OAuth(name) => Answered::free(self.oauth(name, request)),
            Place::PubSub(call) => Answered::free(self.pubsub(call, request).await),
            Place::Nowhere => {
                Answered::free(Reply::html(404, "<p>The requested URL was not found on this server.</p>"))
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one line of the log has that many columns")]
    fn write_down(
        &self,
        request: &Request,
        call: String,
        user: Option<String>,
        status: u16,
        units: u32,
        in_batch: bool,
        fault: Option<&Fault>,
    ) {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        self.conditions.log(CallEntry {
            number: 0,
            call,
            user,
            method: request.method.clone(),
            target: format!("{}{query}", request.path),
            status,
            units,
            in_batch,
            fault: fault.map(Fault::name),
            at: self.clock.now(),
        });
    }

    fn called(&self, request: &Request, found: &Found, user: Option<&str>) -> Answered {
        let most = self.state().settings.most_concurrent.unwrap_or(usize::MAX);
        let user = user.unwrap_or_default();
        if self.in_flight.now(user) > most {
            let error = ApiError::too_many("Too many concurrent requests for user.");
            return Answered::free(error.reply(self.state().settings.error_shape));
        }
        let done = api::carry_out(&mut self.state(), request, found);
        Answered { reply: done.reply, units: done.units }
    }

    fn oauth(&self, name: &str, request: &Request) -> Reply {
        let mut state = self.state();
        match name {
            "oauth.authorize" if request.method == "POST" => oauth::decide(&mut state, request.form_pairs()),
            "oauth.authorize" => oauth::authorize(&mut state, request.query_pairs()),
            "oauth.token" => oauth::token(&mut state, request),
            "oauth.revoke" => oauth::revoke(&mut state, request),
            "oauth.certs" => oauth::certificates(&state),
            _ => oauth::configuration(&state),
        }
    }

    async fn pubsub(&self, call: &PubSubCall, request: &Request) -> Reply {
        let checked = {
            let state = self.state();
            call.check(&state, api::access(&state, request).as_ref(), request)
        };
        let body = match checked {
            Ok(body) => body,
            Err(error) => return error.reply(super::errors::ErrorShape::WithoutErrors),
        };
        match call.verb.as_str() {
            "pull" => self.pull(call, &body).await,
            "acknowledge" => {
                pubsub::acknowledge(&mut self.state(), &call.subscription, &body);
                Reply::json(200, &json!({}))
            }
            _ => {
                pubsub::modify_deadline(&mut self.state(), &call.subscription, &body);
                Reply::json(200, &json!({}))
            }
        }
    }

    /// Waits a while for a message; without one the answer is empty.
    async fn pull(&self, call: &PubSubCall, body: &Value) -> Reply {
        let at_once = body.get("returnImmediately").and_then(Value::as_bool) == Some(true);
        let wait = if at_once { 0 } else { self.state().settings.pull_wait_millis };
        let end = Instant::now() + Duration::from_millis(wait);
        loop {
            let rung = self.bell.notified();
            let messages = pubsub::pull(&mut self.state(), &call.subscription, body);
            if !messages.is_empty() {
                return Reply::json(200, &json!({"receivedMessages": messages}));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Reply::json(200, &json!({}));
            }
            // Leases end without a bell.
            let _ = tokio::time::timeout(left.min(Duration::from_millis(200)), rung).await;
        }
    }
}
