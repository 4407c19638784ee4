//! Files that are brought in for a mail to be written.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::Duration;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::Sending;
use crate::access::{Access, Scope};
use crate::error::{ApiError, ApiResult};
use crate::ids::{OrgId, UploadId};
use crate::mail::compose::check_text;
use crate::messages;
use crate::sending::dto::UploadDto;
use crate::sending::store::files::{self, UploadRow};

/// How long a file waits for the mail that it was brought in for.
const KEPT: Duration = Duration::days(7);

impl Sending {
    /// Keeps a file.
    pub(in crate::sending) async fn upload(
        &self,
        access: &Access,
        file_name: &str,
        mime_type: &str,
        content: Bytes,
    ) -> ApiResult<UploadDto> {
        access.require(Scope::Send)?;
        let file_name = clean_name(file_name)?;
        let digest = digest(&SHA256, &content);
        let (size, sha256) = (content.len() as u64, digest.as_ref().to_vec());
        let storage_path = self.storage.put_attachment(access.org, &HEXLOWER.encode(&sha256), content).await?;
        let row = UploadRow {
            id: UploadId::new(),
            organization_id: access.org,
            user_id: access.user,
            file_name: file_name.clone(),
            mime_type: mime_type.to_owned(),
            size_bytes: i64::try_from(size).map_err(ApiError::internal)?,
            storage_path,
            sha256,
            created_at: self.clock.now(),
        };
        let id = row.id;
        files::insert_upload(&mut self.db.write().await?, row).await?;
        Ok(UploadDto { id, file_name, mime_type: mime_type.to_owned(), size_bytes: size })
    }
}

impl Sending {
    /// Clears files away that were brought in long ago and belong to no mail. Answers how many.
    ///
    /// # Errors
    /// As the database or the storage is away; what was forgotten then stays in the storage.
    pub async fn purge_uploads(&self) -> ApiResult<usize> {
        let before = self.clock.now() - KEPT;
        let mut conn = self.db.write().await?;
        let (count, left) = conn
            .transaction(async |tx| {
                let expired = files::expire_uploads(tx, before).await?;
                let mut paths: BTreeMap<OrgId, Vec<String>> = BTreeMap::new();
                let count = expired.len();
                for (org, path) in expired {
                    paths.entry(org).or_default().push(path);
                }
                let mut left = Vec::new();
                for (org, paths) in paths {
                    left.push((org, messages::unreferenced(tx, org, paths).await?));
                }
                Ok::<_, diesel::result::Error>((count, left))
            })
            .await?;
        drop(conn);
        for (org, paths) in left {
            self.storage.delete_attachments(org, &paths).await?;
        }
        Ok(count)
    }
}

/// A name without folders, on one line.
fn clean_name(name: &str) -> ApiResult<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(ApiError::invalid("file_name", "give the name of the file"));
    }
    if name.chars().count() > 200 {
        return Err(ApiError::invalid("file_name", "give at most 200 characters"));
    }
    check_text("file_name", name).map_err(|error| ApiError::invalid(error.field, error.reason))?;
    Ok(name.to_owned())
}
