//! The batch endpoint: many requests in one `multipart/mixed` body, each answered for itself.

use super::Gmail;
use super::errors::ApiError;
use super::multipart::{self, Part};
use crate::shared::http::{Headers, Reply, Request, media_type};
use bytes::Bytes;
use std::fmt::Write;

/// Most parts of one batch.
const MOST_PARTS: usize = 100;

/// Whether a request is a batch.
pub fn is_batch(request: &Request) -> bool {
    let path = request.path.trim_end_matches('/');
    request.method == "POST" && (path == "/batch" || path == "/batch/gmail/v1")
}

/// Carries a batch out. The answers come in another order every other time, as they may.
pub fn carry_out(gmail: &Gmail, request: &Request) -> Reply {
    let shape = gmail.state().settings.error_shape;
    let parts = match parts_of(request) {
        Ok(parts) => parts,
        Err(error) => return error.reply(shape),
    };
    let at_once = gmail.state().settings.batch_parts_at_once;
    let mut answers: Vec<(Option<String>, Reply)> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let id = part.headers.get("content-id").map(answer_id);
        let reply = match inner(request, part) {
            Ok(inner) => gmail.part(&inner, number >= at_once),
            Err(error) => error.reply(shape),
        };
        answers.push((id, reply));
    }
    let boundary = format!("batch_{}", gmail.conditions.random.token(32));
    if gmail.conditions.random.next().is_multiple_of(2) {
        answers.reverse();
    }
    let mut body: Vec<u8> = Vec::new();
    for (id, reply) in &answers {
        body.extend_from_slice(&one_answer(&boundary, id.as_deref(), reply));
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Reply::new(200, &format!("multipart/mixed; boundary={boundary}"), body)
}

fn parts_of(request: &Request) -> Result<Vec<Part>, ApiError> {
    let content_type = request.headers.get("content-type").unwrap_or_default();
    if media_type(content_type) != "multipart/mixed" {
        return Err(ApiError::invalid("Failed to parse batch request, error: content type is not multipart/mixed"));
    }
    let parts = multipart::parts(content_type, &request.body)
        .ok_or_else(|| ApiError::invalid("Failed to parse batch request, error: malformed multipart body"))?;
    if parts.is_empty() {
        return Err(ApiError::invalid("Failed to parse batch request, error: 0 items"));
    }
    if parts.len() > MOST_PARTS {
        let message = format!("Inner request count exceeds the limit. Received: {}, Limit: {MOST_PARTS}", parts.len());
        return Err(ApiError::invalid(message));
    }
    Ok(parts)
}

/// `<item1>` is answered by `<response-item1>`.
fn answer_id(id: &str) -> String {
    format!("<response-{}>", id.trim_start_matches('<').trim_end_matches('>'))
}

/// The request inside a part. Fields of the batch apply to it, but for those about content.
fn inner(outer: &Request, part: &Part) -> Result<Request, ApiError> {
    let malformed = || ApiError::badly_formed("Failed to parse the request in this part");
    if part.headers.media_type() != "application/http" {
        return Err(ApiError::bad_content(&part.headers.media_type(), "application/http"));
    }
    let line_end = part.content.iter().position(|byte| *byte == b'\n').ok_or_else(malformed)?;
    let line = String::from_utf8_lossy(&part.content.slice(..line_end)).trim().to_owned();
    let mut words = line.split(' ');
    let (method, target) = words.next().zip(words.next()).ok_or_else(malformed)?;
    // A part names the path alone; the host is the batch's.
    if !target.starts_with('/') || target.starts_with("//") {
        return Err(malformed());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (own, body) = multipart::head(&part.content.slice(line_end + 1..));
    // The line end before the next boundary is no body.
    let body = if body.iter().all(u8::is_ascii_whitespace) { Bytes::new() } else { body };
    let inherited = outer
        .headers
        .0
        .iter()
        .filter(|(name, _)| !name.to_ascii_lowercase().starts_with("content-") && own.get(name).is_none());
    let inherited: Vec<(String, String)> = inherited.cloned().collect();
    let headers = Headers(own.0.into_iter().chain(inherited).collect());
    Ok(Request { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn one_answer(boundary: &str, id: Option<&str>, reply: &Reply) -> Bytes {
    let mut head = format!("--{boundary}\r\nContent-Type: application/http\r\n");
    if let Some(id) = id {
        let _ = write!(head, "Content-ID: {id}\r\n");
    }
    let _ = write!(head, "\r\nHTTP/1.1 {} {}\r\n", reply.status, phrase(reply.status));
    for (name, value) in &reply.headers.0 {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", reply.body.len());
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&reply.body);
    bytes.extend_from_slice(b"\r\n");
    Bytes::from(bytes)
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
