//! The folders of a mailbox: the server's list, taken over.

use diesel::QueryResult;

use super::error::PassError;
use super::pass::{Pass, lost};
use super::visit::Work;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::FolderId;
use crate::messages::{self, Folder, FolderListing, FolderRole};
use crate::providers::imap::{FolderRole as RemoteRole, ImapConnection, RemoteFolder};

/// Places of a vanished folder that are removed in one transaction.
const STEP: u32 = 500;

/// Lists the folders, takes the list over and gives those to look at, the ones that people read first.
pub(super) async fn adopt(pass: &Pass<'_>, connection: &mut ImapConnection) -> Result<Vec<Work>, PassError> {
    let remote = connection.list_folders().await?;
    let listing: Vec<FolderListing> = remote.iter().map(listed).collect();
    let now = pass.parts.clock.now();
    let account = pass.account.id;
    let mut conn = pass.parts.db.write().await?;
    let (gone, stored) = conn
        .transaction(async |tx| {
            pass.parts.accounts.renew(tx, pass.lease).await?;
            let gone = messages::upsert_folders(tx, account, listing, now).await?;
            let mut stored = messages::list_folders(tx, account).await?;
            if pass.account.settings.sync_since.is_none() {
                count_ahead(tx, &mut stored, &remote, now).await?;
            }
            Ok((gone, stored))
        })
        .await
        .map_err(lost)?;
    drop(conn);
    for folder in gone {
        clear(pass, folder, None).await?;
    }
    let mut work: Vec<Work> = stored
        .into_iter()
        .filter(|folder| folder.included && folder.selectable)
        .filter_map(|folder| {
            let listed = remote.iter().find(|remote| remote.raw_name == folder.external_id)?;
            Some(Work::new(folder, listed.status.clone()))
        })
        .collect();
    work.sort_by_key(|work| rank(work.folder.role));
    Ok(work)
}

/// Notes how many mails wait in folders that no visit has reached, so that the import's total is right from the start.
async fn count_ahead(
    tx: &mut DbConn,
    stored: &mut [Folder],
    remote: &[RemoteFolder],
    now: Timestamp,
) -> QueryResult<()> {
    for folder in stored.iter_mut().filter(|folder| folder.cursor.uid_validity.is_none()) {
        let listed = remote.iter().find(|remote| remote.raw_name == folder.external_id);
        let Some(count) = listed.and_then(|remote| remote.status.as_ref()?.messages) else { continue };
        folder.cursor.backfill_total = u64::from(count);
        messages::save_cursor(tx, folder.id, &folder.cursor, now).await?;
    }
    Ok(())
}

/// Takes all mails out of a folder that vanished, or those of an older generation of UIDs.
///
/// A mail that lies nowhere any more counts as deleted; nothing is erased, and one that comes back is the same mail.
pub(super) async fn clear(pass: &Pass<'_>, folder: FolderId, current: Option<u32>) -> Result<(), PassError> {
    loop {
        let now = pass.parts.clock.now();
        let (mut conn, _permit) = pass.parts.db.write_background().await?;
        let removed = conn
            .transaction(async |tx| {
                pass.parts.accounts.renew(tx, pass.lease).await?;
                messages::forget_stale_skips(tx, folder, current).await?;
                messages::remove_stale_locations(tx, folder, current, STEP, now).await
            })
            .await
            .map_err(lost)?;
        if removed == 0 {
            return Ok(());
        }
    }
}

fn listed(remote: &RemoteFolder) -> FolderListing {
    let parent = remote.delimiter.and_then(|delimiter| remote.raw_name.rsplit_once(delimiter));
    FolderListing {
        external_id: remote.raw_name.clone(),
        parent_external_id: parent.map(|(parent, _)| parent.to_owned()),
        name: remote.name.clone(),
        role: remote.role.map(role),
        selectable: remote.selectable,
    }
}

fn role(remote: RemoteRole) -> FolderRole {
    match remote {
        RemoteRole::Inbox => FolderRole::Inbox,
        RemoteRole::Sent => FolderRole::Sent,
        RemoteRole::Drafts => FolderRole::Drafts,
        RemoteRole::Trash => FolderRole::Trash,
        RemoteRole::Spam => FolderRole::Spam,
        RemoteRole::Archive => FolderRole::Archive,
        RemoteRole::All => FolderRole::All,
    }
}

fn rank(role: Option<FolderRole>) -> u8 {
    match role {
        Some(FolderRole::Inbox) => 0,
        Some(FolderRole::Sent) => 1,
        Some(FolderRole::Drafts) => 2,
        None | Some(FolderRole::Label) => 3,
        Some(FolderRole::Archive) => 4,
        Some(FolderRole::All) => 5,
        Some(FolderRole::Trash | FolderRole::Spam) => 6,
    }
}
