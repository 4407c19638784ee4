//! What goes over the WebSocket.

use serde::Serialize;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::clock::Timestamp;
use crate::events::{AccountRef, Event};
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

/// Turns a bell into a frame; some bells are for the engine only.
pub(super) async fn of(event: &Event, accounts: &Accounts, now: Timestamp) -> diesel::QueryResult<Option<Frame>> {
    let (kind, data) = match event {
        Event::SyncRequested(_) | Event::OperationQueued(_) | Event::FactsRecorded(_) | Event::FactsNumbered(_) => {
            return Ok(None);
        }
        Event::AccountConnected(account) => ("account.connected", about(account)),
        Event::AccountDisconnected(account) => ("account.disconnected", about(account)),
        Event::BackfillCompleted(account) => ("account.backfill_completed", about(account)),
        Event::AccountError(account) => match trouble(account, accounts).await? {
            Some(data) => ("account.error", data),
            None => return Ok(None),
        },
        Event::SyncProgress(account) => match progress(account, accounts).await? {
            Some(data) => ("sync.progress", data),
            None => return Ok(None),
        },
        Event::EmailReceived { account, email, thread } => {
            ("email.received", json!({ "account_id": account.account, "email_id": email, "thread_id": thread }))
        }
    };
    Ok(Some(Frame { id: EventId::new(), kind, occurred_at: now, data }))
}

fn about(account: &AccountRef) -> Value {
    json!({ "account_id": account.account })
}

async fn trouble(at: &AccountRef, accounts: &Accounts) -> diesel::QueryResult<Option<Value>> {
    let account = accounts.find(at.org, at.account).await?;
    Ok(account.map(|account| {
        json!({ "account_id": at.account, "status": account.status, "error_code": account.error_code, "error_message": account.error_message })
    }))
}

async fn progress(at: &AccountRef, accounts: &Accounts) -> diesel::QueryResult<Option<Value>> {
    let Some(account) = accounts.find(at.org, at.account).await? else { return Ok(None) };
    let progress = accounts.progress_of(at.account).await?;
    let mut data = serde_json::to_value(progress).unwrap_or_default();
    if let Some(object) = data.as_object_mut() {
        object.insert("account_id".to_owned(), json!(at.account));
        object.insert("phase".to_owned(), json!(account.phase));
        object.insert("status".to_owned(), json!(account.status));
        object.insert("last_sync_at".to_owned(), json!(account.last_sync_at));
    }
    Ok(Some(data))
}
