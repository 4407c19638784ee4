//! Uploads of whole mails: in one piece, beside their metadata, or resumable in many pieces.

use super::errors::ApiError;
use super::methods::Method;
use super::multipart;
use super::oauth::Access;
use super::state::State;
use crate::shared::http::{Reply, Request, media_type};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pieces of a resumable upload are multiples of this, but for the last.
const PIECE: usize = 256 * 1024;
const ONE_WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

/// A resumable upload that goes on.
#[derive(Clone, Debug)]
pub struct Session {
    /// The method's HTTP verb and path below the user, to find it again.
    pub method: (String, Vec<String>),
    /// Who started it.
    pub access: Access,
    /// The metadata.
    pub body: Value,
    total: Option<usize>,
    received: Vec<u8>,
    expires: i64,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Uploads {
    sessions: BTreeMap<String, Session>,
}

/// What has come of a request to an upload's URL.
pub enum Taken {
    /// The whole mail with its metadata.
    Mail(Value, Bytes),
    /// Nothing to carry out yet: this is the answer.
    NotYet(Reply),
}

fn is_mail(media_type: &str) -> bool {
    media_type.starts_with("message/")
}

fn metadata(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes).map_err(|_| ApiError::badly_formed("Invalid JSON payload received. Parse error."))
}

/// Takes an upload: `uploadType` says which kind it is.
pub fn take(
    state: &mut State,
    request: &Request,
    method: &Method,
    path: &[String],
    access: &Access,
) -> Result<Taken, ApiError> {
    let most = method.upload.ok_or_else(ApiError::not_found)?;
    let kind = request.query_pairs().into_iter().find(|(name, _)| name == "uploadType").map(|(_, value)| value);
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let taken = match kind.as_deref() {
        Some("media") if is_mail(&media_type(content_type)) => Taken::Mail(json!({}), request.body.clone()),
        Some("media") => return Err(ApiError::bad_content(&media_type(content_type), "message/*")),
        Some("multipart") => related(content_type, &request.body)?,
        Some("resumable") => Taken::NotYet(begin(state, request, method, path, access)?),
        _ => return Err(ApiError::invalid("Missing or invalid uploadType")),
    };
    match &taken {
        Taken::Mail(_, mail) if mail.len() > most => Err(ApiError::too_large()),
        _ => Ok(taken),
    }
}

/// Two parts: metadata in JSON, then the mail.
fn related(content_type: &str, body: &Bytes) -> Result<Taken, ApiError> {
    if media_type(content_type) != "multipart/related" {
        return Err(ApiError::bad_content(&media_type(content_type), "multipart/related"));
    }
    let parts = multipart::parts(content_type, body);
    let parts = parts.ok_or_else(|| ApiError::badly_formed("Malformed multipart body."))?;
    let [first, second] = parts.as_slice() else {
        return Err(ApiError::badly_formed("Multipart must have exactly two parts."));
    };
    if first.headers.media_type() != "application/json" {
        return Err(ApiError::bad_content(&first.headers.media_type(), "application/json"));
    }
    if !is_mail(&second.headers.media_type()) {
        return Err(ApiError::bad_content(&second.headers.media_type(), "message/*"));
    }
    Ok(Taken::Mail(metadata(&first.content)?, second.content.clone()))
}

fn begin(
    state: &mut State,
    request: &Request,
    method: &Method,
    path: &[String],
    access: &Access,
) -> Result<Reply, ApiError> {
    let kind = request.headers.get("x-upload-content-type").unwrap_or_default();
    if !is_mail(&media_type(kind)) {
        return Err(ApiError::bad_content(kind, "message/*"));
    }
    if !request.body.is_empty() && request.headers.media_type() != "application/json" {
        return Err(ApiError::bad_content(&request.headers.media_type(), "application/json"));
    }
    let total = match request.headers.get("x-upload-content-length").map(str::parse::<usize>) {
        None => None,
        Some(Ok(total)) if method.upload.is_some_and(|most| total <= most) => Some(total),
        Some(Ok(_)) => return Err(ApiError::too_large()),
        Some(Err(_)) => return Err(ApiError::invalid("Invalid X-Upload-Content-Length")),
    };
    let id = state.random.token(40);
    let session = Session {
        method: (method.http.to_owned(), path.to_vec()),
        access: access.clone(),
        body: metadata(&request.body)?,
        total,
        received: Vec::new(),
        expires: state.now() + ONE_WEEK,
    };
    state.uploads.sessions.insert(id.clone(), session);
    let location = format!("{}{}?uploadType=resumable&upload_id={id}", state.url, request.path);
    Ok(Reply::empty(200).with("Location", location).with("X-GUploader-UploadID", id))
}

/// The upload that a request goes on with.
pub fn session(state: &State, request: &Request) -> Option<(String, Session)> {
    let id = request.query_pairs().into_iter().find(|(name, _)| name == "upload_id").map(|(_, value)| value)?;
    let session = state.uploads.sessions.get(&id).filter(|session| session.expires > state.now())?;
    Some((id, session.clone()))
}

/// A piece, by PUT or as some clients do by POST: 308 until the last one has come.
pub fn go_on(state: &mut State, request: &Request, id: &str) -> Result<Taken, ApiError> {
    let Some(session) = state.uploads.sessions.get_mut(id) else {
        return Err(ApiError::not_found());
    };
    let range = match request.headers.get("content-range") {
        // Without a range it is the whole mail.
        None => Some((0, Some(request.body.len()))),
        Some(text) => read_range(text).ok_or_else(|| ApiError::invalid("Failed to parse Content-Range header."))?,
    };
    let Some((first, total)) = range else {
        return Ok(Taken::NotYet(incomplete(session.received.len())));
    };
    session.total = total.or(session.total);
    if first != session.received.len() {
        // What was not received in order is not kept; the answer says where to go on.
        return Ok(Taken::NotYet(incomplete(session.received.len())));
    }
    let end = first + request.body.len();
    let is_last = session.total.is_some_and(|total| end >= total);
    if session.total.is_some_and(|total| end > total) || (!is_last && !request.body.len().is_multiple_of(PIECE)) {
        return Err(ApiError::invalid(
            "Invalid request. The number of bytes uploaded is required to be equal or greater \
                                      than 262144, except for the final request.",
        ));
    }
    session.received.extend_from_slice(&request.body);
    if !is_last {
        return Ok(Taken::NotYet(incomplete(session.received.len())));
    }
    let taken = Taken::Mail(session.body.clone(), Bytes::from(std::mem::take(&mut session.received)));
    state.uploads.sessions.remove(id);
    Ok(taken)
}

fn incomplete(received: usize) -> Reply {
    let reply = Reply::empty(308);
    match received.checked_sub(1) {
        Some(last) => reply.with("Range", format!("bytes=0-{last}")),
        None => reply,
    }
}

/// `bytes 0-99/200`, `bytes 0-99/*`; nothing in it for `bytes */200`, which only asks.
#[expect(clippy::option_option, reason = "a range that cannot be read differs from one that only asks")]
fn read_range(text: &str) -> Option<Option<(usize, Option<usize>)>> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    if range == "*" {
        return Some(None);
    }
    let (first, last) = range.split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(Some((first, total)))
}
