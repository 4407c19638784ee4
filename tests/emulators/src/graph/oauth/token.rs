//! The endpoints for applications: tokens, public keys and the configuration that names them all.

use super::clients::{Refusal, proved};
use super::model::{Access, Client, Death, Grant, Tokens};
use super::scopes::{self, GRAPH, Mistake, Wanted};
use crate::graph::directory::PERSONAL_TENANT;
use crate::graph::state::State;
use crate::shared::forms::{Form, verifies};
use crate::shared::http::{Reply, Request};
use crate::shared::jwt;
use crate::shared::keys::TestKey;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `POST …/token`.
pub fn token(state: &mut State, tenant: &str, request: &Request) -> Reply {
    if request.headers.media_type() != "application/x-www-form-urlencoded" {
        let text = "The request body must be application/x-www-form-urlencoded.";
        return Refusal::new("invalid_request", 900_561, text).reply(state);
    }
    let form = Form(request.form_pairs());
    let given = match form.get("grant_type") {
        Some("authorization_code") => by_code(state, tenant, request, &form),
        Some("refresh_token") => by_refresh_token(state, tenant, request, &form),
        Some("client_credentials") => by_itself(state, tenant, request, &form),
        Some(other) => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            Err(Refusal::new("unsupported_grant_type", 70_003, text))
        }
        None => {
            let text = "The request body must contain the following parameter: 'grant_type'.";
            Err(Refusal::new("invalid_request", 900_144, text))
        }
    };
    match given {
        Ok(json) => Reply::json(200, &json).with("Cache-Control", "no-store, no-cache").with("Pragma", "no-cache"),
        Err(refusal) => refusal.reply(state),
    }
}

fn wanted(form: &Form) -> Result<Wanted, Refusal> {
    scopes::read(&form.words("scope")).map_err(|mistake| match mistake {
        Mistake::Unknown(word) => {
            let text = format!("The provided value for the input parameter 'scope' is not valid: '{word}'.");
            Refusal::new("invalid_scope", 70_011, text)
        }
        Mistake::Mixed => {
            let text = "Provided value for the input parameter scope is not valid because it contains more than one \
                        resource.";
            Refusal::new("invalid_scope", 28_000, text)
        }
    })
}

fn by_code(state: &mut State, tenant: &str, request: &Request, form: &Form) -> Result<Value, Refusal> {
    let invalid = |number, text: &str| Refusal::new("invalid_grant", number, text);
    let client = proved(state, request, form)?;
    let Some(name) = form.get("code") else {
        let text = "The request body must contain the following parameter: 'code'.";
        return Err(Refusal::new("invalid_request", 900_144, text));
    };
    let now = state.now();
    let Some(code) = state.oauth.codes.get(name).filter(|code| code.client == client.id).cloned() else {
        return Err(invalid(9_002_313, "Invalid request. Request is malformed or invalid."));
    };
    if code.used {
        return Err(invalid(
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code.",
        ));
    }
    if code.expires <= now {
        return Err(invalid(70_008, "The provided authorization code or refresh token has expired due to inactivity."));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        let text = "The reply address does not match the reply address provided when requesting Authorization code.";
        return Err(invalid(500_112, text));
    }
    match (&code.challenge, form.get("code_verifier")) {
        (None, None) => {}
        (Some((challenge, sha256)), Some(verifier)) if verifies(challenge, *sha256, verifier) => {}
        _ => {
            let text = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
            return Err(invalid(501_481, text));
        }
    }
    check_tenant(state, tenant, &code.user)?;
    let asked = wanted(form)?;
    if let Some(kept) = state.oauth.codes.get_mut(name) {
        kept.used = true;
    }
    let number = start_grant(state, &client.id, &code.user, code.scopes);
    answer(state, number, &client, &asked, code.nonce.as_deref())
}

/// Writes a grant down.
pub fn start_grant(state: &mut State, client: &str, user: &str, scopes: BTreeSet<String>) -> u64 {
    let number = u64::try_from(state.oauth.grants.len()).unwrap_or(u64::MAX) + 1;
    let (client, user) = (client.to_owned(), user.to_owned());
    state.oauth.grants.push(Grant { number, client, user, scopes, death: None });
    number
}

/// A token may be asked for where the person signed in, or at an endpoint for many organisations.
fn check_tenant(state: &State, tenant: &str, user: &str) -> Result<(), Refusal> {
    let home = state.directory.users.get(user).map(|user| user.tenant.clone()).unwrap_or_default();
    let fits = match tenant {
        "common" => true,
        "organizations" => home != PERSONAL_TENANT,
        "consumers" => home == PERSONAL_TENANT,
        named => state.directory.tenant_of(named).as_deref() == Some(&home),
    };
    if fits {
        return Ok(());
    }
    let text = "User account from identity provider does not exist in tenant and cannot access the application.";
    Err(Refusal::new("invalid_grant", 50_020, text))
}

fn by_refresh_token(state: &mut State, tenant: &str, request: &Request, form: &Form) -> Result<Value, Refusal> {
    let client = proved(state, request, form)?;
    let Some(token) = form.get("refresh_token") else {
        let text = "The request body must contain the following parameter: 'refresh_token'.";
        return Err(Refusal::new("invalid_request", 900_144, text));
    };
    let now = state.now();
    let malformed = || Refusal::new("invalid_grant", 9_002_313, "Invalid request. Request is malformed or invalid.");
    let kept = state.oauth.refresh.get_mut(token).ok_or_else(malformed)?;
    // The old one goes on until its time is over.
    kept.used = true;
    let (number, expires) = (kept.grant, kept.expires);
    let grant = state.oauth.grants.iter().find(|grant| grant.number == number).cloned().ok_or_else(malformed)?;
    if grant.client != client.id {
        let text = "The provided value for the 'refresh_token' was issued to another client.";
        return Err(Refusal::new("invalid_grant", 700_005, text));
    }
    check_tenant(state, tenant, &grant.user)?;
    if state.directory.users.get(&grant.user).is_none_or(|user| user.is_disabled) {
        return Err(Refusal::of_death(Death::UserDisabled));
    }
    if let Some(death) = grant.death {
        return Err(Refusal::of_death(death));
    }
    if expires <= now {
        return Err(Refusal::of_death(Death::Inactive));
    }
    let asked = wanted(form)?;
    answer(state, number, &client, &asked, None)
}

/// What a person and the administrator of the organisation allow the application.
fn allowed(state: &State, grant: &Grant) -> BTreeSet<String> {
    let by_person = state.oauth.consents.get(&(grant.user.clone(), grant.client.clone()));
    let tenant = state.directory.users.get(&grant.user).and_then(|user| state.directory.tenants.get(&user.tenant));
    let by_admin = tenant.and_then(|tenant| tenant.admin_scopes.get(&grant.client));
    by_person.into_iter().chain(by_admin).flatten().cloned().collect()
}

/// New tokens of a grant, for one resource.
fn answer(
    state: &mut State,
    number: u64,
    client: &Client,
    asked: &Wanted,
    nonce: Option<&str>,
) -> Result<Value, Refusal> {
    let Some(grant) = state.oauth.grants.iter().find(|grant| grant.number == number).cloned() else {
        return Err(Refusal::of_death(Death::Revoked));
    };
    let allowed = allowed(state, &grant);
    if asked.scopes.iter().any(|scope| !allowed.contains(scope)) {
        return Err(Refusal::of_death(Death::ConsentWithdrawn));
    }
    let first = grant.scopes.iter().find_map(|scope| scopes::resource_of(scope));
    let resource = asked.resource.or(first).unwrap_or(GRAPH);
    // All that is allowed for the resource comes, whatever part of it was asked for.
    let given: BTreeSet<String> =
        allowed.into_iter().filter(|scope| scopes::resource_of(scope).is_none_or(|own| own == resource)).collect();
    let tokens = issue(state, &grant, given.clone(), resource == GRAPH);
    let Some(access) = state.oauth.access.get(&tokens.access_token) else {
        return Err(Refusal::of_death(Death::Unavailable));
    };
    let life = (access.expires - state.now()) / 1000;
    let mut answer = json!({
        "token_type": "Bearer", "scope": named(state, &given), "expires_in": life, "ext_expires_in": life,
        "access_token": tokens.access_token,
    });
    if grant.scopes.contains("offline_access") {
        answer["refresh_token"] = json!(tokens.refresh_token);
    }
    if grant.scopes.contains("openid") {
        answer["id_token"] = json!(identity(state, &grant.user, &client.id, nonce));
    }
    Ok(answer)
}

/// The scopes as the answer names them: in short, or in full and in lower case, never `offline_access`.
fn named(state: &mut State, given: &BTreeSet<String>) -> String {
    state.oauth.given += 1;
    let in_full = state.settings.scopes_in_full.applies(state.oauth.given);
    let name = |scope: &String| match (in_full, scopes::resource_of(scope)) {
        (true, Some(GRAPH)) => format!("{GRAPH}{}", scope.to_lowercase()),
        _ => scope.clone(),
    };
    given.iter().filter(|scope| *scope != "offline_access").map(name).collect::<Vec<_>>().join(" ")
}

/// Makes both tokens of a grant. The refresh token is a new one each time; those before stay as they are.
pub fn issue(state: &mut State, grant: &Grant, scopes: BTreeSet<String>, is_for_graph: bool) -> Tokens {
    let user = state.directory.users.get(&grant.user);
    let tenant = user.map(|user| user.tenant.clone()).unwrap_or_default();
    let is_personal = tenant == PERSONAL_TENANT;
    let (shortest, longest) = state.settings.access_token_seconds;
    let spread = u64::try_from(longest - shortest).unwrap_or(0).saturating_add(1);
    let life = shortest + i64::try_from(state.random.next() % spread).unwrap_or(0);
    let now = state.now();
    let access = Access {
        client: grant.client.clone(),
        tenant,
        user: Some(grant.user.clone()),
        scopes,
        is_for_graph,
        grant: Some(grant.number),
        expires: now + life * 1000,
        is_challenged: false,
    };
    let access_token = state.oauth.give_access(access, is_personal, &state.random);
    let expires = now + state.settings.refresh_token_seconds * 1000;
    let refresh_token = state.oauth.give_refresh(grant.number, expires, &state.random);
    Tokens { access_token, refresh_token }
}

/// The application by itself, for one organisation.
fn by_itself(state: &mut State, tenant: &str, request: &Request, form: &Form) -> Result<Value, Refusal> {
    let client = proved(state, request, form)?;
    if client.secrets.is_empty() && !client.has_certificate {
        let text = "The client does not support client credentials.";
        return Err(Refusal::of_client(700_025, text));
    }
    let scope = form.get("scope").unwrap_or_default();
    let is_for_graph = scope.eq_ignore_ascii_case("https://graph.microsoft.com/.default");
    if !is_for_graph && !scope.eq_ignore_ascii_case("https://outlook.office365.com/.default") {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(Refusal::new("invalid_scope", 1_002_012, text));
    }
    let home = match tenant {
        "common" | "organizations" | "consumers" => client.tenant.clone(),
        named => state.directory.tenant_of(named),
    };
    let Some(home) = home.filter(|home| home != PERSONAL_TENANT) else {
        let text =
            "No tenant-identifying information found in either the request or implied by any provided credentials.";
        return Err(Refusal::new("invalid_request", 50_059, text));
    };
    let Some(roles) = state.directory.tenants.get(&home).and_then(|tenant| tenant.roles.get(&client.id)).cloned()
    else {
        let text = format!("Application with identifier '{}' was not found in the directory '{home}'.", client.id);
        return Err(Refusal::new("unauthorized_client", 700_016, text));
    };
    let access = Access {
        client: client.id,
        tenant: home,
        user: None,
        scopes: roles,
        is_for_graph,
        grant: None,
        expires: state.now() + 3599 * 1000,
        is_challenged: false,
    };
    let token = state.oauth.give_access(access, false, &state.random);
    Ok(json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}))
}

fn identity(state: &State, user: &str, client: &str, nonce: Option<&str>) -> String {
    let now = state.now() / 1000;
    let Some(user) = state.directory.users.get(user) else {
        return String::new();
    };
    let mut claims = json!({
        "ver": "2.0", "iss": format!("https://login.microsoftonline.com/{}/v2.0", user.tenant), "aud": client,
        "sub": format!("sub-{}", user.id), "oid": user.id, "tid": user.tenant, "name": user.display_name,
        "preferred_username": user.user_principal_name, "email": user.mail, "iat": now, "nbf": now, "exp": now + 3600,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    jwt::signed(state.oauth.signing, &claims)
}

/// `GET …/discovery/v2.0/keys`.
pub fn keys(state: &State) -> Reply {
    let mut keys = vec![TestKey::FirstSigning.jwk()];
    if state.oauth.signing == TestKey::SecondSigning {
        keys.insert(0, TestKey::SecondSigning.jwk());
    }
    Reply::json(200, &json!({"keys": keys})).with("Cache-Control", "max-age=86400, private")
}

/// `GET …/.well-known/openid-configuration`.
pub fn configuration(state: &State, tenant: &str) -> Reply {
    let url = &state.url;
    let issuer = match tenant {
        "common" | "organizations" => "{tenantid}".to_owned(),
        "consumers" => PERSONAL_TENANT.to_owned(),
        named => state.directory.tenant_of(named).unwrap_or_else(|| named.to_owned()),
    };
    Reply::json(
        200,
        &json!({
            "issuer": format!("https://login.microsoftonline.com/{issuer}/v2.0"),
            "authorization_endpoint": format!("{url}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{url}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{url}/{tenant}/discovery/v2.0/keys"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": scopes::OPENID,
        }),
    )
}
