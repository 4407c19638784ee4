//! Where a request belongs, what goes wrong with it, and who carries it out.

use super::api::{self, Found};
use super::errors::{ApiError, Trace};
use super::{Graph, batch, control, oauth, subscriptions, uploads};
use crate::shared::calls::CallEntry;
use crate::shared::faults::Fault;
use crate::shared::http::{Outcome, Reply, Request};
use crate::shared::in_flight::Entered;
use crate::shared::outcome;
use crate::shared::server::{BoxFuture, Service};
use std::sync::Arc;

/// Where a request belongs.
enum Place {
    Api(Found),
    Batch,
    Subscriptions(&'static str, String),
    Upload(&'static str),
    OAuth(String, &'static str),
    Refused(ApiError),
    Nowhere,
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::Api(found) => found.method.name.to_owned(),
            Self::Batch => "batch".to_owned(),
            Self::Subscriptions(name, _) | Self::Upload(name) => (*name).to_owned(),
            Self::OAuth(_, name) => (*name).to_owned(),
            Self::Refused(_) | Self::Nowhere => "nowhere".to_owned(),
        }
    }
}

impl Service for Graph {
    fn serve(self: Arc<Self>, request: Request) -> BoxFuture<Outcome> {
        Box::pin(async move {
            if request.path.starts_with("/_control") {
                return Outcome::Reply(control::serve(&self, &request).await);
            }
            let place = self.place(&request);
            let entered = self.enter(&place, &request);
            tokio::time::sleep(self.conditions.latency()).await;
            self.outcome(&request, place, entered.as_ref()).await
        })
    }

    fn run(self: Arc<Self>) -> BoxFuture<()> {
        Box::pin(subscriptions::run(self))
    }
}

impl Graph {
    fn place(&self, request: &Request) -> Place {
        if let Some((tenant, name)) = oauth::place(request) {
            return Place::OAuth(tenant, name);
        }
        if batch::is_batch(request) {
            return Place::Batch;
        }
        if let Some((name, id)) = subscriptions::place(request) {
            return Place::Subscriptions(name, id);
        }
        if let Some(name) = uploads::place(request) {
            return Place::Upload(name);
        }
        match api::find(request) {
            Some(Ok(found)) => Place::Api(found),
            Some(Err(error)) => Place::Refused(error),
            None => Place::Nowhere,
        }
    }

    /// The key of what is limited: an application with a mailbox.
    pub(super) fn limited(&self, request: &Request) -> Option<String> {
        let state = self.state();
        let client = api::access(&state, request)?.client.clone();
        let user = api::user_of(&state, request)?;
        let address = state.directory.users.get(&user).map(|user| user.mail.clone()).unwrap_or(user);
        Some(format!("{client} {address}"))
    }

    /// Counts a request to the API for as long as it lasts.
    fn enter(&self, place: &Place, request: &Request) -> Option<Entered> {
        let key = self.limited(request).filter(|_| matches!(place, Place::Api(_)))?;
        let most = self.state().settings.most_concurrent;
        Some(self.in_flight.enter_below(&key, 1, most))
    }

    fn user_of(&self, request: &Request) -> Option<String> {
        let state = self.state();
        let user = api::user_of(&state, request)?;
        state.directory.users.get(&user).map(|user| user.mail.clone())
    }

    async fn outcome(&self, request: &Request, place: Place, entered: Option<&Entered>) -> Outcome {
        let (name, user) = (place.name(), self.user_of(request));
        let fault = self.conditions.fault_for(&name, user.as_deref(), false);
        let trace = self.state().trace(request);
        let mut reply = Reply::empty(0);
        match &fault {
            Some(fault) if !fault.is_done() => reply = self.refusal(fault, &trace).unwrap_or(reply),
            _ => reply = self.carried_out(&place, request, entered, &trace).await,
        }
        let status = if outcome::leaves(fault.as_ref()) { reply.status } else { 0 };
        self.write_down(request, name, user, status, false, fault.as_ref());
        // What was changed may have to be announced.
        self.bell.notify_waiters();
        outcome::after(fault.as_ref(), traced(reply, &trace)).await
    }

    /// The answer of a fault that is one.
    fn refusal(&self, fault: &Fault, trace: &Trace) -> Option<Reply> {
        let now = self.clock.now();
        let error = match fault {
            Fault::TooManyRequests { retry_after } => {
                let text = "Too many requests.";
                ApiError::new(429, "TooManyRequests", text).retry_after(*retry_after, now)
            }
            Fault::Busy { status, retry_after } => ApiError::server(*status).retry_after(*retry_after, now),
            Fault::ServerError { status } => ApiError::server(*status),
            Fault::Refusal { status, reason } => ApiError::new(*status, reason, format!("Refused: {reason}.")),
            Fault::Html { status } => {
                return Some(Reply::html(*status, "<h1>Our services aren't available right now</h1>"));
            }
            _ => return None,
        };
        Some(error.reply(trace))
    }

    async fn carried_out(&self, place: &Place, request: &Request, entered: Option<&Entered>, trace: &Trace) -> Reply {
        let has_length = ["content-length", "transfer-encoding"].iter().any(|name| request.headers.get(name).is_some());
        let needs_length = ["POST", "PUT", "PATCH"].contains(&request.method.as_str());
        if needs_length && !has_length && self.state().settings.needs_content_length {
            let page = "<h2>Length Required</h2><hr><p>HTTP Error 411. The request must be chunked or have a content \
                        length.</p>";
            return Reply::html(411, page);
        }
        match place {
            Place::Api(found) => self.called(request, found, entered, trace),
            Place::Batch => Box::pin(batch::carry_out(self, request, trace)).await,
            Place::Subscriptions(name, id) => {
                let done = subscriptions::carry_out(self, request, name, id).await;
                done.unwrap_or_else(|error| error.reply(trace))
            }
            Place::Upload(name) => {
                let done = uploads::carry_out(&mut self.state(), request, name);
                done.unwrap_or_else(|error| error.reply(trace))
            }
            Place::OAuth(tenant, name) => self.oauth(tenant, name, request),
            Place::Refused(error) => error.reply(trace),
            Place::Nowhere => {
                let segment = request.segments().into_iter().next().unwrap_or_default();
                ApiError::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
                    .reply(trace)
            }
        }
    }

    /// A request of a batch, which only faults of the service itself can hit.
    pub(super) async fn part(&self, request: &Request, is_over: bool) -> Reply {
        let (place, user) = (self.place(request), self.user_of(request));
        let name = place.name();
        let trace = self.state().trace(request);
        let fault = self.conditions.fault_for(&name, user.as_deref(), true);
        let reply = match (&fault, &place) {
            (Some(fault), _) => self.refusal(fault, &trace).unwrap_or_else(|| Reply::empty(500)),
            (None, _) if is_over => self.over().reply(&trace),
            (None, Place::Api(found)) => self.called(request, found, None, &trace),
            (None, Place::Subscriptions(call, id)) => {
                let done = subscriptions::carry_out(self, request, call, id).await;
                done.unwrap_or_else(|error| error.reply(&trace))
            }
            (None, Place::Refused(error)) => error.reply(&trace),
            (None, _) => ApiError::no_segment(&request.path).reply(&trace),
        };
        self.write_down(request, name, user, reply.status, true, fault.as_ref());
        traced(reply, &trace)
    }

    /// The refusal of a request that is one too many at this moment.
    fn over(&self) -> ApiError {
        let hint = self.state().settings.throttle_retry_after;
        ApiError::concurrency().retry_after(hint, self.clock.now())
    }

    /// Allowances first, then the call itself.
    fn called(&self, request: &Request, found: &Found, entered: Option<&Entered>, trace: &Trace) -> Reply {
        let limited = self.limited(request);
        let mut state = self.state();
        state.settle();
        let (settings, now) = (state.settings.clone(), state.now());
        if let Some(key) = limited {
            if let Err(error) = state.throttle.spend(&key, request.body.len(), &settings, now) {
                return error.reply(trace);
            }
            if entered.is_some_and(|entered| entered.requests() == 0) {
                return ApiError::concurrency().retry_after(settings.throttle_retry_after, now).reply(trace);
            }
        }
        api::carry_out(&mut state, request, found, trace)
    }

    fn oauth(&self, tenant: &str, name: &str, request: &Request) -> Reply {
        let mut state = self.state();
        match name {
            "oauth.authorize" if request.method == "POST" => oauth::decide(&mut state, tenant, request.form_pairs()),
            "oauth.authorize" => oauth::authorize(&mut state, tenant, request.query_pairs()),
            "oauth.token" => oauth::token(&mut state, tenant, request),
            "oauth.keys" => oauth::keys(&state),
            _ => oauth::configuration(&state, tenant),
        }
    }

    fn write_down(
        &self,
        request: &Request,
        call: String,
        user: Option<String>,
        status: u16,
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
            units: 1,
            in_batch,
            fault: fault.map(Fault::name),
            at: self.clock.now(),
        });
    }
}

/// What every answer names.
fn traced(reply: Reply, trace: &Trace) -> Reply {
    let client = trace.client_request_id.clone().unwrap_or_else(|| trace.request_id.clone());
    reply
        .with("request-id", trace.request_id.clone())
        .with("client-request-id", client)
        .with("x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"Emulated\",\"Slice\":\"E\",\"Ring\":\"1\"}}")
}
