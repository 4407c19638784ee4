//! The client: one call, with its allowance, its token, and another try where that does no harm.

use std::sync::Arc;
use std::time::Duration;

use google_gmail1::common;
use http_body_util::BodyExt;
use hyper::header;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ring::rand::{SecureRandom, SystemRandom};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::{self, Ear, Sort};
use super::governor::{Governor, Lane};
use crate::net::Net;
use crate::providers::oauth::AccessTokens;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// The library's hub: it makes requests and reads answers.
pub(super) type Hub = google_gmail1::Gmail<HttpsConnector<HttpConnector>>;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(60);

/// The first wait before another try; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait before another try that Gmail did not ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(32);

/// Waits that Gmail asks for and that are longer than this are handed up: the mailbox is tried again later.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where Gmail is, and what each user may use of it.
#[derive(Debug, Clone)]
pub struct GmailSettings {
    /// The base of the API, such as `https://gmail.googleapis.com`.
    pub api_url: Url,
    /// Units of quota a user and minute.
    pub units_per_minute: u32,
}

/// The Gmail API; cheap to clone.
#[derive(Clone)]
pub struct Gmail {
    client: common::Client<HttpsConnector<HttpConnector>>,
    base_url: Arc<str>,
    governor: Governor,
}

impl Gmail {
    /// Builds the one client of the process, with the TLS settings that all clients share.
    pub fn new(net: &Net, settings: &GmailSettings) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&net.tls_config()))
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let base_url = format!("{}/", settings.api_url.as_str().trim_end_matches('/'));
        Self { client, base_url: base_url.into(), governor: Governor::new(settings.units_per_minute) }
    }

    /// Speaks for a mailbox. Calls of one `key` share an allowance.
    pub fn mailbox(&self, key: impl Into<String>, tokens: Arc<dyn AccessTokens>, lane: Lane) -> GmailMailbox {
        GmailMailbox { gmail: self.clone(), key: key.into(), tokens, lane }
    }

    fn hub(&self, token: &str) -> Hub {
        let mut hub = Hub::new(self.client.clone(), token.to_owned());
        hub.user_agent(concat!("Duplex/", env!("CARGO_PKG_VERSION")).to_owned());
        hub.base_url(self.base_url.to_string());
        hub.root_url(self.base_url.to_string());
        hub
    }
}

/// What one try of a call is made with.
pub(super) struct Line<'a> {
    hub: Hub,
    gmail: &'a Gmail,
    token: &'a Secret,
}

impl std::ops::Deref for Line<'_> {
    type Target = Hub;

    fn deref(&self) -> &Hub {
        &self.hub
    }
}

impl Line<'_> {
    /// Posts JSON: the library cannot send a draft without uploading its mail again.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
        ear: &mut Ear,
    ) -> common::Result<T> {
        let body = serde_json::to_string(body).map_err(std::io::Error::from)?;
        let request = hyper::Request::post(format!("{}{path}", self.gmail.base_url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .body(common::to_body(Some(body)))
            .map_err(std::io::Error::other)?;
        let response = self.gmail.client.request(request).await.map_err(common::Error::HttpError)?;
        let (parts, body) = response.into_parts();
        let octets = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        let decoded = serde_json::from_slice::<Value>(&octets);
        if !parts.status.is_success() {
            let response = common::to_response(parts, octets.into());
            common::Delegate::http_failure(ear, &response, decoded.as_ref().ok());
            return Err(match decoded {
                Ok(value) => common::Error::BadRequest(value),
                Err(_) => common::Error::Failure(response),
            });
        }
        serde_json::from_slice(&octets).map_err(|error| common::Error::JsonDecodeError(String::new(), error))
    }
}

/// One mailbox at Gmail.
#[derive(Clone)]
pub struct GmailMailbox {
    gmail: Gmail,
    key: String,
    tokens: Arc<dyn AccessTokens>,
    lane: Lane,
}

/// What is known of a method beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// Its name in Google's description, for logs.
    pub(super) name: &'static str,
    /// What it costs.
    pub(super) units: u32,
    pub(super) sort: Sort,
}

impl Method {
    pub(super) const fn new(name: &'static str, units: u32, sort: Sort) -> Self {
        Self { name, units, sort }
    }

    /// How long an answer may take: one with a large mail in it needs its time.
    fn timeout(self) -> Duration {
        Duration::from_secs(if self.units >= 10 { 120 } else { 45 })
    }
}

impl GmailMailbox {
    /// The same mailbox in another lane.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Makes a call, again where that may help and does no harm.
    pub(super) async fn call<T>(
        &self,
        method: Method,
        request: impl AsyncFn(&Line<'_>, &mut Ear) -> common::Result<T>,
    ) -> Result<T, ProviderError> {
        let user = self.gmail.governor.user(&self.key);
        let most_tries = if self.lane == Lane::Interactive { 3 } else { 6 };
        let mut token = self.tokens.current().await?;
        let (mut tries, mut renewed) = (0, false);
        loop {
            let place = user.admit(method.units, self.lane).await;
            let mut ear = Ear::default();
            let line = Line { hub: self.gmail.hub(token.expose()), gmail: &self.gmail, token: &token };
            let answered = tokio::time::timeout(method.timeout(), request(&line, &mut ear)).await;
            drop(place);
            let (error, crowded) = match answered {
                Ok(Ok(answer)) => {
                    user.well();
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    let crowded = matches!(&error, common::Error::BadRequest(body) if error::is_crowd(body));
                    (error::explained(error, &ear, method.sort), crowded)
                }
                Err(_) => (error::timed_out(), false),
            };
            if ear.status == Some(401) && !renewed {
                renewed = true;
                token = self.tokens.renewed(&token).await?;
                continue;
            }
            tries += 1;
            let wait = error.retry_after.unwrap_or_else(|| backoff(tries));
            let is_throttle = error.kind == ProviderErrorKind::Throttled;
            if is_throttle {
                tracing::debug!(method = method.name, crowded, wait = ?wait, "Gmail asks to go slower");
                if crowded {
                    user.crowd();
                }
                user.hold(wait);
            } else if error.retry_after.is_some() && error.kind == ProviderErrorKind::Unavailable {
                user.hold(wait);
            }
            let is_harmless = method.sort.is_repeatable() || !error.may_be_done;
            let helps = is_throttle || error.kind == ProviderErrorKind::Unavailable;
            if !(helps && is_harmless) || tries >= most_tries || wait > PATIENCE {
                tracing::debug!(method = method.name, error.code = error.code, tries, "a call to Gmail failed");
                return Err(error);
            }
            if !is_throttle {
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Full jitter between nothing and twice as much each time, a second at least for the first.
fn backoff(tries: u32) -> Duration {
    let most = (FIRST_WAIT * 2_u32.saturating_pow(tries.min(10))).min(LONGEST_WAIT);
    let mut byte = [128];
    // Without random numbers the wait is only less spread out.
    let _ = SystemRandom::new().fill(&mut byte);
    most.mul_f64(f64::from(byte[0]) / 255.0).max(FIRST_WAIT / 4)
}
