//! Erases the mail of mailboxes that were disconnected, in small steps beside everything else.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::engine::EngineParts;
use crate::ids::{AccountId, OrgId};
use crate::messages;
use crate::storage::StorageError;

/// Mails that are erased in one transaction.
const STEP: u32 = 200;

/// How often the work list is looked at.
const LOOK: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
enum EraseError {
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Works until it is told to stop.
pub(super) async fn run(parts: Arc<EngineParts>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = look(&parts, &stop).await {
            tracing::warn!(error = %error, "mail could not be erased; trying again");
        }
    }
}

async fn look(parts: &EngineParts, stop: &CancellationToken) -> Result<(), EraseError> {
    for (account, org) in parts.accounts.to_erase().await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        erase(parts, account, org, stop).await?;
    }
    Ok(())
}

/// Rows first, then the files that no row names any more: a kill between may leave a file, never a row without one.
async fn erase(
    parts: &EngineParts,
    account: AccountId,
    org: OrgId,
    stop: &CancellationToken,
) -> Result<(), EraseError> {
    loop {
        if stop.is_cancelled() {
            return Ok(());
        }
        let now = parts.clock.now();
        let (mut conn, permit) = parts.db.write_background().await?;
        let erased =
            conn.transaction(async |tx| messages::erase_account_mail(tx, org, account, STEP, now).await).await?;
        drop((conn, permit));
        parts.storage.delete_attachments(org, &erased.attachments).await?;
        if erased.done {
            break;
        }
    }
    parts.storage.delete_raw(account).await?;
    parts.accounts.forget(account).await?;
    tracing::info!(account.id = %account, "the mail of a disconnected mailbox was erased");
    Ok(())
}
