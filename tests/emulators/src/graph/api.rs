//! One request to the API: who asks, may they, and is it well formed.

use super::call::{Body, Call, Prefer};
use super::errors::{ApiError, Trace};
use super::methods::{self, Method};
use super::oauth::Access;
use super::query::Options;
use super::schema;
use super::state::{State, no_user};
use crate::shared::http::{Reply, Request};
use data_encoding::BASE64;
use serde_json::{Value, json};

/// The most bytes of a request.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// A request that was found to be for a method.
#[derive(Debug)]
pub struct Found {
    /// The method.
    pub method: &'static Method,
    user: Option<String>,
    values: Vec<(&'static str, String)>,
}

/// The path below the version, cut at its slashes: keys in parentheses stand apart, and functions without them.
pub fn pieces(path: &str) -> Option<Vec<String>> {
    let request = path.split('/').filter(|piece| !piece.is_empty());
    let mut found = Vec::new();
    for piece in request.map(crate::shared::http::percent_decoded) {
        let piece = piece.strip_prefix("microsoft.graph.").unwrap_or(&piece);
        match piece.split_once('(') {
            Some((name, inside)) if name.chars().all(char::is_alphanumeric) && !name.is_empty() => {
                found.push(name.to_owned());
                let key = inside.strip_suffix(')')?.trim_matches('\'');
                found.extend((!key.is_empty()).then(|| key.to_owned()));
            }
            _ => found.push(piece.to_owned()),
        }
    }
    match found.first() {
        Some(version) if version.eq_ignore_ascii_case("v1.0") => {
            found.remove(0);
            Some(found)
        }
        _ => None,
    }
}

/// Mails are found in their folders and folders in their parents by the same methods as without them.
fn shortened(path: &[String]) -> (Vec<String>, Option<String>) {
    let is = |at: usize, name: &str| path.get(at).is_some_and(|piece| piece.eq_ignore_ascii_case(name));
    let is_key =
        |at: usize| path.get(at).is_some_and(|piece| !piece.starts_with('$') && !piece.eq_ignore_ascii_case("delta"));
    if !is(0, "mailFolders") {
        return (path.to_vec(), None);
    }
    if is(2, "messages") && is_key(3) {
        return (path.get(2..).unwrap_or_default().to_vec(), path.get(1).cloned());
    }
    if is(2, "childFolders") && is_key(3) {
        let below: Vec<String> =
            std::iter::once("mailFolders".to_owned()).chain(path.iter().skip(3).cloned()).collect();
        return shortened(&below);
    }
    (path.to_vec(), None)
}

/// Finds the method of a request; none if the path is another one's.
pub fn find(request: &Request) -> Option<Result<Found, ApiError>> {
    let path = pieces(&request.path)?;
    let (user, rest) = match path.first().map(|piece| piece.to_ascii_lowercase()).as_deref() {
        Some("me") => (None, path.get(1..)?),
        Some("users") => (Some(path.get(1)?.clone()), path.get(2..)?),
        _ => return None,
    };
    let (rest, folder) = shortened(rest);
    let Some((method, mut values)) = methods::find(&request.method, &rest) else {
        if methods::is_known(&rest) {
            return Some(Err(ApiError::new(
                405,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.",
            )));
        }
        return Some(Err(ApiError::no_segment(rest.last().map(String::as_str).unwrap_or_default())));
    };
    values.extend(folder.map(|folder| ("folder", folder)));
    Some(Ok(Found { method, user, values }))
}

/// What the token of a request opens.
pub fn access<'a>(state: &'a State, request: &Request) -> Option<&'a Access> {
    let token = request.headers.get("authorization")?.strip_prefix("Bearer ")?.trim();
    state.oauth.access(token, state.now())
}

/// The same, or why it opens nothing.
pub fn authenticated(state: &State, request: &Request) -> Result<Access, ApiError> {
    let refused = |text: &str, challenge: &str| {
        let realm = format!(
            "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\"{challenge}",
            state.url
        );
        ApiError::unauthenticated(text).with("WWW-Authenticate", realm)
    };
    if request.headers.get("authorization").is_none() {
        return Err(refused("Access token is empty.", ""));
    }
    let Some(access) = access(state, request) else {
        return Err(refused("Lifetime validation failed, the token is expired or not known.", ""));
    };
    if !access.is_for_graph {
        return Err(refused("Access token validation failure. Invalid audience.", ""));
    }
    if access.is_challenged {
        let claims = json!({"access_token": {"nbf": {"essential": true, "value": (state.now() / 1000).to_string()}}});
        let claims = BASE64.encode(claims.to_string().as_bytes());
        let challenge = format!(", error=\"insufficient_claims\", claims=\"{claims}\"");
        return Err(refused("Continuous access evaluation resulted in challenge.", &challenge));
    }
    Ok(access.clone())
}

/// The user whose mailbox a request is for, if that can be told.
pub fn user_of(state: &State, request: &Request) -> Option<String> {
    let access = access(state, request)?;
    let path = pieces(&request.path)?;
    let (first, second) = (path.first()?, path.get(1));
    if first.eq_ignore_ascii_case("users") {
        return state.directory.find(second?).map(|user| user.id.clone());
    }
    access.user.clone()
}

/// Carries a request out.
pub fn carry_out(state: &mut State, request: &Request, found: &Found, trace: &Trace) -> Reply {
    match tried(state, request, found) {
        Ok(reply) => reply,
        Err(error) => error.reply(trace),
    }
}

fn tried(state: &mut State, request: &Request, found: &Found) -> Result<Reply, ApiError> {
    let access = authenticated(state, request)?;
    let user = opened(state, found, &access)?;
    let prefer = Prefer::read(request);
    let options = Options::read(request.query_pairs(), found.method.options)?;
    let body = body(request, found.method)?;
    if found.method.path.contains("essage") || found.method.path.contains("Folder") {
        state.mailbox(&user)?;
    }
    let applied = prefer.applied();
    let path = found.values.clone();
    let mut call = Call { state, user, access, path, options, prefer, body, request };
    let reply = (found.method.run)(&mut call)?;
    Ok(match applied {
        Some(applied) => reply.with("Preference-Applied", applied),
        None => reply,
    })
}

/// The user that a request is for, if the token opens that.
fn opened(state: &State, found: &Found, access: &Access) -> Result<String, ApiError> {
    let scopes = found.method.scopes;
    let is_about_users = found.method.name == "users.get";
    let named = match &found.user {
        Some(name) => {
            let user = state.directory.find(name).filter(|user| user.tenant == access.tenant);
            Some(user.ok_or_else(no_user)?)
        }
        None => None,
    };
    let Some(own) = &access.user else {
        // The application by itself.
        let user = named
            .ok_or_else(|| ApiError::bad_request("/me request is only valid with delegated authentication flow."))?;
        let allowed =
            if is_about_users { access.has("User.Read.All") } else { scopes.iter().any(|scope| access.has(scope)) };
        let client = state.oauth.clients.get(&access.client);
        let in_reach = client
            .and_then(|client| client.mailboxes.as_ref())
            .is_none_or(|list| list.iter().any(|one| user.owns(one)));
        return match (allowed, is_about_users || in_reach) {
            (true, true) => Ok(user.id.clone()),
            (true, false) => {
                let text =
                    "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
                Err(ApiError::new(403, "ErrorAccessDenied", text))
            }
            (false, _) => Err(missing(is_about_users)),
        };
    };
    let user = named.map_or_else(|| state.user(own), Ok)?;
    let is_own = user.id == *own;
    let allowed = if is_about_users {
        scopes.iter().any(|scope| access.has(scope) && (is_own || *scope != "User.Read"))
    } else {
        let plain = scopes.iter().any(|scope| access.has(scope));
        let shared = scopes.iter().any(|scope| access.has(&format!("{scope}.Shared")));
        let delegate = state.user(own).is_ok_and(|own| user.delegates.iter().any(|one| own.owns(one)));
        if is_own { plain || shared } else { shared && delegate }
    };
    if allowed { Ok(user.id.clone()) } else { Err(missing(is_about_users)) }
}

fn missing(is_about_users: bool) -> ApiError {
    if is_about_users {
        return ApiError::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
    }
    ApiError::denied()
}

/// What a request carries, checked against the method's type.
fn body(request: &Request, method: &Method) -> Result<Body, ApiError> {
    if request.body.len() > LARGEST_REQUEST {
        let text = "The request entity is larger than the server is willing to process.";
        return Err(ApiError::new(413, "RequestEntityTooLarge", text));
    }
    let Some(of) = method.body else {
        return Ok(Body::None);
    };
    let media_type = request.headers.media_type();
    if request.body.is_empty() && method.body_is_optional {
        return Ok(Body::None);
    }
    if media_type.is_empty() {
        let text = "Write requests (excluding DELETE) must contain the Content-Type header declaration.";
        return Err(ApiError::bad_request(text));
    }
    if media_type == "text/plain" && method.takes_mime {
        let text: Vec<u8> = request.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let decoded = BASE64.decode(&text).ok().filter(|mail| !mail.is_empty());
        return decoded.map(Body::Mime).ok_or_else(|| {
            ApiError::new(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
        });
    }
    if media_type != "application/json" {
        let text = format!("The media type '{media_type}' is not supported here.");
        return Err(ApiError::new(415, "UnsupportedMediaType", text));
    }
    let text = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.";
    let value: Value = serde_json::from_slice(&request.body).map_err(|_| ApiError::bad_request(text))?;
    schema::check(&value, of)?;
    Ok(Body::Json(value))
}
