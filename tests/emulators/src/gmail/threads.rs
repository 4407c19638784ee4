//! `users.threads`.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::messages::{Selection, estimate, is_after, rank};
use super::model::{Mail, Record};
use super::pages::page_token;
use super::view::{View, brief};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `threads.list`: threads with a mail that fits, by their newest mail.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::of(call, "threads")?;
    let generation = call.state.generation;
    let mailbox = call.mailbox()?;
    let mut newest: BTreeMap<&str, (&Mail, u64)> = BTreeMap::new();
    for mail in mailbox.mails.values().filter(|mail| selection.holds(mail)) {
        let entry = newest.entry(&mail.thread).or_insert((mail, mail.history_id));
        entry.1 = entry.1.max(mail.history_id);
        if (mail.internal_date, &mail.id) > (entry.0.internal_date, &entry.0.id) {
            entry.0 = mail;
        }
    }
    let total = newest.len();
    let mut threads: Vec<(&str, &Mail, u64)> =
        newest.into_iter().map(|(id, (mail, history))| (id, mail, history)).collect();
    threads.retain(|(id, mail, _)| is_after(selection.start.as_ref(), mail.internal_date, id));
    threads.sort_by(|a, b| (b.1.internal_date, b.0).cmp(&(a.1.internal_date, a.0)));
    let more = threads.len() > selection.size;
    threads.truncate(selection.size);
    let mut answer = json!({"resultSizeEstimate": estimate(total)});
    if let Some((id, mail, _)) = threads.last().filter(|_| more) {
        let last = rank(mail.internal_date, id);
        answer["nextPageToken"] = json!(page_token(&selection.list, generation, &last));
    }
    if !threads.is_empty() {
        let shown = threads.iter().map(
            |(id, mail, history)| json!({"id": id, "snippet": mail.facts.snippet, "historyId": history.to_string()}),
        );
        answer["threads"] = shown.collect();
    }
    Ok(Answer::Json(answer))
}

/// Ids of a thread's mails; a thread without mails does not exist.
fn mails_of(call: &mut Call<'_>) -> Result<(String, Vec<String>), ApiError> {
    let id = call.place("id");
    let mails: Vec<String> = call.mailbox()?.thread(&id).into_iter().map(|mail| mail.id.clone()).collect();
    if mails.is_empty() { Err(ApiError::not_found()) } else { Ok((id, mails)) }
}

/// `threads.get`. There is no raw form of a thread.
pub fn get(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let view = View::of(call)?;
    let (id, _) = mails_of(call)?;
    let mails = call.mailbox()?.thread(&id);
    let history = mails.iter().map(|mail| mail.history_id).max().unwrap_or(0);
    let shown: Vec<Value> = mails.iter().map(|mail| view.message(mail)).collect();
    Ok(Answer::Json(json!({"id": id, "historyId": history.to_string(), "messages": shown})))
}

fn relabel(call: &mut Call<'_>, add: &[String], remove: &[String]) -> Result<Answer, ApiError> {
    let (id, mails) = mails_of(call)?;
    let mut record = Record::default();
    let mailbox = call.mailbox()?;
    for mail in &mails {
        mailbox.relabel(mail, add, remove, &mut record);
    }
    call.commit(record);
    let mails = call.mailbox()?.thread(&id);
    let shown: Vec<Value> = mails.into_iter().map(brief).collect();
    Ok(Answer::Json(json!({"id": id, "messages": shown})))
}

/// `threads.modify`.
pub fn modify(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (add, remove) = (call.texts("addLabelIds"), call.texts("removeLabelIds"));
    call.mailbox()?.check_change(&add, &remove)?;
    relabel(call, &add, &remove)
}

/// `threads.trash`.
pub fn trash(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    relabel(call, &["TRASH".to_owned()], &[])
}

/// `threads.untrash`.
pub fn untrash(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    relabel(call, &[], &["TRASH".to_owned()])
}

/// `threads.delete`: for good.
pub fn delete(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (_, mails) = mails_of(call)?;
    let mut record = Record::default();
    let mailbox = call.mailbox()?;
    for mail in &mails {
        mailbox.remove(mail, &mut record);
    }
    call.commit(record);
    Ok(Answer::Empty)
}
