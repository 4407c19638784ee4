//! Requests to a token endpoint, and what it answers.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::refusal::{Refusal, Step, nonsense, refused, retry_after, unreachable};
use super::{Vendor, refusal};
use crate::net::read_body;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// The longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const LIMIT: usize = 256 * 1024;

/// Tries of a request that may be made again.
const TRIES: u32 = 3;

/// The first wait before another try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(400);

/// A wait that the provider asks for and that is longer is handed up.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a token lives for when the provider does not say.
const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// What a provider gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// What calls are made with.
    pub access_token: Secret,
    /// What new access tokens are made from; absent where the one before stays good, or none was granted.
    pub refresh_token: Option<Secret>,
    /// How long the access token is good.
    pub lives: Duration,
    /// What was granted; absent where it is what was asked for (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
    /// How long the refresh token is good, where the provider limits it.
    pub refresh_lives: Option<Duration>,
}

impl Tokens {
    /// Reads an answer; numbers may be texts, and what is not needed may be missing.
    fn read(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty()).map(Secret::new);
        let is_bearer = answer["token_type"].as_str().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        let scopes = answer["scope"].as_str().map(|text| text.split_whitespace().map(str::to_owned).collect());
        Some(Self {
            access_token: text("access_token").filter(|_| is_bearer)?,
            refresh_token: text("refresh_token"),
            lives: seconds(&answer["expires_in"]).unwrap_or(USUAL_LIFE),
            scopes,
            refresh_lives: seconds(&answer["refresh_token_expires_in"]).filter(|life| !life.is_zero()),
        })
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(number.clamp(0.0, 4e9)).ok()
}

/// A token endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub http: reqwest::Client,
    pub vendor: Vendor,
    pub url: Url,
}

impl Endpoint {
    /// Asks for tokens; again where that does no harm. A code works once: it is sent again only when it never arrived.
    pub async fn ask(&self, form: &[(&str, &str)], step: Step) -> Result<Tokens, ProviderError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.post(form).await {
                Ok((200..=299, answer, _)) => {
                    return Tokens::read(&answer).ok_or_else(|| nonsense(self.vendor));
                }
                Ok((status, answer, wait)) => {
                    let said = Refusal::read(&answer);
                    tracing::debug!(status, error = said.error, number = said.number, "a token was refused");
                    ProviderError { retry_after: wait, ..refused(self.vendor, step, status, &said) }
                }
                Err(error) => error,
            };
            let again = match step {
                Step::Code => error.kind == ProviderErrorKind::Unavailable && !error.may_be_done,
                Step::Refresh | Step::Service => error.passes(),
            };
            let wait = error.retry_after.unwrap_or_else(|| FIRST_WAIT * 2_u32.saturating_pow(tries - 1));
            if !again || tries >= TRIES || wait > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a token back.
    pub async fn revoke(&self, token: &Secret) -> Result<(), ProviderError> {
        match self.post(&[("token", token.expose())]).await? {
            (200..=299, ..) => Ok(()),
            // It was no good any more, which is what is wanted.
            (400, answer, _) if answer["error"] == "invalid_token" => Ok(()),
            (status, answer, _) => Err(refused(self.vendor, Step::Service, status, &Refusal::read(&answer))),
        }
    }

    async fn post(&self, form: &[(&str, &str)]) -> Result<(u16, Value, Option<Duration>), ProviderError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .timeout(TIMEOUT)
            .body(body);
        let sent = request.send().await;
        let response = sent.map_err(|error| ProviderError {
            // A connection that never stood carried nothing.
            may_be_done: !error.is_connect(),
            ..unreachable(self.vendor)
        })?;
        let (status, wait) = (response.status().as_u16(), retry_after(response.headers()));
        let lost = |_| ProviderError { may_be_done: true, ..refusal::unreachable(self.vendor) };
        let octets = read_body(response, LIMIT).await.map_err(lost)?;
        Ok((status, serde_json::from_slice(&octets).unwrap_or_default(), wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_read_whatever_form_its_numbers_have() {
        let answer = json!({"access_token": "a", "refresh_token": "r", "expires_in": "3599", "token_type": "bearer",
            "scope": "x  y", "refresh_token_expires_in": 604799.0, "id_token": "ignored", "ext_expires_in": null});
        let tokens = Tokens::read(&answer).unwrap();
        assert_eq!((tokens.lives.as_secs(), tokens.refresh_lives.unwrap().as_secs()), (3599, 604_799));
        assert_eq!(tokens.scopes.unwrap(), ["x", "y"]);
        let bare = Tokens::read(&json!({"access_token": "a"})).unwrap();
        assert_eq!((bare.lives, bare.refresh_token, bare.scopes), (USUAL_LIFE, None, None));
    }

    #[test]
    fn a_token_that_cannot_be_used_is_none() {
        for answer in [
            json!({}),
            json!([]),
            json!({"access_token": ""}),
            json!({"access_token": 7}),
            json!({"access_token": "a", "token_type": "mac"}),
        ] {
            assert_eq!(Tokens::read(&answer), None, "{answer}");
        }
    }
}
