//! Files that are brought in for a mail to be written.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::Sending;
use crate::access::{Access, Scope};
use crate::error::{ApiError, ApiResult};
use crate::ids::UploadId;
use crate::mail::compose::check_text;
use crate::sending::dto::UploadDto;
use crate::sending::store::files::{self, UploadRow};

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
