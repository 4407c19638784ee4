//! How much of each folder is stored, and why the rest is not.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::model::FolderRole;
use super::service::{Messages, own_account};
use super::store;
use crate::access::{Access, Scope};
use crate::clock::Timestamp;
use crate::error::ApiResult;
use crate::ids::{AccountId, FolderId};

/// How complete a mailbox is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Completeness {
    /// Each folder whose mail is stored, by name.
    pub folders: Vec<FolderCompleteness>,
}

/// How complete a folder is, by the counters of the last visit.
#[derive(Debug, Serialize, ToSchema)]
pub struct FolderCompleteness {
    /// The folder.
    pub id: FolderId,
    /// The whole decoded path with `/`.
    pub name: String,
    /// What it is for.
    pub role: Option<&'static str>,
    /// How many mails the provider says it holds; null before the first visit.
    pub provider_count: Option<u64>,
    /// How many are stored.
    pub stored_count: u64,
    /// How many were set aside, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How many are neither stored nor set aside yet.
    pub missing: u64,
    /// When every mail was last compared with the provider's and none was missing.
    pub proven_at: Option<Timestamp>,
}

impl Messages {
    /// Compares what is stored of a mailbox with what the provider holds.
    pub(super) async fn completeness(&self, access: &Access, account: AccountId) -> ApiResult<Completeness> {
        access.require(Scope::Read)?;
        let mut conn = self.db.read().await?;
        own_account(&mut conn, access, account).await?;
        let folders = store::list_folders(&mut conn, account).await?;
        let counts = store::folder_counts(&mut conn, account).await?;
        let proven = store::proven_at(&mut conn, account).await?;
        let mut reasons: HashMap<FolderId, BTreeMap<String, u64>> = HashMap::new();
        for (folder, reason, count) in store::skip_reasons(&mut conn, account).await? {
            reasons.entry(folder).or_default().insert(reason, count);
        }
        let of_folder = |folder: super::Folder| {
            let stored = counts.get(&folder.id).map_or(0, |count| count.stored);
            let skipped = reasons.remove(&folder.id).unwrap_or_default();
            let known = stored + skipped.values().sum::<u64>();
            FolderCompleteness {
                id: folder.id,
                name: folder.name,
                role: folder.role.map(FolderRole::as_str),
                provider_count: folder.provider_count,
                stored_count: stored,
                skipped,
                proven_at: proven.get(&folder.id).copied(),
                missing: folder.provider_count.unwrap_or_default().saturating_sub(known),
            }
        };
        let included = folders.into_iter().filter(|folder| folder.included && folder.selectable);
        Ok(Completeness { folders: included.map(of_folder).collect() })
    }
}
