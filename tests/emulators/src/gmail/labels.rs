//! `users.labels`.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::model::{Label, Mailbox, Record};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MOST_LABELS: usize = 10_000;
const LONGEST_NAME: usize = 225;

/// `labels.list`: without counts.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let labels: Vec<&Label> = call.mailbox()?.labels.values().collect();
    Ok(Answer::Json(json!({"labels": labels})))
}

/// `labels.get`: with counts.
pub fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    let mailbox = call.mailbox()?;
    let label = mailbox.labels.get(&id).ok_or_else(ApiError::not_found)?;
    let mut shown = json!(label);
    let mails = || mailbox.mails.values().filter(|mail| mail.labels.contains(&id));
    let unread = || mails().filter(|mail| mail.labels.contains("UNREAD"));
    shown["messagesTotal"] = json!(mails().count());
    shown["messagesUnread"] = json!(unread().count());
    shown["threadsTotal"] = json!(mails().map(|mail| &mail.thread).collect::<BTreeSet<_>>().len());
    shown["threadsUnread"] = json!(unread().map(|mail| &mail.thread).collect::<BTreeSet<_>>().len());
    Ok(Answer::Json(shown))
}

/// Refuses a name that is none, that is Gmail's own, or that another label has.
fn check_name(mailbox: &Mailbox, name: &str, own: Option<&str>) -> Result<(), ApiError> {
    let trimmed = name.trim();
    if trimmed.is_empty() || trimmed.chars().count() > LONGEST_NAME || trimmed.starts_with('/') {
        return Err(ApiError::invalid("Invalid label name"));
    }
    let same = |label: &&Label| label.name.eq_ignore_ascii_case(trimmed) && Some(label.id.as_str()) != own;
    match mailbox.labels.values().find(same) {
        Some(label) if label.r#type == "system" => Err(ApiError::invalid("Invalid label name")),
        Some(_) => Err(ApiError::conflict("Label name exists or conflicts")),
        None => Ok(()),
    }
}

fn check_color(color: Option<&Value>) -> Result<(), ApiError> {
    let Some(color) = color.filter(|color| !color.is_null()) else {
        return Ok(());
    };
    let is_color = |name: &str| {
        let digits = color.get(name).and_then(Value::as_str).and_then(|value| value.strip_prefix('#'));
        digits.is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if is_color("backgroundColor") && is_color("textColor") {
        return Ok(());
    }
    Err(ApiError::invalid("Label color is not on the allowed color palette"))
}

fn text(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Adds a user's label of this name and returns its id.
pub fn add(mailbox: &mut Mailbox, body: &Value) -> Result<String, ApiError> {
    let name = text(body, "name").unwrap_or_default();
    check_name(mailbox, &name, None)?;
    check_color(body.get("color"))?;
    if mailbox.labels.len() >= MOST_LABELS {
        return Err(ApiError::invalid("Too many labels"));
    }
    mailbox.given.labels += 1;
    let id = format!("Label_{}", mailbox.given.labels);
    let label = Label {
        id: id.clone(),
        name: name.trim().to_owned(),
        message_list_visibility: text(body, "messageListVisibility").or_else(|| Some("show".to_owned())),
        label_list_visibility: text(body, "labelListVisibility").or_else(|| Some("labelShow".to_owned())),
        r#type: "user",
        color: body.get("color").filter(|color| !color.is_null()).cloned(),
    };
    mailbox.labels.insert(id.clone(), label);
    Ok(id)
}

/// `labels.create`.
pub fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let body = call.body.clone();
    let mailbox = call.mailbox()?;
    let id = add(mailbox, &body)?;
    Ok(Answer::Json(json!(mailbox.labels.get(&id))))
}

/// A label that belongs to the user.
fn own<'a>(mailbox: &'a mut Mailbox, id: &str, refusal: &str) -> Result<&'a mut Label, ApiError> {
    let label = mailbox.labels.get_mut(id).ok_or_else(ApiError::not_found)?;
    if label.r#type == "system" { Err(ApiError::invalid(refusal)) } else { Ok(label) }
}

/// `labels.update`: the whole label anew; a name is needed.
pub fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    if call.text("name").is_none() {
        return Err(ApiError::invalid("Invalid label name"));
    }
    change(call)
}

/// `labels.patch`: what the body names.
pub fn patch(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    change(call)
}

fn change(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    let body = call.body.clone();
    if text(&body, "id").is_some_and(|named| named != id) {
        return Err(ApiError::invalid("Label ID in body does not match the URL"));
    }
    let mailbox = call.mailbox()?;
    own(mailbox, &id, "Invalid update request")?;
    let name = text(&body, "name");
    if let Some(name) = &name {
        check_name(mailbox, name, Some(&id))?;
    }
    check_color(body.get("color"))?;
    let label = own(mailbox, &id, "Invalid update request")?;
    if let Some(name) = name {
        name.trim().clone_into(&mut label.name);
    }
    if let Some(visibility) = text(&body, "messageListVisibility") {
        label.message_list_visibility = Some(visibility);
    }
    if let Some(visibility) = text(&body, "labelListVisibility") {
        label.label_list_visibility = Some(visibility);
    }
    if let Some(color) = body.get("color").filter(|color| !color.is_null()) {
        label.color = Some(color.clone());
    }
    Ok(Answer::Json(json!(label)))
}

/// `labels.delete`: from its mails as well.
pub fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = call.place("id");
    let mut record = Record::default();
    let mailbox = call.mailbox()?;
    own(mailbox, &id, "Invalid delete request")?;
    mailbox.remove_label(&id, &mut record);
    call.commit(record);
    Ok(Answer::Empty)
}
