//! Upload sessions: large attachments in pieces, at an address that needs no token.

use super::call::Call;
use super::changes::leaving;
use super::drafts::next_number;
use super::errors::ApiError;
use super::ids::Kind;
use super::mailbox::Journal;
use super::model::{Attachment, Held};
use super::state::State;
use crate::shared::clock::rfc3339_seconds;
use crate::shared::http::{Reply, Request};
use bytes::Bytes;
use serde_json::{Value, json};

const LEAST: u64 = 3 * 1024 * 1024;
const MOST: u64 = 150 * 1024 * 1024;
const LARGEST_PIECE: usize = 4 * 1024 * 1024;
const LIFE: i64 = 24 * 3600 * 1000;

/// An upload that goes on.
#[derive(Clone, Debug)]
pub struct Upload {
    user: String,
    limited: String,
    mail: u64,
    attachment: Attachment,
    size: u64,
    received: Vec<u8>,
    expires: i64,
}

/// `POST attachments/createUploadSession`.
pub fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let key = call.mail()?;
    let mail = call.mailbox()?.mails.get(&key).cloned().ok_or_else(ApiError::not_found)?;
    if mail.is_leaving {
        return Err(leaving());
    }
    let item = call.value("AttachmentItem").cloned().unwrap_or(Value::Null);
    let text = |name: &str| item[name].as_str().map(str::to_owned);
    let is_file = text("attachmentType").is_some_and(|kind| kind.eq_ignore_ascii_case("file"));
    let (Some(name), Some(size), true) = (text("name"), item["size"].as_u64(), is_file && mail.is_draft) else {
        return Err(ApiError::bad_request("A file of a draft is uploaded, with attachmentType, name and size."));
    };
    if size < LEAST {
        let text = "Attachment size must be greater than the minimum size; attach it directly.";
        return Err(ApiError::new(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", text));
    }
    if size > MOST {
        let text = "Attachment size must not exceed the maximum size.";
        return Err(ApiError::new(413, "ErrorAttachmentSizeLimitExceeded", text));
    }
    let (now, token) = (call.state.now(), call.state.random.token(64));
    let attachment = Attachment {
        number: 0,
        name,
        content_type: text("contentType").or_else(|| Some("application/octet-stream".to_owned())),
        content_id: text("contentId"),
        location: None,
        is_inline: item["isInline"].as_bool().unwrap_or(false),
        modified: now,
        held: Held::File(Bytes::new()),
    };
    let address = call.state.user(&call.user)?.mail.clone();
    let limited = format!("{} {address}", call.access.client);
    let upload = Upload {
        user: call.user.clone(),
        limited,
        mail: key,
        attachment,
        size,
        received: Vec::new(),
        expires: now + LIFE,
    };
    let expires = rfc3339_seconds(upload.expires);
    call.state.uploads.insert(token.clone(), upload);
    let id: String = url::form_urlencoded::byte_serialize(call.place("message").as_bytes()).collect();
    let url = format!(
        "{}/api/v2.0/Users('{}')/Messages('{id}')/AttachmentSessions('1')?authtoken={token}",
        call.state.url, call.user
    );
    let context = format!("{}/$metadata#microsoft.graph.uploadSession", call.state.base());
    Ok(Reply::json(
        201,
        &json!({
            "@odata.context": context, "uploadUrl": url, "expirationDateTime": expires, "nextExpectedRanges": ["0-"],
        }),
    ))
}

/// The name of a call to an upload's address.
pub fn place(request: &Request) -> Option<&'static str> {
    if !request.path.starts_with("/api/v2.0/Users(") {
        return None;
    }
    match request.method.as_str() {
        "PUT" => Some("uploads.put"),
        "GET" => Some("uploads.get"),
        "DELETE" => Some("uploads.delete"),
        _ => None,
    }
}

/// A piece, a question how far it has come, or its end.
pub fn carry_out(state: &mut State, request: &Request, name: &str) -> Result<Reply, ApiError> {
    if request.headers.get("authorization").is_some() {
        let text = "The address of an upload takes no Authorization header.";
        return Err(ApiError::unauthenticated(text));
    }
    let token = request.query_pairs().into_iter().find(|(name, _)| name == "authtoken").map(|(_, token)| token);
    let token = token.unwrap_or_default();
    let now = state.now();
    let known = state.uploads.get(&token).filter(|upload| upload.expires > now);
    let upload = known.ok_or_else(|| ApiError::new(404, "ErrorItemNotFound", "The upload session was not found."))?;
    let expires = rfc3339_seconds(upload.expires);
    match name {
        "uploads.delete" => {
            state.uploads.remove(&token);
            Ok(Reply::empty(204))
        }
        "uploads.get" => {
            let next = format!("{}-", upload.received.len());
            Ok(Reply::json(200, &json!({"expirationDateTime": expires, "nextExpectedRanges": [next]})))
        }
        _ => {
            check_piece(upload, request)?;
            let (limited, settings) = (upload.limited.clone(), state.settings.clone());
            state.throttle.spend(&limited, request.body.len(), &settings, now)?;
            let Some(upload) = state.uploads.get_mut(&token) else {
                return Err(ApiError::not_found());
            };
            upload.received.extend_from_slice(&request.body);
            let length = upload.received.len();
            if (length as u64) < upload.size {
                let next = [length.to_string()];
                return Ok(Reply::json(200, &json!({"expirationDateTime": expires, "nextExpectedRanges": next})));
            }
            match state.uploads.remove(&token) {
                Some(upload) => finished(state, upload),
                None => Err(ApiError::not_found()),
            }
        }
    }
}

/// Pieces come one after the other, none of them larger than four megabytes.
fn check_piece(upload: &Upload, request: &Request) -> Result<(), ApiError> {
    let invalid = |status, text: &str| Err(ApiError::new(status, "ErrorInvalidRange", text));
    let range = request.headers.get("content-range").and_then(|range| range.strip_prefix("bytes "));
    let parsed = range.and_then(|range| {
        let (range, total) = range.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, total.parse::<u64>().ok()?))
    });
    let Some((first, last, total)) = parsed else {
        return invalid(400, "A Content-Range such as 'bytes 0-2097151/3483322' is needed.");
    };
    if total != upload.size || last < first || last >= total || last - first + 1 != request.body.len() as u64 {
        return invalid(400, "The Content-Range does not fit the size of the file or of the body.");
    }
    if request.body.len() >= LARGEST_PIECE {
        let text = "A piece has to be smaller than 4 MB.";
        return Err(ApiError::new(413, "RequestEntityTooLarge", text));
    }
    if first != upload.received.len() as u64 {
        return invalid(416, "The piece does not begin where the last one ended.");
    }
    Ok(())
}

fn finished(state: &mut State, upload: Upload) -> Result<Reply, ApiError> {
    let mut journal = Journal::new();
    let mailbox = state.mailbox(&upload.user)?;
    let mail = mailbox.mails.get(&upload.mail).filter(|mail| mail.is_draft).ok_or_else(ApiError::not_found)?;
    let number = next_number(&mail.content);
    let (mail_id, id) =
        (mailbox.ids.id(Kind::Moving, mail.place), mailbox.ids.attachment(Kind::Moving, mail.place, number));
    let attachment = Attachment { number, held: Held::File(Bytes::from(upload.received)), ..upload.attachment };
    mailbox.change(upload.mail, vec!["hasAttachments"], &mut journal, |mail| mail.content.attachments.push(attachment));
    state.commit(&upload.user, journal);
    let encoded = |id: &str| url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    let (mail_id, id) = (encoded(&mail_id), encoded(&id));
    let location = format!("{}/api/v2.0/Users('{}')/Messages('{mail_id}')/Attachments('{id}')", state.url, upload.user);
    Ok(Reply::empty(201).with("Location", location))
}
