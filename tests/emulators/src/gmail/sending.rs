//! Mails that leave, and mails that are put into the mailbox: `messages.send`, `insert` and `import`.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::mailbox::NewMail;
use super::methods::{LARGEST_INSERTED, LARGEST_SENT};
use super::mime::{self, Facts};
use super::model::{Record, Sent};
use super::quota::count_send;
use super::state::State;
use super::view::brief;
use crate::shared::clock::mail_date;
use crate::shared::head;
use bytes::Bytes;
use std::collections::BTreeSet;

/// Most recipients of one mail through the API.
const MOST_RECIPIENTS: usize = 500;

fn labels(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `messages.send`.
pub fn send(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let raw = call.mail_of(Some(&call.body))?.ok_or_else(|| {
        ApiError::invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    })?;
    let asked = call.text("threadId").map(str::to_owned);
    let facts = mime::facts(&raw);
    let thread = call.mailbox()?.thread_to_join(asked.as_deref(), &facts)?;
    let id = leave(call.state, &call.user.clone(), raw, thread, Record::default())?;
    Ok(Answer::Json(brief(call.mailbox()?.mail(&id)?)))
}

/// Sends a mail from this mailbox: keeps the copy, hands it to the world, and returns the copy's id. The
/// record may already tell of the draft that went.
pub fn leave(
    state: &mut State,
    user: &str,
    raw: Bytes,
    thread: Option<String>,
    mut record: Record,
) -> Result<String, ApiError> {
    let now = state.now();
    let raw = ready(state, user, &raw)?;
    let facts = mime::facts(&raw);
    let settings = state.settings.clone();
    let mailbox = state.mailbox(user)?;
    count_send(mailbox, &settings, now)?;
    // A mail to oneself is one mail, sent and received at once.
    let to_oneself = facts.to.iter().any(|to| mailbox.may_send_from(to));
    let new = NewMail {
        raw: Bytes::from(raw.clone()),
        labels: if to_oneself { labels(&["SENT", "INBOX", "UNREAD"]) } else { labels(&["SENT"]) },
        internal_date: now,
        thread,
        listed_from: now + settings.list_lag_millis,
    };
    let id = mailbox.place(new, &mut record);
    state.commit(user, record);
    hand_over(state, user, &id, &raw, facts);
    Ok(id)
}

/// The mail as it leaves: Gmail's own Message-ID, an address the user may send from, a date.
fn ready(state: &mut State, user: &str, raw: &[u8]) -> Result<Vec<u8>, ApiError> {
    if raw.len() > LARGEST_SENT {
        return Err(ApiError::too_large());
    }
    let facts = mime::facts(raw);
    if facts.to.is_empty() {
        return Err(ApiError::invalid("Recipient address required"));
    }
    if let Some(bad) = facts.to.iter().find(|address| !address.contains('@')) {
        return Err(ApiError::invalid(format!("Invalid To header: {bad}")));
    }
    if facts.to.len() > MOST_RECIPIENTS {
        return Err(ApiError::invalid("Too many recipients"));
    }
    let now = state.now();
    let token = state.random.token(40);
    let keeps = state.settings.keeps_message_id;
    let mailbox = state.mailbox(user)?;
    let mut raw = head::garbled(raw);
    let from_is_ours = facts.from.len() == 1 && facts.from.iter().all(|from| mailbox.may_send_from(from));
    if !from_is_ours {
        let name = mailbox.send_as.first().map(|primary| primary.display_name.clone()).unwrap_or_default();
        let from = if name.is_empty() { mailbox.email.clone() } else { format!("{name} <{}>", mailbox.email) };
        raw = head::set(&raw, "From", &from);
    }
    if !keeps || facts.message_id.is_empty() {
        raw = head::set(&raw, "Message-ID", &format!("<CA{token}@mail.gmail.com>"));
    }
    if !head::has(&raw, "Date") {
        raw = head::set(&raw, "Date", &mail_date(now));
    }
    Ok(raw)
}

/// Notes that a mail left and delivers it to the recipients who are users here.
fn hand_over(state: &mut State, user: &str, id: &str, raw: &[u8], facts: Facts) {
    let now = state.now();
    let received = Bytes::from(head::without(raw, "Bcc"));
    let recipients: BTreeSet<String> = facts.to.iter().cloned().collect();
    for recipient in recipients.iter().filter(|recipient| *recipient != user) {
        if state.users.contains_key(recipient) {
            arrive(state, recipient, received.clone(), labels(&["INBOX", "UNREAD"]), now, None);
        }
    }
    state.sent.push(Sent {
        user: user.to_owned(),
        id: id.to_owned(),
        recipients: recipients.into_iter().collect(),
        message_id: facts.message_id,
        subject: facts.subject,
        at: now,
        raw: received,
    });
}

/// A mail arrives, by itself or because a test puts it there.
pub fn arrive(
    state: &mut State,
    user: &str,
    raw: Bytes,
    labels: BTreeSet<String>,
    internal_date: i64,
    thread: Option<String>,
) -> Option<String> {
    let listed_from = state.now() + state.settings.list_lag_millis;
    let mailbox = state.users.get_mut(user)?;
    let thread = thread.or_else(|| mailbox.thread_by_head(&mime::facts(&raw)));
    let mut record = Record::default();
    let id = mailbox.place(NewMail { raw, labels, internal_date, thread, listed_from }, &mut record);
    state.commit(user, record);
    Some(id)
}

/// `messages.insert`: as if it had always been there. Nothing is sent.
pub fn insert(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    put(call, "receivedTime")
}

/// `messages.import`: as if it came over SMTP. Nothing is sent.
pub fn import(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    put(call, "dateHeader")
}

fn put(call: &mut Call<'_>, usual_date: &str) -> Result<Answer, ApiError> {
    let raw = call.mail_of(Some(&call.body))?.ok_or_else(|| {
        ApiError::invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    })?;
    if raw.len() > LARGEST_INSERTED {
        return Err(ApiError::too_large());
    }
    let labels = call.texts("labelIds");
    let asked = call.text("threadId").map(str::to_owned);
    let source = call.query.get("internalDateSource").unwrap_or(usual_date).to_owned();
    let raw = Bytes::from(head::garbled(&raw));
    let facts = mime::facts(&raw);
    let now = call.state.now();
    let mailbox = call.mailbox()?;
    mailbox.check_labels(&labels, &["DRAFT", "CHAT"])?;
    let thread = mailbox.thread_to_join(asked.as_deref(), &facts)?;
    let by_date = source.eq_ignore_ascii_case("dateHeader");
    let internal_date = facts.date.filter(|_| by_date).unwrap_or(now);
    let mut record = Record::default();
    let labels = labels.into_iter().collect();
    let id = call.place_mail(NewMail { raw, labels, internal_date, thread, listed_from: now }, &mut record)?;
    call.commit(record);
    Ok(Answer::Json(brief(call.mailbox()?.mail(&id)?)))
}
