//! Service accounts: a token for a signed assertion, for itself or for a user of the domain.

use super::model::Access;
use super::token::refused;
use crate::gmail::scopes;
use crate::gmail::state::State;
use crate::shared::forms::Form;
use crate::shared::http::Reply;
use crate::shared::jwt::Token;
use crate::shared::keys::TestKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A service account. All of them sign with the same test key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its address.
    pub email: String,
    /// Its numeric id, under which an administrator allows it scopes.
    pub client_id: String,
    /// The cloud project it belongs to.
    pub project: String,
    /// Scopes it has for every user of the domain.
    #[serde(default)]
    pub delegated_scopes: Vec<String>,
}

impl ServiceAccount {
    /// The file an operator downloads.
    pub fn file(&self, url: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": TestKey::ServiceAccount.id(),
            "private_key": TestKey::ServiceAccount.pem(),
            "client_email": self.email,
            "client_id": self.client_id,
            "auth_uri": format!("{url}/o/oauth2/v2/auth"),
            "token_uri": format!("{url}/token"),
            "universe_domain": "googleapis.com",
        })
    }
}

/// The grant type `jwt-bearer`.
pub fn token(state: &mut State, form: &Form) -> Result<Value, Reply> {
    let invalid = |text: &str| refused(400, "invalid_grant", text);
    let assertion = form.get("assertion");
    let assertion = assertion.ok_or_else(|| refused(400, "invalid_request", "Missing parameter: assertion"))?;
    let parsed = Token::parse(assertion).ok_or_else(|| invalid("Invalid JWT: Failed to parse."))?;
    let issuer = parsed.text("iss").unwrap_or_default();
    let Some(account) = state.oauth.service_accounts.get(issuer).cloned() else {
        return Err(invalid("Invalid grant: account not found"));
    };
    if !parsed.is_signed_by(TestKey::ServiceAccount) {
        return Err(invalid("Invalid JWT Signature."));
    }
    check_times(&parsed, state.now() / 1000).map_err(|text| invalid(&text))?;
    let audiences = [format!("{}/token", state.url), "https://oauth2.googleapis.com/token".to_owned()];
    if !parsed.text("aud").is_some_and(|aud| audiences.iter().any(|known| known == aud)) {
        return Err(invalid("Invalid JWT: The audience is not the token endpoint."));
    }
    let wanted: BTreeSet<String> =
        parsed.text("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if wanted.is_empty() || wanted.iter().any(|scope| !scopes::is_known(scope)) {
        return Err(refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    let user = parsed.text("sub").map(str::to_lowercase);
    if let Some(user) = &user {
        check_delegation(state, &account, user, &wanted)?;
    }
    let life = state.settings.access_token_seconds;
    let access = Access {
        is_delegated: user.is_some(),
        user,
        scopes: wanted,
        project: account.project,
        grant: None,
        expires: state.now() + life * 1000,
    };
    let token = state.oauth.give_access(access, &state.random);
    Ok(json!({"access_token": token, "expires_in": life, "token_type": "Bearer"}))
}

fn check_times(token: &Token, now: i64) -> Result<(), String> {
    let (Some(issued), Some(expires)) = (token.number("iat"), token.number("exp")) else {
        return Err("Invalid JWT: iat and exp are required.".to_owned());
    };
    if expires - issued > 3600 || expires <= now || issued > now + 300 || issued < now - 3600 - 300 {
        return Err("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                    Check your iat and exp values in the JWT claim."
            .to_owned());
    }
    Ok(())
}

fn check_delegation(
    state: &State,
    account: &ServiceAccount,
    user: &str,
    wanted: &BTreeSet<String>,
) -> Result<(), Reply> {
    let Some(mailbox) = state.users.get(user) else {
        return Err(refused(400, "invalid_grant", "Invalid email or User ID"));
    };
    let is_allowed = mailbox.workspace && wanted.iter().all(|scope| account.delegated_scopes.contains(scope));
    if is_allowed {
        return Ok(());
    }
    Err(refused(
        401,
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
         scopes requested.",
    ))
}
