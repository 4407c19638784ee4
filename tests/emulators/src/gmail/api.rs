//! One request to the Gmail API: who asks, may they, what does it cost, and is it well formed.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::fields;
use super::methods::{self, Method, PathValues};
use super::oauth::Access;
use super::schema::{Query, check_body};
use super::state::State;
use super::switches::Prices;
use super::uploads::{self, Taken};
use crate::shared::http::{Reply, Request};
use bytes::Bytes;
use serde_json::{Value, json};

/// Which of the three trees of paths a request is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// `/gmail/v1`.
    Plain,
    /// `/upload/gmail/v1` and `/resumable/upload/gmail/v1`.
    Upload,
}

/// A request that was found to be for a method.
#[derive(Debug)]
pub struct Found {
    /// The method.
    pub method: &'static Method,
    tree: Tree,
    user: String,
    path: Vec<String>,
    values: PathValues,
}

/// Finds the method of a request.
pub fn find(state: &State, request: &Request) -> Option<Found> {
    let pieces = request.segments();
    let words: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let (tree, rest) = match words.as_slice() {
        ["gmail", "v1", "users", rest @ ..] => (Tree::Plain, rest),
        ["upload", "gmail", "v1", "users", rest @ ..] | ["resumable", "upload", "gmail", "v1", "users", rest @ ..] => {
            (Tree::Upload, rest)
        }
        _ => return None,
    };
    let (user, path) = rest.split_first()?;
    let path: Vec<String> = path.iter().map(|piece| (*piece).to_owned()).collect();
    // The pieces of a resumable upload come by PUT or POST, whatever its method is.
    let http = match uploads::session(state, request) {
        Some((_, session)) if tree == Tree::Upload && session.method.1 == path => session.method.0,
        _ => request.method.clone(),
    };
    let (method, values) = methods::find(&http, &path)?;
    (tree == Tree::Plain || method.upload.is_some()).then(|| Found {
        method,
        tree,
        user: (*user).to_owned(),
        path,
        values,
    })
}

/// What the token of a request opens.
pub fn access(state: &State, request: &Request) -> Option<Access> {
    let token = request.headers.get("authorization")?.strip_prefix("Bearer ")?.trim();
    state.oauth.access(token, state.now()).cloned()
}

/// An answer, and what the call cost.
pub struct Done {
    /// The answer.
    pub reply: Reply,
    /// The units.
    pub units: u32,
}

/// Carries a request out.
pub fn carry_out(state: &mut State, request: &Request, found: &Found) -> Done {
    let mut units = 0;
    let reply = match tried(state, request, found, &mut units) {
        Ok(reply) => reply,
        Err(error) => error.reply(state.settings.error_shape),
    };
    Done { reply, units }
}

fn tried(state: &mut State, request: &Request, found: &Found, units: &mut u32) -> Result<Reply, ApiError> {
    let method = found.method;
    let goes_on = found.tree == Tree::Upload && ["PUT", "POST"].contains(&request.method.as_str());
    let going_on = uploads::session(state, request).filter(|_| goes_on);
    // A resumable upload is known by its URL alone.
    let access = match &going_on {
        Some((_, session)) => session.access.clone(),
        None => authenticated(state, request)?,
    };
    let user = mailbox_of(&found.user, &access)?;
    if !method.scopes.iter().any(|scope| access.has(scope)) {
        return Err(ApiError::scope());
    }
    state.mailbox(&user)?;
    let query = checked_query(request, found)?;
    let selected = query.get("fields").map(str::to_owned);
    let (body, media) = match (found.tree, going_on) {
        (Tree::Plain, _) => (json_body(request, method)?, None),
        (Tree::Upload, going_on) => {
            let taken = match going_on {
                Some((id, _)) => uploads::go_on(state, request, &id)?,
                None => uploads::take(state, request, method, &found.path, &access)?,
            };
            match taken {
                Taken::NotYet(reply) => return Ok(reply),
                Taken::Mail(body, media) => {
                    check_body(&body, method.body.unwrap_or_default(), "")?;
                    (body, Some(media))
                }
            }
        }
    };
    let price = match state.settings.prices {
        Prices::New => method.price.0,
        Prices::Legacy => method.price.1,
    };
    let (settings, now) = (state.settings.clone(), state.now());
    state.quota.spend(&access.project, &user, price, &settings, now)?;
    *units = price;
    answer(state, found, Prepared { user, access, query, body, media }, selected.as_deref())
}

/// A call with everything checked.
struct Prepared {
    user: String,
    access: Access,
    query: Query,
    body: Value,
    media: Option<Bytes>,
}

fn answer(state: &mut State, found: &Found, prepared: Prepared, selected: Option<&str>) -> Result<Reply, ApiError> {
    // A selection that is none is refused before anything is done.
    fields::select(json!({}), selected)?;
    let Prepared { user, access, query, body, media } = prepared;
    let mut call = Call { state, user, access, path: found.values.clone(), query, body, media };
    match (found.method.run)(&mut call)? {
        Answer::Empty => Ok(Reply::empty(204)),
        Answer::Json(value) => Ok(Reply::json(200, &fields::select(value, selected)?)),
    }
}

fn authenticated(state: &State, request: &Request) -> Result<Access, ApiError> {
    if request.headers.get("authorization").is_none() {
        return Err(ApiError::unauthenticated(
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or \
             other valid authentication credential.",
        ));
    }
    access(state, request).ok_or_else(|| ApiError::unauthenticated("Invalid Credentials"))
}

/// `me`, or the token's own mailbox.
fn mailbox_of(named: &str, access: &Access) -> Result<String, ApiError> {
    let Some(own) = &access.user else {
        return Err(ApiError::precondition("Precondition check failed."));
    };
    if named == "me" || named.eq_ignore_ascii_case(own) {
        return Ok(own.clone());
    }
    Err(ApiError::forbidden(format!("Delegation denied for {own}")))
}

fn checked_query(request: &Request, found: &Found) -> Result<Query, ApiError> {
    let mut pairs = request.query_pairs();
    if found.tree == Tree::Upload {
        pairs.retain(|(name, _)| name != "upload_id");
    }
    Query::check(pairs, found.method.query)
}

/// The JSON of a plain request.
fn json_body(request: &Request, method: &Method) -> Result<Value, ApiError> {
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    if request.headers.media_type() != "application/json" {
        let message =
            format!("Invalid JSON payload received. The media type '{}' is not JSON.", request.headers.media_type());
        return Err(ApiError::badly_formed(message));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| ApiError::badly_formed("Invalid JSON payload received. Parse error."))?;
    check_body(&body, method.body.unwrap_or_default(), "")?;
    Ok(body)
}
