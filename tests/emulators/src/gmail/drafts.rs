//! `users.drafts`: a draft keeps its id, its message gets a new one with each change.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::mailbox::NewMail;
use super::messages::{Selection, estimate, is_after, rank};
use super::methods::LARGEST_SENT;
use super::mime;
use super::model::{Mail, Record};
use super::pages::page_token;
use super::sending::leave;
use super::view::{View, brief};
use crate::shared::head;
use bytes::Bytes;
use serde_json::{Value, json};

fn shown(draft: &str, message: &Value) -> Answer {
    Answer::Json(json!({"id": draft, "message": message}))
}

/// `drafts.list`: newest first.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::of(call, "drafts")?;
    let generation = call.state.generation;
    let mailbox = call.mailbox()?;
    let mut drafts: Vec<(&String, &Mail)> = mailbox
        .drafts
        .iter()
        .filter_map(|(draft, mail)| Some((draft, mailbox.mails.get(mail)?)))
        .filter(|(_, mail)| selection.holds(mail))
        .collect();
    let total = drafts.len();
    drafts.retain(|(_, mail)| is_after(selection.start.as_ref(), mail.internal_date, &mail.id));
    drafts.sort_by(|(_, a), (_, b)| (b.internal_date, &b.id).cmp(&(a.internal_date, &a.id)));
    let more = drafts.len() > selection.size;
    drafts.truncate(selection.size);
    let mut answer = json!({"resultSizeEstimate": estimate(total)});
    if let Some((_, mail)) = drafts.last().filter(|_| more) {
        let last = rank(mail.internal_date, &mail.id);
        answer["nextPageToken"] = json!(page_token(&selection.list, generation, &last));
    }
    if !drafts.is_empty() {
        let shown = drafts
            .iter()
            .map(|(draft, mail)| json!({"id": draft, "message": {"id": mail.id, "threadId": mail.thread}}));
        answer["drafts"] = shown.collect();
    }
    Ok(Answer::Json(answer))
}

/// The mail of the draft that the path names.
fn mail_of(call: &mut Call<'_>, draft: &str) -> Result<String, ApiError> {
    call.mailbox()?.drafts.get(draft).cloned().ok_or_else(ApiError::not_found)
}

/// `drafts.get`.
pub fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let view = View::of(call)?;
    let draft = call.place("id");
    let mail = mail_of(call, &draft)?;
    Ok(shown(&draft, &view.message(call.mailbox()?.mail(&mail)?)))
}

/// The mail that a request brings for a draft, and the thread it asks for.
fn content(call: &Call<'_>) -> Result<Option<(Bytes, Option<String>)>, ApiError> {
    let message = call.body.get("message");
    let Some(raw) = call.mail_of(message)? else {
        return Ok(None);
    };
    if raw.len() > LARGEST_SENT {
        return Err(ApiError::too_large());
    }
    let asked = message.and_then(|message| message.get("threadId")).and_then(Value::as_str).map(str::to_owned);
    Ok(Some((raw, asked)))
}

fn required(call: &Call<'_>) -> Result<(Bytes, Option<String>), ApiError> {
    content(call)?.ok_or_else(|| ApiError::invalid("Missing draft message"))
}

/// Puts a draft's mail there; an old version goes in the same record.
fn place(
    call: &mut Call<'_>,
    raw: &[u8],
    asked: Option<&str>,
    old: Option<&str>,
    record: &mut Record,
) -> Result<String, ApiError> {
    let now = call.state.now();
    let token = call.state.random.token(40);
    let mut raw = head::garbled(raw);
    if !head::has(&raw, "Message-ID") {
        raw = head::set(&raw, "Message-ID", &format!("<CA{token}@mail.gmail.com>"));
    }
    let facts = mime::facts(&raw);
    let mailbox = call.mailbox()?;
    let thread = match old.and_then(|old| mailbox.mails.get(old)).map(|mail| mail.thread.clone()) {
        // A draft stays in its thread, unless the request asks for another.
        Some(thread) if asked.is_none_or(|asked| asked == thread) => Some(thread),
        _ => mailbox.thread_to_join(asked, &facts)?,
    };
    if let Some(old) = old {
        mailbox.remove(old, record);
    }
    let labels = ["DRAFT".to_owned()].into();
    let new = NewMail { raw: Bytes::from(raw), labels, internal_date: now, thread, listed_from: now };
    call.place_mail(new, record)
}

/// `drafts.create`.
pub fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (raw, asked) = required(call)?;
    let mut record = Record::default();
    let mail = place(call, &raw, asked.as_deref(), None, &mut record)?;
    call.commit(record);
    let mailbox = call.mailbox()?;
    let draft = mailbox.next_draft_id();
    mailbox.drafts.insert(draft.clone(), mail.clone());
    Ok(shown(&draft, &brief(mailbox.mail(&mail)?)))
}

/// `drafts.update`: another message under the same draft.
pub fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let draft = call.place("id");
    let old = mail_of(call, &draft)?;
    let (raw, asked) = required(call)?;
    let mail = replace(call, &draft, &old, &raw, asked.as_deref())?;
    Ok(shown(&draft, &brief(call.mailbox()?.mail(&mail)?)))
}

fn replace(call: &mut Call<'_>, draft: &str, old: &str, raw: &[u8], asked: Option<&str>) -> Result<String, ApiError> {
    let mut record = Record::default();
    let mail = place(call, raw, asked, Some(old), &mut record)?;
    call.commit(record);
    call.mailbox()?.drafts.insert(draft.to_owned(), mail.clone());
    Ok(mail)
}

/// `drafts.send`: the draft goes and a sent mail with another id comes.
pub fn send(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let draft = call.text("id").map(str::to_owned).ok_or_else(|| ApiError::invalid("Invalid draft"))?;
    let mut mail = mail_of(call, &draft)?;
    if let Some((raw, asked)) = content(call)? {
        mail = replace(call, &draft, &mail, &raw, asked.as_deref())?;
    }
    let mailbox = call.mailbox()?;
    let (raw, thread) = mailbox.mail(&mail).map(|mail| (mail.raw.clone(), mail.thread.clone()))?;
    let before = mailbox.mails.get(&mail).cloned();
    let mut record = Record::default();
    mailbox.remove(&mail, &mut record);
    let sent = leave(call.state, &call.user.clone(), raw, Some(thread), record);
    let mailbox = call.mailbox()?;
    match (sent, before) {
        (Ok(id), _) => Ok(Answer::Json(brief(mailbox.mail(&id)?))),
        (Err(error), Some(before)) => {
            // What is refused has changed nothing: the draft is still there.
            mailbox.by_message_id.entry(before.facts.message_id.clone()).or_default().push(mail.clone());
            mailbox.mails.insert(mail.clone(), before);
            mailbox.drafts.insert(draft, mail);
            Err(error)
        }
        (Err(error), None) => Err(error),
    }
}

/// `drafts.delete`: for good.
pub fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let draft = call.place("id");
    let mail = mail_of(call, &draft)?;
    let mut record = Record::default();
    call.mailbox()?.remove(&mail, &mut record);
    call.commit(record);
    Ok(Answer::Empty)
}
