//! Answers and mails that are passed on, as drafts or at once.

use super::call::{Body, Call};
use super::drafts::{self, fill_content};
use super::errors::ApiError;
use super::mailbox::Journal;
use super::messages::shown;
use super::mime;
use super::model::{Content, Mail, Recipient};
use super::query::Options;
use super::sending;
use crate::shared::clock::mail_date;
use crate::shared::http::Reply;
use serde_json::Value;

/// To whom an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the one who wrote.
    Reply,
    /// To everybody.
    ReplyAll,
    /// To somebody else.
    Forward,
}

/// `POST messages/{id}/createReply`.
pub fn create_reply(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    created(call, Way::Reply)
}

/// `POST messages/{id}/createReplyAll`.
pub fn create_reply_all(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    created(call, Way::ReplyAll)
}

/// `POST messages/{id}/createForward`.
pub fn create_forward(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    created(call, Way::Forward)
}

/// `POST messages/{id}/reply`.
pub fn reply(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    sent(call, Way::Reply)
}

/// `POST messages/{id}/replyAll`.
pub fn reply_all(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    sent(call, Way::ReplyAll)
}

/// `POST messages/{id}/forward`.
pub fn forward(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    sent(call, Way::Forward)
}

fn created(call: &mut Call<'_>, way: Way) -> Result<Reply, ApiError> {
    let (content, conversation) = answer(call, way)?;
    let said = call.value("message").cloned().unwrap_or(Value::Null);
    let folder = call.mailbox()?.the("drafts");
    let mut journal = Journal::new();
    let (user, now) = (call.user.clone(), call.state.now());
    let key = drafts::place(call.state, &user, content, folder, Some(conversation), &mut journal);
    let key = key.ok_or_else(ApiError::not_found)?;
    if let Some(mail) = call.mailbox()?.mails.get_mut(&key) {
        drafts::fill(mail, &without_content(&said), now);
    }
    call.commit(journal);
    shown(call, key, 201, &Options::default())
}

/// What was already said is not said twice.
fn without_content(said: &Value) -> Value {
    let mut said = said.clone();
    if let Some(object) = said.as_object_mut() {
        object.remove("attachments");
        object.remove("internetMessageHeaders");
    }
    said
}

fn sent(call: &mut Call<'_>, way: Way) -> Result<Reply, ApiError> {
    let (content, conversation) = answer(call, way)?;
    sending::at_once(call, content, Some(conversation), true)?;
    Ok(Reply::empty(202))
}

/// What an answer says, and its conversation.
fn answer(call: &mut Call<'_>, way: Way) -> Result<(Content, u64), ApiError> {
    let key = call.mail()?;
    let original = call.mailbox()?.mails.get(&key).cloned().ok_or_else(ApiError::not_found)?;
    let now = call.state.now();
    let comment = call.text("comment").map(str::to_owned);
    let message = call.value("message").cloned();
    if let Some(message) = &message {
        drafts::check(message)?;
        drafts::check_attachments(message, now)?;
        if comment.is_some() && message.get("body").is_some() {
            return Err(ApiError::bad_request("Comment and the body of the message cannot be given both."));
        }
    }
    let mut content = match &call.body {
        Body::Mime(raw) => drafts::from_mime(call.state, &call.user, raw),
        _ => drafts::blank(call.state, &call.user),
    };
    let is_mime = matches!(call.body, Body::Mime(_));
    headed(&mut content, &original, way, is_mime);
    let own = call.state.user(&call.user)?.clone();
    if !is_mime || (content.to.is_empty() && way != Way::Forward) {
        addressed(&mut content, &original, way, &|address| own.owns(address));
    }
    if !is_mime {
        quoted(&mut content, &original, comment.as_deref().unwrap_or_default());
        if way == Way::Forward {
            content.attachments.clone_from(&original.content.attachments);
        } else {
            let inline = original.content.attachments.iter().filter(|one| one.is_inline);
            content.attachments = inline.cloned().collect();
        }
    }
    if let Some(to) = call.value("toRecipients") {
        content.to = drafts::recipients(to);
    }
    if let Some(message) = &message {
        fill_content(&mut content, message, now);
    }
    Ok((content, original.conversation))
}

/// The fields that tie it to what it answers.
fn headed(content: &mut Content, original: &Mail, way: Way, is_mime: bool) {
    let known = &original.content;
    if !is_mime {
        let prefix = if way == Way::Forward { "FW: " } else { "RE: " };
        let has_it = known.subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(prefix.trim_end()));
        content.subject = if has_it { known.subject.clone() } else { format!("{prefix}{}", known.subject) };
    }
    if content.in_reply_to.is_empty() {
        content.in_reply_to.clone_from(&known.message_id);
    }
    if content.references.is_empty() {
        let before = if known.references.is_empty() { &known.in_reply_to } else { &known.references };
        content.references = format!("{before} {}", known.message_id).trim().to_owned();
    }
    content.thread_index = super::view::conversation_index(original);
    content.thread_index.extend_from_slice(&[0x80, 0x01, 0x02, 0x03, 0x10]);
}

fn addressed(content: &mut Content, original: &Mail, way: Way, is_own: &dyn Fn(&str) -> bool) {
    let known = &original.content;
    if way == Way::Forward {
        return;
    }
    let writer: Vec<Recipient> =
        if known.reply_to.is_empty() { known.from.iter().cloned().collect() } else { known.reply_to.clone() };
    // An answer to one's own mail goes where that went.
    let to_own = known.from.as_ref().is_some_and(|from| is_own(&from.address));
    content.to = if to_own { known.to.clone() } else { writer };
    if way == Way::ReplyAll {
        let others = known.to.iter().filter(|one| !is_own(&one.address) && !content.to.contains(one));
        let others: Vec<Recipient> = others.cloned().collect();
        content.to.extend(others);
        content.cc = known.cc.iter().filter(|one| !is_own(&one.address)).cloned().collect();
    }
}

/// The comment above what was written before.
fn quoted(content: &mut Content, original: &Mail, comment: &str) {
    let known = &original.content;
    let before = match &known.html {
        Some(html) => html.clone(),
        None => mime::from_text(known.text.as_deref().unwrap_or_default()),
    };
    let from = known.from.as_ref().map(|from| from.address.clone()).unwrap_or_default();
    let comment = comment.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    content.html = Some(format!(
        "<html><body>{comment}<hr style=\"display:inline-block;width:98%\"><div id=\"divRplyFwdMsg\"><b>From:</b> \
         {from}<br><b>Sent:</b> {}<br><b>Subject:</b> {}</div>{before}</body></html>",
        mail_date(original.sent),
        known.subject.replace('<', "&lt;")
    ));
    content.text = None;
}
