//! The client: one request, with its place among the mailbox's four, its token, and another try where that does no harm.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use graph_rs_sdk::GraphClient;
use graph_rs_sdk::http::BodyRead;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::error::{nonsense, refused, unreachable};
use crate::net::{Net, read_body};
use crate::providers::governor::{Allowance, Governor};
use crate::providers::oauth::AccessTokens;
use crate::providers::{Lane, ProviderError, ProviderErrorKind, backoff};
use crate::secret::Secret;

/// Requests of one mailbox that Exchange takes at once.
const AT_ONCE: usize = 4;

/// What one mailbox may be asked: ten thousand requests in ten minutes.
const ALLOWANCE: Allowance = Allowance { units: 10_000, within: Duration::from_secs(600), at_once: AT_ONCE };

/// The largest answer that is read.
const LIMIT: usize = 200 * 1024 * 1024;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(100);

/// Waits that Graph asks for and that are longer than this are handed up: the mailbox is tried again later.
const PATIENCE: Duration = Duration::from_secs(150);

/// Asks for ids that survive a move.
pub(super) const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

const PREFER: HeaderName = HeaderName::from_static("prefer");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Where Graph is.
#[derive(Debug, Clone)]
pub struct GraphSettings {
    /// The base without a version, such as `https://graph.microsoft.com`.
    pub url: Url,
}

/// Microsoft Graph; cheap to clone.
#[derive(Clone)]
pub struct Graph {
    sdk: GraphClient,
    http: reqwest::Client,
    base: Url,
    governor: Governor,
}

impl Graph {
    /// Takes the way out and the address.
    pub fn new(net: &Net, settings: &GraphSettings) -> Self {
        let mut base = settings.url.clone();
        base.set_path(&format!("{}/v1.0", base.path().trim_end_matches('/')));
        // Without a token of its own: a request that was forgotten to be given the mailbox's fails.
        let mut sdk = GraphClient::new("");
        sdk.use_test_endpoint(&base);
        Self { sdk, http: net.http(), base, governor: Governor::new(ALLOWANCE) }
    }

    /// Speaks for a mailbox. Requests of one `key` share four places.
    pub fn mailbox(
        &self,
        key: impl Into<String>,
        root: MailboxRoot,
        tokens: Arc<dyn AccessTokens>,
        lane: Lane,
    ) -> GraphMailbox {
        GraphMailbox { graph: self.clone(), key: key.into(), root, tokens, lane }
    }
}

/// Whose mailbox it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxRoot {
    /// The one of the person who agreed.
    Me,
    /// Another one, by id or name: a shared mailbox, or one of a whole tenant.
    User(String),
}

/// One mailbox at Microsoft.
#[derive(Clone)]
pub struct GraphMailbox {
    pub(super) graph: Graph,
    key: String,
    pub(super) root: MailboxRoot,
    tokens: Arc<dyn AccessTokens>,
    lane: Lane,
}

/// What goes with a request.
#[derive(Debug, Clone, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Json(Value),
    /// A mail in base64, as Graph wants it.
    Mime(String),
}

/// A request to be made.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Segments after the version; encoded here.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    /// Preferences beside the immutable ids.
    pub(super) prefer: Vec<String>,
    pub(super) content: Content,
    /// A whole address that Graph gave, in the place of path and query.
    pub(super) link: Option<Url>,
    /// Whether a second time does no harm when nobody knows whether the first was carried out.
    pub(super) repeatable: bool,
}

impl Ask {
    pub(super) fn new(method: Method, path: Vec<String>) -> Self {
        let repeatable = method != Method::POST;
        Self { method, path, query: Vec::new(), prefer: Vec::new(), content: Content::Nothing, link: None, repeatable }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn prefer(mut self, what: impl Into<String>) -> Self {
        self.prefer.push(what.into());
        self
    }

    pub(super) fn json(self, body: Value) -> Self {
        Self { content: Content::Json(body), ..self }
    }

    pub(super) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }
}

/// An answer that is no refusal.
pub(super) struct Answer {
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body).map_err(|_| nonsense())
    }
}

impl GraphMailbox {
    /// The same mailbox in another lane.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }

    /// Segments below the mailbox.
    pub(super) fn path(&self, rest: &[&str]) -> Vec<String> {
        let mut path = match &self.root {
            MailboxRoot::Me => vec!["me".to_owned()],
            MailboxRoot::User(id) => vec!["users".to_owned(), id.clone()],
        };
        path.extend(rest.iter().map(|segment| (*segment).to_owned()));
        path
    }

    /// Asks and reads JSON.
    pub(super) async fn read<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, ProviderError> {
        self.ask(ask).await?.json()
    }

    /// Makes a request, again where that may help and does no harm.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, ProviderError> {
        let user = self.graph.governor.user(&self.key);
        let most_tries = if self.lane == Lane::Interactive { 3 } else { 6 };
        let mut token = self.tokens.current().await?;
        let (mut tries, mut renewed) = (0, false);
        loop {
            let place = user.admit(1, self.lane).await;
            let answered = self.send(&ask, &token).await;
            drop(place);
            let (status, error) = match answered {
                Ok(answer) => {
                    user.well();
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            if status == 401 && !renewed {
                renewed = true;
                token = self.tokens.renewed(&token).await?;
                continue;
            }
            tries += 1;
            let wait = error.retry_after.unwrap_or_else(|| backoff(tries));
            let is_throttle = error.kind == ProviderErrorKind::Throttled;
            if is_throttle || error.retry_after.is_some() {
                user.hold(wait);
            }
            let helps = is_throttle || error.kind == ProviderErrorKind::Unavailable;
            let is_harmless = ask.repeatable || !error.may_be_done;
            if !(helps && is_harmless) || tries >= most_tries || wait > PATIENCE {
                return Err(error);
            }
            if !is_throttle {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// One try. The SDK writes the request; ours sends it.
    async fn send(&self, ask: &Ask, token: &Secret) -> Result<Answer, (u16, ProviderError)> {
        let before = |_| (0, ProviderError { may_be_done: false, ..nonsense() });
        let headers = self.headers(ask, token).map_err(|error| (0, error))?;
        let request = match &ask.link {
            Some(link) => self.graph.http.request(ask.method.clone(), link.clone()).headers(headers),
            None => {
                let body = match &ask.content {
                    Content::Nothing => None,
                    Content::Json(body) => Some(BodyRead::new(body.to_string())),
                    Content::Mime(mail) => Some(BodyRead::new(mail.clone())),
                };
                let mut written = self.graph.sdk.custom(ask.method.clone(), body).extend_path(&ask.path);
                if !ask.query.is_empty() {
                    written = written.query(&ask.query);
                }
                let written = written.headers(headers).build().await.map_err(|_| before(()))?;
                let written = written.build().map_err(|_| before(()))?;
                let octets = written.body().and_then(|body| body.as_bytes()).map(<[u8]>::to_vec);
                self.graph
                    .http
                    .request(written.method().clone(), written.url().clone())
                    .headers(written.headers().clone())
                    // A POST without a body needs its length all the same.
                    .body(octets.unwrap_or_default())
            }
        };
        let response = request.timeout(TIMEOUT).send().await.map_err(|error| {
            let error = ProviderError { may_be_done: !error.is_connect(), ..unreachable() };
            (0, error)
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body: Bytes = read_body(response, LIMIT).await.map_err(|_| (0, nonsense()))?.into();
        if (200..300).contains(&status) {
            return Ok(Answer { body });
        }
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let request_id = headers.get("request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let error = refused(status, &headers, &said);
        tracing::debug!(
            status,
            error.code = error.code,
            graph.request_id = request_id,
            "Microsoft Graph refused a request"
        );
        Err((status, error))
    }

    fn headers(&self, ask: &Ask, token: &Secret) -> Result<HeaderMap, ProviderError> {
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| nonsense())?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        let prefer: Vec<&str> = std::iter::once(IMMUTABLE).chain(ask.prefer.iter().map(String::as_str)).collect();
        headers.insert(PREFER, HeaderValue::from_str(&prefer.join(", ")).map_err(|_| nonsense())?);
        let id = Uuid::now_v7().to_string();
        headers.insert(CLIENT_REQUEST_ID, HeaderValue::from_str(&id).map_err(|_| nonsense())?);
        match ask.content {
            Content::Json(_) => headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json")),
            Content::Mime(_) => headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain")),
            Content::Nothing => None,
        };
        Ok(headers)
    }

    /// A link that Graph gave, if it leads to Graph: a token goes nowhere else.
    pub(super) fn own_link(&self, link: &str) -> Result<Url, ProviderError> {
        let url = Url::parse(link).map_err(|_| nonsense())?;
        if url.origin() == self.graph.base.origin() { Ok(url) } else { Err(nonsense()) }
    }
}
