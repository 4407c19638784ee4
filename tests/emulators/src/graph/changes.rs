//! Messages as they are changed, moved, copied and deleted.

use super::call::{Body, Call};
use super::drafts;
use super::errors::ApiError;
use super::mailbox::Journal;
use super::messages::shown;
use super::model::Mail;
use super::query::Options;
use super::view::change_key;
use crate::shared::http::Reply;
use serde_json::Value;

/// Refuses a change of a mail that is no longer what the client thinks it is.
fn check_match(call: &Call<'_>, mail: &Mail) -> Result<(), ApiError> {
    let etag = format!("W/\"{}\"", change_key(mail));
    match call.request.headers.get("if-match") {
        Some(wanted) if wanted != "*" && wanted != etag => {
            let text = "The send or update operation could not be performed because the change key passed in the \
                        request does not match the current change key for the item.";
            Err(ApiError::new(412, "ErrorIrresolvableConflict", text))
        }
        _ => Ok(()),
    }
}

fn current(call: &mut Call<'_>) -> Result<Mail, ApiError> {
    let key = call.mail()?;
    let mail = call.mailbox()?.mails.get(&key).cloned().ok_or_else(ApiError::not_found)?;
    check_match(call, &mail)?;
    Ok(mail)
}

/// `PATCH messages/{id}`.
pub fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mail = current(call)?;
    let Body::Json(body) = call.body.clone() else {
        return Err(ApiError::bad_request("A message is expected."));
    };
    if !mail.is_draft && !call.access.has("Mail-Advanced.ReadWrite") {
        drafts::check_received(&body)?;
    }
    drafts::check(&body)?;
    if mail.is_leaving {
        return Err(leaving());
    }
    let now = call.state.now();
    let before = mail.clone();
    let mut changed = mail;
    let mut properties = drafts::fill(&mut changed, &body, now);
    // What is as it was is no change.
    properties.retain(|name| match *name {
        "isRead" => before.is_read != changed.is_read,
        "flag" => before.flag != changed.flag,
        "categories" => before.categories != changed.categories,
        "importance" => before.content.importance != changed.content.importance,
        _ => true,
    });
    let key = changed.key;
    let mut journal = Journal::new();
    call.mailbox()?.change(key, properties, &mut journal, |mail| *mail = changed);
    call.commit(journal);
    shown(call, key, 200, &Options::default())
}

/// A mail on its way out is nobody's to change.
pub fn leaving() -> ApiError {
    let text = "The message has been submitted and cannot be changed or sent any more.";
    ApiError::new(409, "ErrorIrresolvableConflict", text)
}

fn destination(call: &mut Call<'_>) -> Result<u64, ApiError> {
    let id = call.text("destinationId").unwrap_or_default().to_owned();
    if id.is_empty() {
        return Err(ApiError::bad_request("The parameter destinationId is missing."));
    }
    Ok(call.mailbox()?.folder(&id)?.number)
}

/// `POST messages/{id}/move`: a copy there, with another id, and nothing here.
pub fn relocate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let folder = destination(call)?;
    let mail = current(call)?;
    if mail.is_leaving {
        return Err(leaving());
    }
    let mut journal = Journal::new();
    call.mailbox()?.relocate(mail.key, folder, &mut journal);
    call.commit(journal);
    shown(call, mail.key, 201, &Options::default())
}

/// `POST messages/{id}/copy`.
pub fn copy(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let folder = destination(call)?;
    let mail = current(call)?;
    let now = call.state.now();
    let mut journal = Journal::new();
    let copy = call.mailbox()?.duplicate(mail.key, folder, now, &mut journal).ok_or_else(ApiError::not_found)?;
    call.commit(journal);
    shown(call, copy, 201, &Options::default())
}

/// `DELETE messages/{id}`: into Deleted Items or out of sight. Where it goes is not documented.
pub fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mail = current(call)?;
    let often = call.state.settings.delete_hides;
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let (bin, hidden) = (mailbox.the("deleteditems"), mailbox.the("recoverableitemsdeletions"));
    let was_deleted = mailbox.tree(bin).contains(&mail.folder);
    mailbox.relocate(mail.key, if was_deleted || often.applies(mail.key) { hidden } else { bin }, &mut journal);
    call.commit(journal);
    Ok(Reply::empty(204))
}

/// `POST messages/{id}/permanentDelete`.
pub fn purge(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mail = current(call)?;
    let mut journal = Journal::new();
    call.mailbox()?.remove(mail.key, &mut journal);
    call.commit(journal);
    Ok(Reply::empty(204))
}

fn draft(call: &mut Call<'_>) -> Result<Mail, ApiError> {
    let mail = current(call)?;
    match (mail.is_draft, mail.is_leaving) {
        (true, false) => Ok(mail),
        (_, true) => Err(leaving()),
        (false, false) => Err(ApiError::denied()),
    }
}

/// `POST messages/{id}/attachments`.
pub fn attach(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mail = draft(call)?;
    let now = call.state.now();
    let body = match &call.body {
        Body::Json(body) => body.clone(),
        _ => Value::Null,
    };
    let attachment = drafts::attached(&mail.content, &body, now)?;
    let mut journal = Journal::new();
    let added = attachment.clone();
    call.mailbox()?.change(mail.key, vec!["hasAttachments"], &mut journal, |mail| mail.content.attachments.push(added));
    call.commit(journal);
    let view = call.view()?;
    let mail = view.mailbox.mails.get(&mail.key).ok_or_else(ApiError::not_found)?;
    let value = view.attachment(mail, &attachment, None);
    Ok(call.single(201, super::attachments::SET, value))
}

/// `DELETE messages/{id}/attachments/{id}`.
pub fn detach(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mail = draft(call)?;
    let id = call.place("attachment");
    let mailbox = call.mailbox()?;
    let named = mailbox.ids.parse(&id).ok_or_else(ApiError::malformed_id)?;
    let is_it = |number: u16| named.number == mail.number(named.kind) && number == named.attachment;
    if !mail.content.attachments.iter().any(|one| is_it(one.number)) {
        return Err(ApiError::not_found());
    }
    let mut journal = Journal::new();
    mailbox.change(mail.key, vec!["hasAttachments"], &mut journal, |mail| {
        mail.content.attachments.retain(|one| one.number != named.attachment);
    });
    call.commit(journal);
    Ok(Reply::empty(204))
}
