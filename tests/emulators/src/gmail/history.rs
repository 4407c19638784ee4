//! `users.history` and `users.getProfile`: where the mailbox stands and what has changed.

use super::call::{Answer, Call};
use super::errors::ApiError;
use super::model::{Mention, Record};
use super::pages::{page_start, page_token};
use super::view::mention;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `getProfile`.
pub fn profile(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let now = call.state.now();
    let mailbox = call.mailbox()?;
    let threads: BTreeSet<&String> = mailbox.mails.values().map(|mail| &mail.thread).collect();
    Ok(Answer::Json(json!({
        "emailAddress": mailbox.email,
        "messagesTotal": mailbox.mails.len(),
        "threadsTotal": threads.len(),
        "historyId": mailbox.visible_history_id(now).to_string(),
    })))
}

/// What a list of changes is limited to.
struct Limits {
    types: Vec<String>,
    label: Option<String>,
}

impl Limits {
    fn takes(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|known| known.eq_ignore_ascii_case(kind))
    }

    fn has(&self, mention: &Mention) -> bool {
        self.label.as_ref().is_none_or(|label| mention.labels.contains(label))
    }
}

/// `history.list`: records after the given one, oldest first.
pub fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let start: u64 = match call.query.get("startHistoryId").map(str::parse) {
        Some(Ok(start)) => start,
        _ => return Err(ApiError::invalid("Missing or invalid startHistoryId")),
    };
    let limits = Limits { types: call.query.all("historyTypes"), label: call.query.get("labelId").map(str::to_owned) };
    let size = call.query.page_size()?;
    let (now, generation) = (call.state.now(), call.state.generation);
    let names_labels = call.state.settings.history_names_labels;
    let list = format!("history {} {start} {:?} {:?}", call.user, limits.types, limits.label);
    let token = page_start(call.query.get("pageToken"), &list, generation)?;
    let mailbox = call.mailbox()?;
    if let Some(label) = &limits.label {
        mailbox.check_labels([label], &[])?;
    }
    // Forgotten, or from another mailbox's future.
    if start < mailbox.history_floor || start > mailbox.history_id {
        return Err(ApiError::not_found());
    }
    let after = token.as_ref().and_then(Value::as_u64).unwrap_or(start);
    let mut shown: Vec<(u64, Value)> = mailbox
        .history
        .iter()
        .filter(|record| record.id > after && record.visible_from <= now)
        .filter_map(|record| Some((record.id, shown(record, &limits, names_labels.applies(record.id))?)))
        .take(size + 1)
        .collect();
    let mut answer = json!({"historyId": mailbox.visible_history_id(now).to_string()});
    let more = shown.len() > size;
    shown.truncate(size);
    if let Some((last, _)) = shown.last().filter(|_| more) {
        answer["nextPageToken"] = json!(page_token(&list, generation, &json!(last)));
    }
    if !shown.is_empty() {
        answer["history"] = shown.into_iter().map(|(_, record)| record).collect();
    }
    Ok(Answer::Json(answer))
}

/// A record with every kind of change it holds; none if nothing of it is wanted.
fn shown(record: &Record, limits: &Limits, with_labels: bool) -> Option<Value> {
    let mut shown = json!({"id": record.id.to_string()});
    let mut messages: Vec<Value> = Vec::new();
    let simple =
        [("messageAdded", "messagesAdded", &record.added), ("messageDeleted", "messagesDeleted", &record.deleted)];
    for (kind, name, mentions) in simple {
        let wanted: Vec<&Mention> = mentions.iter().filter(|one| limits.takes(kind) && limits.has(one)).collect();
        if wanted.is_empty() {
            continue;
        }
        let with_labels = with_labels && kind == "messageAdded";
        shown[name] = wanted.iter().map(|one| json!({"message": mention(one, with_labels)})).collect();
        messages.extend(wanted.iter().map(|one| mention(one, false)));
    }
    let labelled = [
        ("labelAdded", "labelsAdded", &record.labels_added),
        ("labelRemoved", "labelsRemoved", &record.labels_removed),
    ];
    for (kind, name, changes) in labelled {
        let wanted: Vec<_> = changes.iter().filter(|(one, _)| limits.takes(kind) && limits.has(one)).collect();
        if wanted.is_empty() {
            continue;
        }
        let change =
            |(one, labels): &&(Mention, Vec<String>)| json!({"message": mention(one, with_labels), "labelIds": labels});
        shown[name] = wanted.iter().map(change).collect();
        messages.extend(wanted.iter().map(|(one, _)| mention(one, false)));
    }
    if messages.is_empty() {
        return None;
    }
    shown["messages"] = Value::Array(messages);
    Some(shown)
}
