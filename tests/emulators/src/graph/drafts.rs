//! Messages as they are written: new drafts, and what JSON may say about a mail.

use super::call::{Body, Call};
use super::errors::ApiError;
use super::extended;
use super::mailbox::{Journal, NewMail};
use super::messages::{SET, shown};
use super::mime;
use super::model::{Attachment, Content, Held, Mail, Recipient};
use super::query::Options;
use super::state::State;
use crate::shared::http::Reply;
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::Value;

/// Properties that may be changed wherever a mail lies.
const ANYWHERE: [&str; 7] = [
    "isRead",
    "flag",
    "categories",
    "importance",
    "inferenceClassification",
    "singleValueExtendedProperties",
    "multiValueExtendedProperties",
];

/// Properties that the service alone sets.
const READ_ONLY: [&str; 13] = [
    "id",
    "bodyPreview",
    "changeKey",
    "conversationId",
    "conversationIndex",
    "createdDateTime",
    "hasAttachments",
    "isDraft",
    "lastModifiedDateTime",
    "parentFolderId",
    "receivedDateTime",
    "sentDateTime",
    "webLink",
];

const MOST_HEADERS: usize = 5;

/// Refuses what a mail cannot be told by JSON.
pub fn check(body: &Value) -> Result<(), ApiError> {
    let named = |name: &&&str| body.get(**name).is_some();
    if let Some(name) = READ_ONLY.iter().chain(&["uniqueBody"]).find(named) {
        let text = format!("The property '{name}' cannot be set.");
        return Err(ApiError::new(400, "ErrorInvalidPropertySet", text));
    }
    extended::check(body)?;
    let Some(headers) = body.get("internetMessageHeaders").and_then(Value::as_array) else {
        return Ok(());
    };
    if headers.is_empty() || headers.len() > MOST_HEADERS {
        let text =
            format!("The collection of internet message headers must hold between 1 and {MOST_HEADERS} of them.");
        return Err(ApiError::new(400, "InvalidInternetMessageHeaderCollection", text));
    }
    for header in headers {
        let name = header.get("name").and_then(Value::as_str).unwrap_or_default();
        if !name.to_ascii_lowercase().starts_with("x-") {
            let text = format!("The internet message header name '{name}' should start with 'x-' or 'X-'.");
            return Err(ApiError::new(400, "InvalidInternetMessageHeader", text));
        }
    }
    Ok(())
}

/// Refuses what cannot be changed on a mail that is no draft.
pub fn check_received(body: &Value) -> Result<(), ApiError> {
    let names = body.as_object().into_iter().flat_map(|object| object.keys());
    let mut others = names.filter(|name| !name.starts_with('@') && !ANYWHERE.contains(&name.as_str()));
    match others.next() {
        None => Ok(()),
        Some(_) => Err(ApiError::denied()),
    }
}

/// One recipient as JSON has it.
pub fn recipient(value: &Value) -> Recipient {
    let part = |name: &str| value["emailAddress"][name].as_str().unwrap_or_default().trim().to_owned();
    let (address, name) = (part("address"), part("name"));
    Recipient { name: if name.is_empty() { address.clone() } else { name }, address }
}

/// Several of them.
pub fn recipients(value: &Value) -> Vec<Recipient> {
    value.as_array().into_iter().flatten().map(recipient).collect()
}

/// A name in the case in which Graph shows it.
fn word(value: &Value, words: &[&str]) -> Option<String> {
    let given = value.as_str()?;
    words.iter().find(|word| word.eq_ignore_ascii_case(given)).map(|word| (*word).to_owned())
}

/// Tells a mail what JSON says, and returns the names of what changed.
pub fn fill(mail: &mut Mail, body: &Value, now: i64) -> Vec<&'static str> {
    let mut changed = Vec::new();
    let mut set = |name: &'static str| {
        let value = body.get(name);
        changed.extend(value.map(|_| name));
        value
    };
    if let Some(value) = set("isRead").and_then(Value::as_bool) {
        mail.is_read = value;
    }
    if let Some(value) = set("flag").filter(|value| value.is_object()) {
        let mut flag = value.clone();
        let status = word(&value["flagStatus"], &["notFlagged", "complete", "flagged"]);
        flag["flagStatus"] = Value::from(status.unwrap_or_else(|| "notFlagged".to_owned()));
        mail.flag = flag;
    }
    if let Some(value) = set("categories") {
        let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        mail.categories = names.map(str::to_owned).collect();
    }
    if let Some(value) = set("importance").and_then(|value| word(value, &["low", "normal", "high"])) {
        mail.content.importance = value;
    }
    if let Some(value) = set("inferenceClassification").and_then(|value| word(value, &["focused", "other"])) {
        mail.inference = value;
    }
    changed.extend(fill_content(&mut mail.content, body, now));
    for name in ["singleValueExtendedProperties", "multiValueExtendedProperties"] {
        changed.extend(body.get(name).map(|_| name));
    }
    extended::set(mail, body);
    changed
}

/// The same for what it says.
pub fn fill_content(content: &mut Content, body: &Value, now: i64) -> Vec<&'static str> {
    let mut changed = Vec::new();
    let mut set = |name: &'static str| {
        let value = body.get(name).filter(|value| !value.is_null());
        changed.extend(value.map(|_| name));
        value
    };
    if let Some(value) = set("subject").and_then(Value::as_str) {
        value.clone_into(&mut content.subject);
    }
    if let Some(value) = set("body") {
        let text = value["content"].as_str().unwrap_or_default().to_owned();
        let is_html = value["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
        (content.html, content.text) = if is_html { (Some(text), None) } else { (None, Some(text)) };
        content.verbatim = None;
    }
    if let Some(value) = set("from") {
        content.from = Some(recipient(value));
        content.sender.clone_from(&content.from);
    }
    if let Some(value) = set("sender") {
        content.sender = Some(recipient(value));
    }
    for (name, list) in [
        ("toRecipients", &mut content.to),
        ("ccRecipients", &mut content.cc),
        ("bccRecipients", &mut content.bcc),
        ("replyTo", &mut content.reply_to),
    ] {
        if let Some(value) = set(name) {
            *list = recipients(value);
        }
    }
    if let Some(value) = set("internetMessageId").and_then(Value::as_str) {
        value.clone_into(&mut content.message_id);
    }
    if let Some(value) = set("internetMessageHeaders") {
        for header in value.as_array().into_iter().flatten() {
            let part = |name: &str| header[name].as_str().unwrap_or_default().to_owned();
            let name = part("name");
            content.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            content.headers.push((name, part("value")));
        }
    }
    if let Some(value) = set("isReadReceiptRequested").and_then(Value::as_bool) {
        content.wants_read_receipt = value;
    }
    if let Some(value) = set("isDeliveryReceiptRequested").and_then(Value::as_bool) {
        content.wants_delivery_receipt = value;
    }
    if let Some(value) = body.get("attachments") {
        for attachment in value.as_array().into_iter().flatten() {
            if let Ok(attachment) = attached(content, attachment, now) {
                content.attachments.push(attachment);
            }
        }
    }
    changed
}

/// An attachment as JSON has it.
pub fn attached(content: &Content, body: &Value, now: i64) -> Result<Attachment, ApiError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let refused = |text: &str| Err(ApiError::new(400, "ErrorInvalidAttachment", text));
    let held = match text("@odata.type").as_deref() {
        Some("#microsoft.graph.fileAttachment" | "microsoft.graph.fileAttachment") => {
            let bytes = text("contentBytes").and_then(|bytes| BASE64.decode(bytes.as_bytes()).ok());
            match bytes {
                Some(bytes) => Held::File(Bytes::from(bytes)),
                None => return refused("A file attachment needs contentBytes."),
            }
        }
        Some("#microsoft.graph.itemAttachment" | "microsoft.graph.itemAttachment") => {
            let mut inner = Content { importance: "normal".to_owned(), ..Content::default() };
            fill_content(&mut inner, body.get("item").unwrap_or(&Value::Null), now);
            let random = crate::shared::random::Random::new(now.unsigned_abs());
            Held::Item(Bytes::from(mime::written(&inner, now, mime::Form::Written, &random)))
        }
        _ => return refused("An attachment needs an @odata.type: fileAttachment or itemAttachment."),
    };
    let Some(name) = text("name").filter(|name| !name.is_empty()) else {
        return refused("An attachment needs a name.");
    };
    Ok(Attachment {
        number: next_number(content),
        name,
        content_type: text("contentType").or_else(|| Some("application/octet-stream".to_owned())),
        content_id: text("contentId"),
        location: text("contentLocation"),
        is_inline: body.get("isInline").and_then(Value::as_bool).unwrap_or(false),
        modified: now,
        held,
    })
}

/// The number for the next attachment.
pub fn next_number(content: &Content) -> u16 {
    content.attachments.iter().map(|one| one.number).max().unwrap_or(0) + 1
}

/// The user as the one who writes.
pub fn own_address(state: &State, user: &str) -> Recipient {
    let user = state.directory.users.get(user);
    let part = |part: fn(&super::directory::User) -> &String| user.map(|user| part(user).clone()).unwrap_or_default();
    Recipient { name: part(|user| &user.display_name), address: part(|user| &user.mail) }
}

/// What a new mail of this user says before anything else is said.
pub fn blank(state: &State, user: &str) -> Content {
    let own = own_address(state, user);
    let domain = own.address.rsplit_once('@').map_or("outlook.example", |(_, domain)| domain);
    let message_id = format!(
        "<{}@{}.prod.{domain}>",
        state.random.token(24).replace('_', "A"),
        state.random.token(8).to_uppercase().replace('_', "X")
    );
    Content {
        from: Some(own.clone()),
        sender: Some(own),
        message_id,
        importance: "normal".to_owned(),
        ..Content::default()
    }
}

/// The same from a mail in RFC 5322: what it does not say is said for it.
pub fn from_mime(state: &State, user: &str, raw: &[u8]) -> Content {
    let blank = blank(state, user);
    let mut content = mime::content(raw, state.now());
    if content.from.is_none() {
        (content.from, content.sender) = (blank.from, blank.sender);
    }
    if content.message_id.is_empty() {
        content.message_id = blank.message_id;
    }
    // Transport has not touched it yet, and some fields Exchange does not take from anybody.
    content.headers.retain(|(name, _)| {
        !["received", "return-path", "auto-submitted"].contains(&name.to_ascii_lowercase().as_str())
    });
    content
}

/// Puts a draft into a folder; its key.
pub fn place(
    state: &mut State,
    user: &str,
    content: Content,
    folder: u64,
    conversation: Option<u64>,
    journal: &mut Journal,
) -> Option<u64> {
    let (now, subject_joins) = (state.now(), state.subject_joins(user));
    let mailbox = state.mailboxes.get_mut(user)?;
    let new = NewMail {
        content,
        folder,
        received: now,
        sent: now,
        now,
        is_draft: true,
        is_read: true,
        conversation,
        subject_joins,
        ..NewMail::default()
    };
    Some(mailbox.place(new, journal))
}

/// `POST messages`, also in a folder: a draft.
pub fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let now = call.state.now();
    let mailbox = call.mailbox()?;
    let folder = mailbox.folder(if id.is_empty() { "drafts" } else { &id })?.number;
    let (content, said) = match &call.body {
        Body::Mime(raw) => (from_mime(call.state, &call.user, raw), Value::Null),
        Body::Json(body) => {
            check(body)?;
            check_attachments(body, now)?;
            (blank(call.state, &call.user), body.clone())
        }
        Body::None => return Err(ApiError::bad_request("A message is expected.")),
    };
    let mut content = content;
    fill_content(&mut content, &without_attachments(&said), now);
    let mut journal = Journal::new();
    let user = call.user.clone();
    let key = place(call.state, &user, content, folder, None, &mut journal).ok_or_else(ApiError::not_found)?;
    if let Some(mail) = call.mailbox()?.mails.get_mut(&key) {
        fill(mail, &said, now);
    }
    call.commit(journal);
    let view = call.view()?;
    let id: String = view.mailbox.mails.get(&key).map(|mail| view.id(mail)).unwrap_or_default();
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let location = format!("{}/{SET}('{id}')", call.root());
    Ok(shown(call, key, 201, &Options::default())?.with("Location", location))
}

fn without_attachments(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("attachments");
    }
    body
}

/// Refuses attachments that are none.
pub fn check_attachments(body: &Value, now: i64) -> Result<(), ApiError> {
    let attachments = body.get("attachments").and_then(Value::as_array).into_iter().flatten();
    attachments.map(|one| attached(&Content::default(), one, now)).try_for_each(|one| one.map(|_| ()))
}
