//! Folders that another program renamed: they keep their identity, and nothing is fetched again.

use std::collections::HashSet;

use super::error::PassError;
use super::news::identity;
use super::pass::{Pass, lost};
use crate::messages::{self, Folder};
use crate::providers::imap::{ImapConnection, RemoteFolder, UidSet};

/// Mails by which a folder is recognised.
const SAMPLE: usize = 3;

/// Finds folders that are listed under another name now.
///
/// A folder that is listed no more and one that is new are the same when they have one UIDVALIDITY and the newest mails of
/// the one lie in the other at their old UIDs: not every server makes UIDVALIDITY unique.
pub(super) async fn follow(
    pass: &Pass<'_>,
    connection: &mut ImapConnection,
    remote: &[RemoteFolder],
) -> Result<(), PassError> {
    let stored = messages::list_folders(&mut pass.parts.db.read().await?, pass.account.id).await?;
    let listed: HashSet<&str> = remote.iter().map(|folder| folder.raw_name.as_str()).collect();
    let known: HashSet<&str> = stored.iter().map(|folder| folder.external_id.as_str()).collect();
    let mut fresh: Vec<&RemoteFolder> =
        remote.iter().filter(|folder| folder.selectable && !known.contains(folder.raw_name.as_str())).collect();
    let missing = stored.iter().filter(|folder| folder.selectable && !listed.contains(folder.external_id.as_str()));
    for folder in missing {
        for (place, candidate) in fresh.iter().enumerate() {
            if is_same(pass, connection, folder, candidate).await? {
                rename(pass, folder, candidate).await?;
                fresh.remove(place);
                break;
            }
        }
    }
    Ok(())
}

async fn is_same(
    pass: &Pass<'_>,
    connection: &mut ImapConnection,
    folder: &Folder,
    candidate: &RemoteFolder,
) -> Result<bool, PassError> {
    let Some(generation) = folder.cursor.uid_validity else { return Ok(false) };
    if candidate.status.as_ref().and_then(|status| status.uid_validity).is_some_and(|other| other != generation) {
        return Ok(false);
    }
    let mut conn = pass.parts.db.read().await?;
    let sample = messages::newest_external_ids(&mut conn, folder.id, generation, SAMPLE).await?;
    drop(conn);
    if sample.is_empty() {
        return Ok(false);
    }
    let opened = match connection.examine(&candidate.raw_name).await {
        Ok(opened) => opened,
        Err(error) if error.keeps_connection() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if opened.uid_validity != generation {
        return Ok(false);
    }
    let uids: UidSet = sample.iter().map(|(uid, _)| *uid).collect();
    let heads = connection.fetch_heads(&uids).await?;
    // One may have been moved away meanwhile; another mail at its UID would be another folder.
    let there: Vec<(u32, String)> = heads.iter().map(|(entry, head)| (entry.uid, identity(entry, head))).collect();
    Ok(!there.is_empty() && there.iter().all(|found| sample.contains(found)))
}

async fn rename(pass: &Pass<'_>, folder: &Folder, candidate: &RemoteFolder) -> Result<(), PassError> {
    tracing::info!(account.id = %pass.account.id, folder.id = %folder.id, "a folder has another name now");
    let now = pass.parts.clock.now();
    let mut conn = pass.parts.db.write().await?;
    conn.transaction(async |tx| {
        pass.parts.accounts.renew(tx, pass.lease).await?;
        messages::rename_folder(tx, pass.account.id, folder.id, &candidate.raw_name, now).await
    })
    .await
    .map_err(lost)
}
