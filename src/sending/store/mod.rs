//! All SQL of sending.

pub mod files;
pub mod load;
pub mod outcome;
pub mod queue;
pub mod write;

use diesel::QueryResult;

use crate::db::DbConn;
use crate::ids::AccountId;
use crate::messages::{self, Folder, FolderRole};

/// The folder of a mailbox that is for this.
pub async fn folder_of(conn: &mut DbConn, account: AccountId, role: FolderRole) -> QueryResult<Option<Folder>> {
    let folders = messages::list_folders(conn, account).await?;
    Ok(folders.into_iter().find(|folder| folder.role == Some(role) && folder.selectable))
}
