//! Attachments as they are read.

use super::call::Call;
use super::errors::ApiError;
use super::mime;
use super::model::{Attachment, Held, Mail};
use super::view::{View, check_select as check_names};
use crate::shared::http::Reply;
use serde_json::{Value, json};

/// The name of the set in the context of answers.
pub const SET: &str = "messages/attachments";

const NAMED: [&str; 9] = [
    "id",
    "contentType",
    "isInline",
    "lastModifiedDateTime",
    "name",
    "size",
    "microsoft.graph.fileAttachment/contentId",
    "microsoft.graph.fileAttachment/contentLocation",
    "microsoft.graph.fileAttachment/contentBytes",
];
const ITEM: &str = "microsoft.graph.itemattachment/item";

/// Refuses names that attachments of all kinds do not have; those of files alone need the type in front.
pub fn check_select(select: Option<&Vec<String>>) -> Result<(), ApiError> {
    check_names(select, &NAMED, "microsoft.graph.attachment")
}

fn check(call: &Call<'_>) -> Result<bool, ApiError> {
    check_select(call.options.select.as_ref())?;
    match call.options.expand.iter().find(|expand| !expand.name.eq_ignore_ascii_case(ITEM)) {
        Some(other) => {
            let text =
                format!("Could not find a property named '{}' on type 'microsoft.graph.attachment'.", other.name);
            Err(ApiError::bad_query(text))
        }
        None => Ok(!call.options.expand.is_empty()),
    }
}

/// An attachment of the mail that the path names.
fn one<'a>(view: &View<'a>, mail: u64, id: &str) -> Result<(&'a Mail, &'a Attachment), ApiError> {
    let mail = view.mailbox.mails.get(&mail).ok_or_else(ApiError::not_found)?;
    let named = view.mailbox.ids.parse(id).ok_or_else(ApiError::malformed_id)?;
    let is_its_own = named.number == mail.number(named.kind);
    let found = mail.content.attachments.iter().find(|one| is_its_own && one.number == named.attachment);
    Ok((mail, found.ok_or_else(ApiError::not_found)?))
}

fn with_item(view: &View<'_>, mut shown: Value, attachment: &Attachment, received: i64) -> Value {
    if let Held::Item(raw) = &attachment.held {
        let content = mime::content(raw, received);
        let item = json!({
            "@odata.type": "#microsoft.graph.message", "id": "", "subject": content.subject,
            "internetMessageId": content.message_id, "hasAttachments": !content.attachments.is_empty(),
            "body": {
                "contentType": if content.html.is_some() { "html" } else { "text" },
                "content": content.html.as_deref().map(|html| mime::served(html, view.is_unsafe)).or(content.text),
            },
        });
        shown["item"] = item;
    }
    shown
}

/// `GET attachments`: with what they hold, unless it is selected away.
pub fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let expands = check(call)?;
    let select = call.options.select.clone();
    let key = call.mail()?;
    let view = call.view()?;
    let mail = view.mailbox.mails.get(&key).ok_or_else(ApiError::not_found)?;
    let shown = mail.content.attachments.iter().map(|one| {
        let shown = view.attachment(mail, one, select.as_ref());
        if expands { with_item(&view, shown, one, mail.received) } else { shown }
    });
    let shown = shown.collect();
    Ok(call.page(SET, shown, None, None))
}

/// `GET attachments/{id}`.
pub fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let expands = check(call)?;
    let (select, id) = (call.options.select.clone(), call.place("attachment"));
    let key = call.mail()?;
    let view = call.view()?;
    let (mail, attachment) = one(&view, key, &id)?;
    let mut shown = view.attachment(mail, attachment, select.as_ref());
    if expands {
        shown = with_item(&view, shown, attachment, mail.received);
    }
    Ok(call.single(200, SET, shown))
}

/// `GET attachments/{id}/$value`: the bytes of a file, the MIME of a mail, and of a link nothing.
pub fn value(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("attachment");
    let key = call.mail()?;
    let view = call.view()?;
    let (_, attachment) = one(&view, key, &id)?;
    match &attachment.held {
        Held::File(bytes) => {
            let media_type = attachment.content_type.as_deref().unwrap_or("application/octet-stream");
            Ok(Reply::new(200, media_type, bytes.clone()))
        }
        Held::Item(raw) => Ok(Reply::new(200, "text/plain", raw.clone())),
        Held::Reference(_) => {
            let text = "The raw content of a reference attachment cannot be read.";
            Err(ApiError::new(405, "ErrorInvalidRequest", text))
        }
    }
}
