//! Frames beside the facts: they have no number, and nobody keeps them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::accounts::{Account, Accounts};
use crate::clock::Timestamp;
use crate::ids::EventId;

/// One frame.
#[derive(Debug, Serialize)]
pub(super) struct Frame {
    id: EventId,
    #[serde(rename = "type")]
    kind: &'static str,
    occurred_at: Timestamp,
    data: Value,
}

/// How far the import or sync of a mailbox is, and how the mailbox stands.
pub(super) async fn progress(account: &Account, accounts: &Accounts, now: Timestamp) -> diesel::QueryResult<Frame> {
    let progress = accounts.progress_of(account.id).await?;
    let mut data = serde_json::to_value(progress).unwrap_or_default();
    if let Some(object) = data.as_object_mut() {
        object.insert("account_id".to_owned(), json!(account.id));
        object.insert("phase".to_owned(), json!(account.phase));
        object.insert("status".to_owned(), json!(account.status));
        object.insert("last_sync_at".to_owned(), json!(account.last_sync_at));
    }
    Ok(Frame { id: EventId::new(), kind: "sync.progress", occurred_at: now, data })
}

/// Tells that facts after the asked number are not kept any more: the lists must be read again.
pub(super) fn expired(earliest: i64, now: Timestamp) -> Frame {
    Frame {
        id: EventId::new(),
        kind: "events.expired",
        occurred_at: now,
        data: json!({ "code": "events_expired", "earliest_seq": earliest }),
    }
}
