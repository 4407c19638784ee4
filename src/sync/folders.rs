//! The folders of a mailbox: the server's list, taken over.

use diesel::{OptionalExtension, QueryResult};

use super::error::PassError;
use super::pass::{Pass, lost};
use super::visit::Work;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::FolderId;
use crate::messages::{self, Folder, FolderListing, FolderRole};
use crate::providers::imap::{FolderRole as RemoteRole, ImapConnection, MailboxStatus, RemoteFolder};

/// Lists the folders, takes the list over and gives those to look at, the ones that people read first.
///
/// Also answers the folders that are listed no more: their mails are taken out when it is known where else they lie.
pub(super) async fn adopt(
    pass: &Pass<'_>,
    connection: &mut ImapConnection,
) -> Result<(Vec<Work>, Vec<FolderId>), PassError> {
    let remote = connection.list_folders().await?;
    if pass.is_live() {
        super::renames::follow(pass, connection, &remote).await?;
    }
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
    let mut work: Vec<Work> = stored
        .into_iter()
        .filter(|folder| folder.included && folder.selectable)
        .filter_map(|folder| {
            let listed = remote.iter().find(|remote| remote.raw_name == folder.external_id)?;
            Some(Work::new(folder, listed.status.clone()))
        })
        .collect();
    work.sort_by_key(|work| rank(work.folder.role));
    Ok((work, gone))
}

/// One folder as it is stored, when its mail is stored at all.
pub(super) async fn one(pass: &Pass<'_>, folder: FolderId) -> Result<Vec<Work>, PassError> {
    let mut conn = pass.parts.db.read().await?;
    let found = messages::folder(&mut conn, pass.account.id, folder).await.optional()?;
    let found = found.filter(|folder| folder.included && folder.selectable);
    Ok(found.map(|folder| Work::new(folder, None)).into_iter().collect())
}

/// Whether a folder's counters are others than those that were seen last.
pub(super) fn counters_differ(folder: &Folder, status: &MailboxStatus) -> bool {
    let cursor = &folder.cursor;
    status.uid_validity != cursor.uid_validity
        || status.uid_next.is_none()
        || status.uid_next != cursor.uid_next
        || status.messages.is_none()
        || status.messages.map(u64::from) != folder.provider_count
        || (status.highest_modseq.is_some() && status.highest_modseq != cursor.highest_modseq)
}

/// Whether a listing differs from what is stored in folders or counters. Flags that a server does not count are no matter
/// here: they are compared by the regular passes.
pub(super) fn differ(stored: &[Folder], remote: &[RemoteFolder]) -> bool {
    let known = |raw: &str| stored.iter().find(|folder| folder.external_id == raw);
    let changed = |folder: &RemoteFolder| match (known(&folder.raw_name), &folder.status) {
        (None, _) => true,
        (Some(stored), Some(status)) => stored.included && stored.selectable && counters_differ(stored, status),
        (Some(stored), None) => stored.included && folder.selectable,
    };
    remote.iter().any(changed)
        || stored.iter().any(|folder| !remote.iter().any(|one| one.raw_name == folder.external_id))
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
