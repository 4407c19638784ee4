//! The page of consent: who signs in, what stays ticked, where the code goes.

use super::model::{Code, Consent};
use crate::gmail::scopes;
use crate::gmail::state::State;
use crate::shared::forms::escaped;
use crate::shared::http::Reply;
use std::collections::BTreeSet;
use std::fmt::Write;

const TEN_MINUTES: i64 = 10 * 60 * 1000;

/// The parameters of a request for consent.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn scopes(&self) -> Vec<String> {
        self.get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }
}

/// A page that tells a person what the client did wrong; nobody is sent back.
fn refused(status: u16, error: &str, text: &str) -> Reply {
    Reply::html(status, &format!("<h1>Access blocked</h1><p>{text}</p><p>Error {status}: {error}</p>"))
}

/// Refuses what Google shows on a page of its own rather than to the client.
fn check(state: &State, asked: &Asked) -> Result<(), Reply> {
    let bad = |text: &str| Err(refused(400, "invalid_request", text));
    let Some(client) = asked.get("client_id").and_then(|id| state.oauth.clients.get(id)) else {
        return Err(refused(401, "invalid_client", "The OAuth client was not found."));
    };
    let Some(redirect_uri) = asked.get("redirect_uri") else {
        return bad("Missing required parameter: redirect_uri");
    };
    if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
        return Err(refused(400, "redirect_uri_mismatch", "The redirect URI is not registered for this client."));
    }
    if asked.get("response_type") != Some("code") {
        return Err(refused(400, "unsupported_response_type", "Invalid parameter value for response_type"));
    }
    let wanted = asked.scopes();
    if wanted.is_empty() {
        return bad("Missing required parameter: scope");
    }
    if let Some(unknown) = wanted.iter().find(|scope| !scopes::is_known(scope)) {
        return Err(refused(400, "invalid_scope", &format!("Some requested scopes were invalid: {unknown}")));
    }
    for (name, words) in [
        ("access_type", &["online", "offline"][..]),
        ("include_granted_scopes", &["true", "false"]),
        ("code_challenge_method", &["S256", "plain"]),
        ("prompt", &["none", "consent", "select_account", "consent select_account", "select_account consent"]),
    ] {
        if asked.get(name).is_some_and(|value| !words.contains(&value)) {
            return bad(&format!("Invalid parameter value for {name}"));
        }
    }
    // A SHA-256 in base64url has 43 letters.
    let challenge = asked.get("code_challenge").map(str::len);
    if challenge.is_some_and(|length| !(43..=128).contains(&length))
        || (challenge.is_none() && asked.get("code_challenge_method").is_some())
    {
        return bad("Invalid code_challenge");
    }
    Ok(())
}

/// `GET /o/oauth2/v2/auth`: answered by the script, by a person, or with a yes at once.
pub fn authorize(state: &mut State, query: Vec<(String, String)>) -> Reply {
    let asked = Asked(query);
    if let Err(page) = check(state, &asked) {
        return page;
    }
    match state.oauth.script.pop_front() {
        Some(consent) => carry_out(state, &asked, consent),
        None if state.settings.asks_for_consent => page(state, &asked),
        None => carry_out(state, &asked, Consent::default()),
    }
}

/// `POST /o/oauth2/v2/auth`: what a person decided on the page.
pub fn decide(state: &mut State, form: Vec<(String, String)>) -> Reply {
    let (own, asked): (Vec<_>, Vec<_>) = form.into_iter().partition(|(name, _)| name.starts_with("consent_"));
    let asked = Asked(asked);
    if let Err(page) = check(state, &asked) {
        return page;
    }
    let all = |name: &str| -> Vec<String> {
        own.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    };
    let denied = all("consent_decision").first().map(String::as_str) != Some("allow");
    let consent = Consent {
        user: all("consent_user").into_iter().next(),
        scopes: Some(all("consent_scope")),
        error: denied.then(|| "access_denied".to_owned()),
    };
    carry_out(state, &asked, consent)
}

fn carry_out(state: &mut State, asked: &Asked, consent: Consent) -> Reply {
    if let Some(error) = consent.error {
        return send_back(asked, &[("error", &error)]);
    }
    let only = (state.users.len() == 1).then(|| state.users.keys().next().cloned()).flatten();
    let hinted = asked.get("login_hint").map(str::to_lowercase).filter(|hint| state.users.contains_key(hint));
    let Some(user) = consent.user.map(|user| user.to_lowercase()).or(hinted).or(only) else {
        return refused(400, "invalid_request", "Nobody signs in: script a consent or add a user.");
    };
    if !state.users.contains_key(&user) {
        return refused(400, "invalid_request", "There is no such user.");
    }
    let wanted = asked.scopes();
    let ticked = consent.scopes.unwrap_or_else(|| wanted.clone());
    let mut granted: BTreeSet<String> = wanted.into_iter().filter(|scope| ticked.contains(scope)).collect();
    if granted.is_empty() {
        return send_back(asked, &[("error", "access_denied")]);
    }
    let client = asked.get("client_id").unwrap_or_default().to_owned();
    let before = state.oauth.allowed(&user, &client);
    let first = before.is_empty();
    if asked.get("include_granted_scopes") == Some("true") {
        granted.extend(before);
    }
    let prompted = asked.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"));
    let code = format!("4/0{}", state.random.token(60));
    let scope = granted.iter().cloned().collect::<Vec<_>>().join(" ");
    let sha256 = asked.get("code_challenge_method") == Some("S256");
    let kept = Code {
        client,
        redirect_uri: asked.get("redirect_uri").unwrap_or_default().to_owned(),
        user,
        scopes: granted,
        challenge: asked.get("code_challenge").map(|challenge| (challenge.to_owned(), sha256)),
        expires: state.now() + TEN_MINUTES,
        gives_refresh_token: asked.get("access_type") == Some("offline") && (first || prompted),
        nonce: asked.get("nonce").map(str::to_owned),
        used: None,
    };
    state.oauth.codes.insert(code.clone(), kept);
    send_back(asked, &[("code", &code), ("scope", &scope), ("authuser", "0"), ("prompt", "consent")])
}

/// Back to the client, with its state.
fn send_back(asked: &Asked, parameters: &[(&str, &str)]) -> Reply {
    let Ok(mut target) = url::Url::parse(asked.get("redirect_uri").unwrap_or_default()) else {
        return refused(400, "invalid_request", "The redirect URI is none.");
    };
    {
        let mut query = target.query_pairs_mut();
        if let Some(state) = asked.get("state") {
            query.append_pair("state", state);
        }
        query.extend_pairs(parameters);
    }
    Reply::empty(302).with("Location", target.as_str())
}

/// The page itself, for a person at the demo.
fn page(state: &State, asked: &Asked) -> Reply {
    let mut html = String::from("<h1>Sign in (emulated)</h1><form method=\"post\"><p>");
    for (name, value) in &asked.0 {
        let _ = write!(html, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value));
    }
    let hint = asked.get("login_hint").unwrap_or_default().to_lowercase();
    for (number, user) in state.users.keys().enumerate() {
        let checked = if *user == hint || (hint.is_empty() && number == 0) { " checked" } else { "" };
        let user = escaped(user);
        let _ = write!(
            html,
            "<label><input type=\"radio\" name=\"consent_user\" value=\"{user}\"{checked}> {user}</label><br>"
        );
    }
    html.push_str("</p><p>");
    for scope in asked.scopes() {
        let scope = escaped(&scope);
        let _ = write!(
            html,
            "<label><input type=\"checkbox\" name=\"consent_scope\" value=\"{scope}\" checked> {scope}</label><br>"
        );
    }
    html.push_str(
        "</p><button name=\"consent_decision\" value=\"allow\">Continue</button> \
         <button name=\"consent_decision\" value=\"deny\">Cancel</button></form>",
    );
    Reply::html(200, &html)
}
