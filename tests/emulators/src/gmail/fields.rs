//! `fields=`: the parts of an answer that the caller wants.

use super::errors::ApiError;
use serde_json::{Map, Value};

/// Every name an answer may hold; others cannot be selected.
const NAMES: &[&str] = &[
    "attachmentId",
    "backgroundColor",
    "body",
    "color",
    "data",
    "displayName",
    "drafts",
    "emailAddress",
    "expiration",
    "filename",
    "headers",
    "history",
    "historyId",
    "id",
    "internalDate",
    "isDefault",
    "isPrimary",
    "labelIds",
    "labelListVisibility",
    "labels",
    "labelsAdded",
    "labelsRemoved",
    "message",
    "messageListVisibility",
    "messages",
    "messagesAdded",
    "messagesDeleted",
    "messagesTotal",
    "messagesUnread",
    "mimeType",
    "name",
    "nextPageToken",
    "partId",
    "parts",
    "payload",
    "raw",
    "replyToAddress",
    "resultSizeEstimate",
    "sendAs",
    "sendAsEmail",
    "signature",
    "size",
    "sizeEstimate",
    "snippet",
    "textColor",
    "threadId",
    "threads",
    "threadsTotal",
    "threadsUnread",
    "treatAsAlias",
    "type",
    "value",
    "verificationStatus",
];

/// A selection: names with what is wanted below them; nothing below means all of it.
#[derive(Debug, Default)]
struct Selection(Vec<(String, Selection)>);

/// Reduces an answer to what `fields` names.
pub fn select(value: Value, fields: Option<&str>) -> Result<Value, ApiError> {
    let Some(fields) = fields else {
        return Ok(value);
    };
    let refused = || ApiError::invalid(format!("Invalid field selection {fields}"));
    let mut rest = fields;
    let selection = parse(&mut rest).filter(|_| rest.is_empty()).ok_or_else(refused)?;
    Ok(reduced(value, &selection))
}

/// `a,b/c,d(e,f)`.
fn parse(rest: &mut &str) -> Option<Selection> {
    let mut selection = Selection::default();
    loop {
        selection.0.push(item(rest)?);
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(selection),
        }
    }
}

fn item(rest: &mut &str) -> Option<(String, Selection)> {
    let end = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name != "*" && !NAMES.contains(&name) {
        return None;
    }
    *rest = after;
    if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        let inner = item(rest)?;
        return Some((name.to_owned(), Selection(vec![inner])));
    }
    if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let inner = parse(rest)?;
        *rest = rest.strip_prefix(')')?;
        return Some((name.to_owned(), inner));
    }
    Some((name.to_owned(), Selection::default()))
}

fn reduced(value: Value, selection: &Selection) -> Value {
    if selection.0.is_empty() {
        return value;
    }
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| reduced(item, selection)).collect()),
        Value::Object(object) => {
            let mut kept = Map::new();
            for (name, inner) in object {
                let wanted = selection.0.iter().find(|(known, _)| *known == name || known == "*");
                if let Some((_, below)) = wanted {
                    kept.insert(name, reduced(inner, below));
                }
            }
            Value::Object(kept)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_named_is_left_out() {
        let value = json!({"messages": [{"id": "1", "threadId": "2"}], "nextPageToken": "x", "resultSizeEstimate": 1});
        let chosen = select(value.clone(), Some("messages/id,nextPageToken")).unwrap();
        assert_eq!(chosen, json!({"messages": [{"id": "1"}], "nextPageToken": "x"}));
        assert_eq!(select(value, Some("messages(id,threadId)")).unwrap()["messages"][0]["threadId"], "2");
    }

    #[test]
    fn what_no_answer_holds_is_refused() {
        for fields in ["colour", "messages(id", "messages/", "id)"] {
            assert!(select(json!({}), Some(fields)).is_err(), "{fields}");
        }
    }
}
