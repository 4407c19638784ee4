//! Who asks: applications by secret or by a signed assertion, and how they are refused.

use super::model::{Client, Death};
use crate::graph::ids::guid;
use crate::graph::state::State;
use crate::shared::clock::rfc3339_seconds;
use crate::shared::forms::{Form, client_credentials};
use crate::shared::http::{Reply, Request};
use crate::shared::jwt::Token;
use crate::shared::keys::TestKey;
use serde_json::json;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A refusal as OAuth puts it, with the number by which it is known.
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// OAuth's word for it.
    pub error: &'static str,
    /// The number behind `AADSTS`.
    pub number: u32,
    /// What a person reads.
    pub text: String,
    /// A finer word.
    pub suberror: Option<&'static str>,
}

impl Refusal {
    /// A refusal with 400.
    pub fn new(error: &'static str, number: u32, text: impl Into<String>) -> Self {
        Self { status: 400, error, number, text: text.into(), suberror: None }
    }

    /// The same with 401.
    pub fn of_client(number: u32, text: impl Into<String>) -> Self {
        Self { status: 401, ..Self::new("invalid_client", number, text) }
    }

    /// What a dead grant says.
    pub fn of_death(death: Death) -> Self {
        let invalid = |number, text| Self::new("invalid_grant", number, text);
        match death {
            Death::Revoked => invalid(
                50_173,
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might \
                 have changed or reset their password.",
            ),
            Death::Inactive => invalid(700_082, "The refresh token has expired due to inactivity."),
            Death::UserDisabled => invalid(50_057, "The user account is disabled."),
            Death::ConsentWithdrawn => Self {
                suberror: Some("consent_required"),
                ..invalid(65_001, "The user or administrator has not consented to use the application.")
            },
            Death::SecondFactor => Self {
                suberror: Some("basic_action"),
                ..Self::new(
                    "interaction_required",
                    50_076,
                    "Due to a configuration change made by your administrator, or because you moved to a new location, \
                     you must use multi-factor authentication to access the resource.",
                )
            },
            Death::ExternalChallenge => {
                Self::new("interaction_required", 50_158, "External security challenge not satisfied.")
            }
            Death::ConsentRequired => Self::new(
                "consent_required",
                65_001,
                "The user or administrator has not consented to use the application. Send an interactive authorization \
                 request for this user and resource.",
            ),
            Death::Unavailable => Self {
                status: 503,
                ..Self::new("temporarily_unavailable", 90_033, "A transient error has occurred. Please try again.")
            },
        }
    }

    /// The whole answer.
    pub fn reply(&self, state: &State) -> Reply {
        let (trace, correlation) = (guid(state.random.next(), state.random.next()), guid(state.random.next(), 7));
        let time = rfc3339_seconds(state.now()).replace('T', " ");
        let number = self.number;
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}", self.text
            ),
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{}/error?code={number}", state.url),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = json!(suberror);
        }
        Reply::json(self.status, &body).with("Cache-Control", "no-store, no-cache").with("Pragma", "no-cache")
    }
}

/// The application that asks for a token, once it has proved itself.
pub fn proved(state: &State, request: &Request, form: &Form) -> Result<Client, Refusal> {
    let Some((id, secret)) = client_credentials(request, form) else {
        let text = "The request body must contain the following parameter: 'client_id'.";
        return Err(Refusal::new("invalid_request", 900_144, text));
    };
    let Some(client) = state.oauth.clients.get(&id).cloned() else {
        let text = format!("Application with identifier '{id}' was not found in the directory.");
        return Err(Refusal::new("unauthorized_client", 700_016, text));
    };
    if form.get("client_assertion").is_some() {
        return asserted(state, &client, form).map(|()| client);
    }
    let is_public = client.secrets.is_empty() && !client.has_certificate;
    match (is_public, secret.is_empty()) {
        (true, true) => Ok(client),
        (true, false) => {
            let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
            Err(Refusal::of_client(700_025, text))
        }
        (false, true) => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            Err(Refusal::of_client(7_000_218, text))
        }
        (false, false) => match client.secrets.iter().find(|known| known.value == secret) {
            None => Err(Refusal::of_client(7_000_215, "Invalid client secret provided.")),
            Some(known) if known.is_expired => Err(Refusal::of_client(
                7_000_222,
                format!("The provided client secret keys for app '{id}' are expired."),
            )),
            Some(_) => Ok(client),
        },
    }
}

fn asserted(state: &State, client: &Client, form: &Form) -> Result<(), Refusal> {
    if form.get("client_assertion_type") != Some(ASSERTION) {
        let text = "The request body must contain the following parameter: 'client_assertion_type'.";
        return Err(Refusal::new("invalid_request", 900_144, text));
    }
    let malformed = || Refusal::of_client(50_027, "JWT token is invalid or malformed.");
    let token = Token::parse(form.get("client_assertion").unwrap_or_default()).ok_or_else(malformed)?;
    if !client.has_certificate || !token.is_signed_by(TestKey::ServiceAccount) {
        let text = "Client assertion failed signature validation.";
        return Err(Refusal::of_client(700_027, text));
    }
    let now = state.now() / 1000;
    let in_time = token.number("exp").is_some_and(|end| end > now && end <= now + 24 * 3600)
        && token.number("nbf").is_none_or(|start| start <= now + 300);
    if !in_time {
        return Err(Refusal::of_client(700_024, "Client assertion is not within its valid time range."));
    }
    let own = token.text("iss") == Some(&client.id) && token.text("sub") == Some(&client.id);
    let audience = token.text("aud").is_some_and(|aud| {
        (aud.starts_with(&state.url) || aud.starts_with("https://login.microsoftonline.com/"))
            && aud.ends_with("/oauth2/v2.0/token")
    });
    if !own || !audience {
        return Err(Refusal::of_client(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    Ok(())
}
