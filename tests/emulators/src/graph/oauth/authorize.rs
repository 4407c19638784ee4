//! The page of consent: who signs in, what is allowed, where the code goes.

use super::model::{Client, Code, Consent};
use super::scopes::{self, Mistake, Wanted};
use crate::graph::directory::{PERSONAL_TENANT, User};
use crate::graph::state::State;
use crate::shared::forms::{Form, escaped};
use crate::shared::http::Reply;
use std::fmt::Write;

const TEN_MINUTES: i64 = 10 * 60 * 1000;
const PROMPTS: [&str; 5] = ["login", "none", "consent", "select_account", "create"];

/// A page that tells a person what is wrong; nobody is sent back.
fn refused(number: u32, text: &str) -> Reply {
    Reply::html(400, &format!("<h1>Sorry, but we're having trouble signing you in.</h1><p>AADSTS{number}: {text}</p>"))
}

/// A request for consent that makes sense.
struct Asked {
    form: Form,
    client: Client,
    tenant: String,
    wanted: Wanted,
}

/// Refuses what is shown on a page rather than told to the application.
fn check(state: &State, tenant: &str, form: Form) -> Result<Asked, Reply> {
    let Some(client) = form.get("client_id").and_then(|id| state.oauth.clients.get(id)).cloned() else {
        let id = escaped(form.get("client_id").unwrap_or_default());
        return Err(refused(700_016, &format!("Application with identifier '{id}' was not found in the directory.")));
    };
    if !["common", "organizations", "consumers"].contains(&tenant) && state.directory.tenant_of(tenant).is_none() {
        return Err(refused(90_002, &format!("Tenant '{}' not found.", escaped(tenant))));
    }
    if tenant == "common" && client.tenant.is_some() {
        let text = "Application is not configured as a multi-tenant application. Usage of the /common endpoint is not \
                    supported for such applications.";
        return Err(refused(50_194, text));
    }
    let Some(redirect_uri) = form.get("redirect_uri") else {
        return Err(refused(900_144, "The request must contain the parameter 'redirect_uri'."));
    };
    if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
        let text = "The redirect URI specified in the request does not match the redirect URIs configured for the \
                    application.";
        return Err(refused(50_011, text));
    }
    if form.get("response_type") != Some("code") {
        return Err(refused(700_054, "response_type must be 'code' for this application."));
    }
    if form.get("response_mode").is_some_and(|mode| !["query", "form_post", "fragment"].contains(&mode)) {
        return Err(refused(90_012, "The value of 'response_mode' is not supported."));
    }
    if form.words("prompt").iter().any(|prompt| !PROMPTS.contains(&prompt.as_str())) {
        return Err(refused(90_023, "The value of 'prompt' is not supported."));
    }
    check_challenge(&form, &client)?;
    let words = form.words("scope");
    if words.is_empty() {
        return Err(refused(900_144, "The request must contain the parameter 'scope'."));
    }
    let wanted = scopes::read(&words).map_err(|mistake| match mistake {
        Mistake::Unknown(word) => {
            refused(650_053, &format!("The application asked for scope '{}' that doesn't exist.", escaped(&word)))
        }
        Mistake::Mixed => refused(28_000, "The input parameter scope contains more than one resource."),
    })?;
    Ok(Asked { form, client, tenant: tenant.to_owned(), wanted })
}

fn check_challenge(form: &Form, client: &Client) -> Result<(), Reply> {
    let method = form.get("code_challenge_method");
    if method.is_some_and(|method| !["S256", "plain"].contains(&method)) {
        return Err(refused(9_002_326, "The value of 'code_challenge_method' is not supported."));
    }
    let length = form.get("code_challenge").map(str::len);
    let is_missing = length.is_none() && (method.is_some() || (client.secrets.is_empty() && !client.has_certificate));
    if is_missing || length.is_some_and(|length| !(43..=128).contains(&length)) {
        return Err(refused(501_491, "The Code_Challenge is missing or has an invalid length."));
    }
    Ok(())
}

/// `GET …/authorize`: answered by the script, by a person, or with a yes at once.
pub fn authorize(state: &mut State, tenant: &str, query: Vec<(String, String)>) -> Reply {
    let asked = match check(state, tenant, Form(query)) {
        Ok(asked) => asked,
        Err(page) => return page,
    };
    match state.oauth.script.pop_front() {
        Some(consent) => carry_out(state, &asked, consent),
        None if state.settings.asks_for_consent => page(state, &asked),
        None => carry_out(state, &asked, Consent::default()),
    }
}

/// `POST …/authorize`: what a person decided on the page.
pub fn decide(state: &mut State, tenant: &str, form: Vec<(String, String)>) -> Reply {
    let (own, asked): (Vec<_>, Vec<_>) = form.into_iter().partition(|(name, _)| name.starts_with("consent_"));
    let own = Form(own);
    let asked = match check(state, tenant, Form(asked)) {
        Ok(asked) => asked,
        Err(page) => return page,
    };
    let denied = own.get("consent_decision") != Some("allow");
    let consent = Consent {
        user: own.get("consent_user").map(str::to_owned),
        error: denied.then(|| "access_denied".to_owned()),
        as_admin: own.get("consent_admin").is_some(),
    };
    carry_out(state, &asked, consent)
}

/// The organisation must be the one that was asked for.
fn check_user(state: &State, asked: &Asked, user: &User) -> Result<(), Reply> {
    let fits = match asked.tenant.as_str() {
        "common" => true,
        "organizations" => !user.is_personal(),
        "consumers" => user.is_personal(),
        tenant => state.directory.tenant_of(tenant).as_deref() == Some(&user.tenant),
    };
    let client = &asked.client;
    let allowed = client.tenant.as_ref().is_none_or(|tenant| *tenant == user.tenant);
    if !fits || !allowed || (client.refuses_personal && user.is_personal()) {
        let text = format!("User account '{}' from identity provider does not exist in tenant.", escaped(&user.mail));
        return Err(refused(50_020, &text));
    }
    if user.is_disabled {
        return Err(refused(50_057, "The user account is disabled."));
    }
    Ok(())
}

fn carry_out(state: &mut State, asked: &Asked, consent: Consent) -> Reply {
    if let Some(error) = consent.error {
        let text = format!("AADSTS65004: User declined to consent to access the app. ({error})");
        return send_back(asked, &[("error", &error), ("error_description", &text), ("error_subcode", "cancel")]);
    }
    let only = (state.directory.users.len() == 1).then(|| state.directory.users.keys().next().cloned()).flatten();
    let named = consent.user.or_else(|| asked.form.get("login_hint").map(str::to_owned)).or(only);
    let Some(user) = named.and_then(|name| state.directory.find(&name).cloned()) else {
        return refused(50_034, "The user account does not exist: script a consent or add a user.");
    };
    if let Err(page) = check_user(state, asked, &user) {
        return page;
    }
    if let Err(sent_back) = allow(state, asked, &user, consent.as_admin) {
        return sent_back;
    }
    let code = format!("1.AV0A{}", state.random.token(90));
    let sha256 = asked.form.get("code_challenge_method") == Some("S256");
    let kept = Code {
        client: asked.client.id.clone(),
        redirect_uri: asked.form.get("redirect_uri").unwrap_or_default().to_owned(),
        user: user.id,
        scopes: asked.wanted.scopes.clone(),
        challenge: asked.form.get("code_challenge").map(|challenge| (challenge.to_owned(), sha256)),
        expires: state.now() + TEN_MINUTES,
        nonce: asked.form.get("nonce").map(str::to_owned),
        used: false,
    };
    state.oauth.codes.insert(code.clone(), kept);
    let session = state.random.token(22);
    send_back(asked, &[("code", &code), ("session_state", &session)])
}

/// Writes down what is allowed now; sends the person back where somebody else has to decide.
fn allow(state: &mut State, asked: &Asked, user: &User, as_admin: bool) -> Result<(), Reply> {
    let client = asked.client.id.clone();
    let tenant = state.directory.tenants.entry(user.tenant.clone()).or_default();
    if as_admin && user.tenant != PERSONAL_TENANT {
        tenant.admin_scopes.entry(client).or_default().extend(asked.wanted.scopes.iter().cloned());
        return Ok(());
    }
    let by_admin = tenant.admin_scopes.get(&client).cloned().unwrap_or_default();
    let before = state.oauth.consents.entry((user.id.clone(), client)).or_default();
    let missing: Vec<String> = asked
        .wanted
        .scopes
        .iter()
        .filter(|scope| !before.contains(*scope) && !by_admin.contains(*scope))
        .cloned()
        .collect();
    let forbidden = tenant.forbids_user_consent && missing.iter().any(|scope| scopes::resource_of(scope).is_some());
    if forbidden || missing.iter().any(|scope| scopes::needs_admin(scope)) {
        let text = "AADSTS90094: An administrator of the organisation has set a policy that prevents you from granting \
                    the application the permissions it is requesting.";
        return Err(send_back(asked, &[("error", "consent_required"), ("error_description", text)]));
    }
    if !missing.is_empty() && asked.form.get("prompt") == Some("none") {
        let text = "AADSTS65001: The user or administrator has not consented to use the application.";
        return Err(send_back(asked, &[("error", "interaction_required"), ("error_description", text)]));
    }
    before.extend(missing);
    Ok(())
}

/// Back to the application, with its state.
fn send_back(asked: &Asked, parameters: &[(&str, &str)]) -> Reply {
    let redirect_uri = asked.form.get("redirect_uri").unwrap_or_default();
    let Ok(mut target) = url::Url::parse(redirect_uri) else {
        return refused(50_011, "The redirect URI is none.");
    };
    let mut pairs: Vec<(&str, &str)> = parameters.to_vec();
    pairs.extend(asked.form.get("state").map(|state| ("state", state)));
    match asked.form.get("response_mode") {
        Some("form_post") => {
            let mut html = format!("<form method=\"post\" action=\"{}\">", escaped(redirect_uri));
            for (name, value) in pairs {
                let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value));
            }
            html.push_str("<button>Continue</button></form><script>document.forms[0].submit()</script>");
            Reply::html(200, &html)
        }
        Some("fragment") => {
            let fragment = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            target.set_fragment(Some(&fragment));
            Reply::empty(302).with("Location", target.as_str())
        }
        _ => {
            target.query_pairs_mut().extend_pairs(pairs);
            Reply::empty(302).with("Location", target.as_str())
        }
    }
}

/// The page itself, for a person at the demo.
fn page(state: &State, asked: &Asked) -> Reply {
    let mut html = String::from("<h1>Sign in (emulated)</h1><form method=\"post\"><p>");
    for (name, value) in &asked.form.0 {
        let _ = write!(html, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value));
    }
    let hint = asked.form.get("login_hint").unwrap_or_default().to_lowercase();
    for (number, user) in state.directory.users.values().enumerate() {
        let is_chosen = user.owns(&hint) || (hint.is_empty() && number == 0);
        let checked = if is_chosen { " checked" } else { "" };
        let (id, mail) = (escaped(&user.id), escaped(&user.mail));
        let _ = write!(
            html,
            "<label><input type=\"radio\" name=\"consent_user\" value=\"{id}\"{checked}> {mail}</label><br>"
        );
    }
    html.push_str("</p><p>This app would like to:</p><ul>");
    for scope in &asked.wanted.scopes {
        let _ = write!(html, "<li>{}</li>", escaped(scope));
    }
    html.push_str(
        "</ul><p><label><input type=\"checkbox\" name=\"consent_admin\" value=\"1\"> Consent on behalf of your \
         organization</label></p><button name=\"consent_decision\" value=\"allow\">Accept</button> \
         <button name=\"consent_decision\" value=\"deny\">Cancel</button></form>",
    );
    Reply::html(200, &html)
}
