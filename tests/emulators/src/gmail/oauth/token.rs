//! The endpoints for clients: tokens, revocation, public keys and the configuration that names them all.

use super::model::{Access, Client, Death, Publishing};
use super::service_account;
use crate::gmail::state::State;
use crate::shared::forms::{Form, client_credentials, verifies};
use crate::shared::http::{Reply, Request};
use crate::shared::jwt;
use crate::shared::keys::TestKey;
use serde_json::{Value, json};

/// A refusal as OAuth puts it.
pub fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}

fn form(request: &Request) -> Result<Form, Reply> {
    if request.headers.media_type() != "application/x-www-form-urlencoded" {
        return Err(refused(400, "invalid_request", "The body must be application/x-www-form-urlencoded."));
    }
    Ok(Form(request.form_pairs()))
}

/// `POST /token`.
pub fn token(state: &mut State, request: &Request) -> Reply {
    let given = form(request).and_then(|form| match form.get("grant_type") {
        Some("authorization_code") => by_code(state, request, &form),
        Some("refresh_token") => by_refresh_token(state, request, &form),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => service_account::token(state, &form),
        Some(other) => Err(refused(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}"))),
        None => Err(refused(400, "invalid_request", "Missing required parameter: grant_type")),
    });
    match given {
        Ok(json) => Reply::json(200, &json).with("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
        Err(refusal) => refusal,
    }
}

/// The client, by the form or by HTTP Basic.
fn client(state: &State, request: &Request, form: &Form) -> Result<Client, Reply> {
    let Some((id, secret)) = client_credentials(request, form) else {
        return Err(refused(400, "invalid_request", "Could not determine client ID from request."));
    };
    let Some(client) = state.oauth.clients.get(&id) else {
        return Err(refused(401, "invalid_client", "The OAuth client was not found."));
    };
    if secret.is_empty() {
        return Err(refused(400, "invalid_request", "client_secret is missing."));
    }
    if secret != client.secret {
        return Err(refused(401, "invalid_client", "Unauthorized"));
    }
    Ok(client.clone())
}

fn invalid_grant(description: &str) -> Reply {
    refused(400, "invalid_grant", description)
}

fn by_code(state: &mut State, request: &Request, form: &Form) -> Result<Value, Reply> {
    let client = client(state, request, form)?;
    let name = form.get("code").ok_or_else(|| refused(400, "invalid_request", "Missing required parameter: code"))?;
    let now = state.now();
    let Some(code) = state.oauth.codes.get(name).filter(|code| code.client == client.id).cloned() else {
        return Err(invalid_grant("Malformed auth code."));
    };
    if let Some(grant) = code.used {
        // A code that comes twice was stolen: what it gave is taken back.
        state.oauth.end(grant, Death::Revoked);
        return Err(invalid_grant("Bad Request"));
    }
    if code.expires <= now {
        return Err(invalid_grant("Bad Request"));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused(400, "redirect_uri_mismatch", "Bad Request"));
    }
    check_verifier(code.challenge.as_ref(), form.get("code_verifier"))?;
    let most = state.settings.most_refresh_tokens;
    let number = state.oauth.add_grant(&code, now, most, &state.random);
    if let Some(kept) = state.oauth.codes.get_mut(name) {
        kept.used = Some(number);
    }
    let mut answer = give(state, number, &client)?;
    let grant = state.oauth.grants.iter().find(|grant| grant.number == number);
    if let Some(refresh_token) = grant.and_then(|grant| grant.refresh_token.clone()) {
        answer["refresh_token"] = json!(refresh_token);
        if client.publishing == Publishing::Testing {
            answer["refresh_token_expires_in"] = json!(604_799);
        }
    }
    if code.scopes.contains("openid") {
        answer["id_token"] = json!(identity(state, &code.user, &client.id, code.nonce.as_deref()));
    }
    Ok(answer)
}

fn check_verifier(challenge: Option<&(String, bool)>, verifier: Option<&str>) -> Result<(), Reply> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(invalid_grant("code_verifier or verifier is not needed.")),
        (Some(_), None) => Err(invalid_grant("Missing code verifier.")),
        (Some((challenge, sha256)), Some(verifier)) => {
            if verifies(challenge, *sha256, verifier) {
                Ok(())
            } else {
                Err(invalid_grant("Invalid code verifier."))
            }
        }
    }
}

fn by_refresh_token(state: &mut State, request: &Request, form: &Form) -> Result<Value, Reply> {
    let client = client(state, request, form)?;
    let now = state.now();
    let token = form.get("refresh_token");
    let token = token.ok_or_else(|| refused(400, "invalid_request", "Missing required parameter: refresh_token"))?;
    let Some(grant) = state.oauth.by_refresh_token(token, now) else {
        return Err(invalid_grant("Bad Request"));
    };
    if grant.client != client.id {
        return Err(refused(401, "unauthorized_client", "Unauthorized"));
    }
    match grant.death {
        Some(Death::AdminPolicy) => Err(refused(
            400,
            "admin_policy_enforced",
            "Access to your account data is restricted by policies within your organization. Please contact the \
             administrator of your organization for more information.",
        )),
        Some(_) => Err(invalid_grant("Token has been expired or revoked.")),
        None => {
            grant.used = now;
            let number = grant.number;
            // The refresh token stays as it is and is not named again.
            give(state, number, &client)
        }
    }
}

/// A new access token of a grant.
fn give(state: &mut State, number: u64, client: &Client) -> Result<Value, Reply> {
    let life = state.settings.access_token_seconds;
    let Some(grant) = state.oauth.grants.iter().find(|grant| grant.number == number).cloned() else {
        return Err(invalid_grant("Bad Request"));
    };
    let scope = grant.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let access = Access {
        user: Some(grant.user),
        scopes: grant.scopes,
        project: client.project.clone(),
        is_delegated: false,
        grant: Some(number),
        expires: state.now() + life * 1000,
    };
    let token = state.oauth.give_access(access, &state.random);
    Ok(json!({"access_token": token, "expires_in": life, "scope": scope, "token_type": "Bearer"}))
}

fn identity(state: &State, user: &str, client: &str, nonce: Option<&str>) -> String {
    let now = state.now() / 1000;
    let subject = state.users.get(user).map(|mailbox| mailbox.subject.clone()).unwrap_or_default();
    let mut claims = json!({
        "iss": "https://accounts.google.com", "aud": client, "azp": client, "sub": subject, "email": user,
        "email_verified": true, "iat": now, "exp": now + 3600,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    jwt::signed(state.oauth.signing, &claims)
}

/// `POST /revoke`: either token takes both with it.
pub fn revoke(state: &mut State, request: &Request) -> Reply {
    let in_query = request.query_pairs().into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
    let given = in_query.or_else(|| form(request).ok()?.get("token").map(str::to_owned));
    let Some(token) = given else {
        return refused(400, "invalid_request", "Missing required parameter: token");
    };
    let now = state.now();
    let by_refresh = state.oauth.by_refresh_token(&token, now).filter(|grant| grant.death.is_none());
    let number = by_refresh.map(|grant| grant.number);
    let number = number.or_else(|| state.oauth.access(&token, now).and_then(|access| access.grant));
    match number {
        Some(number) => {
            state.oauth.end(number, Death::Revoked);
            Reply::json(200, &json!({}))
        }
        None => refused(400, "invalid_token", "Token expired or revoked"),
    }
}

/// `GET /oauth2/v3/certs`: the public keys, to be kept for as long as the answer says.
pub fn certificates(state: &State) -> Reply {
    let mut keys = vec![TestKey::FirstSigning.jwk()];
    if state.oauth.signing == TestKey::SecondSigning {
        // The old key stays for a while, behind the new one.
        keys.insert(0, TestKey::SecondSigning.jwk());
    }
    Reply::json(200, &json!({"keys": keys}))
        .with("Cache-Control", "public, max-age=20000, must-revalidate, no-transform")
}

/// `GET /.well-known/openid-configuration`.
pub fn configuration(state: &State) -> Reply {
    let url = &state.url;
    Reply::json(
        200,
        &json!({
            "issuer": "https://accounts.google.com",
            "authorization_endpoint": format!("{url}/o/oauth2/v2/auth"),
            "token_endpoint": format!("{url}/token"),
            "revocation_endpoint": format!("{url}/revoke"),
            "jwks_uri": format!("{url}/oauth2/v3/certs"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"
            ],
        }),
    )
}
