//! Files: attachments by the digest of their content, and raw mails in compressed packs, on disk or in a bucket.
//!
//! Attachments are kept once an organization, whatever the number of mails that carry them. Raw mails are kept in packs of
//! many: on S3 a request for each mail would cost more than the mail. Only packs are forced to disk before a write
//! returns; an attachment can be cut out of its raw mail again, so that a power failure costs nothing for good.

mod error;
mod frames;
mod open;
mod raw;

#[cfg(test)]
mod storage_tests;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};
use uuid::Uuid;

use crate::ids::{AccountId, OrgId};

pub use error::StorageError;
pub use frames::Compressor;

/// The content of an object, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes, StorageError>>;

/// The object store.
#[derive(Clone)]
pub struct Storage {
    /// Where attachments go.
    store: Arc<dyn ObjectStore>,
    /// The same place, with writes forced to disk.
    durable: Arc<dyn ObjectStore>,
}

impl Storage {
    /// Keeps an attachment under the SHA-256 digest of its content, unless it is there already. Answers its path within
    /// the organization.
    ///
    /// # Errors
    /// When the storage is full or away; nothing is left half written.
    pub async fn put_attachment(&self, org: OrgId, sha256: &str, content: Bytes) -> Result<String, StorageError> {
        let path = format!("sha256/{sha256}");
        let key = attachment_key(org, &path)?;
        // A power failure may have left an empty file: only one of the right size counts as there.
        match self.store.head(&key).await {
            Ok(meta) if meta.size == content.len() as u64 => return Ok(path),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.store.put(&key, PutPayload::from_bytes(content)).await?;
        Ok(path)
    }

    /// Opens an attachment, or a range of its bytes.
    ///
    /// # Errors
    /// When it is not there, or the storage is away.
    pub async fn attachment(&self, org: OrgId, path: &str, range: Option<Range<u64>>) -> Result<Content, StorageError> {
        self.content(&attachment_key(org, path)?, range).await
    }

    /// The size of an attachment, in bytes.
    ///
    /// # Errors
    /// When it is not there, or the storage is away.
    pub async fn attachment_size(&self, org: OrgId, path: &str) -> Result<u64, StorageError> {
        Ok(self.store.head(&attachment_key(org, path)?).await?.size)
    }

    /// Deletes attachments that no mail refers to any more; those that are gone already count as done.
    ///
    /// # Errors
    /// When the storage is away; some may be deleted by then.
    pub async fn delete_attachments(&self, org: OrgId, paths: &[String]) -> Result<(), StorageError> {
        let keys = paths.iter().map(|path| attachment_key(org, path)).collect::<Result<Vec<_>, _>>()?;
        self.delete_all(futures_util::stream::iter(keys.into_iter().map(Ok)).boxed()).await
    }

    /// Deletes all raw mail of a mailbox.
    ///
    /// # Errors
    /// When the storage is away; some may be deleted by then.
    pub async fn delete_raw(&self, account: AccountId) -> Result<(), StorageError> {
        let found = self.store.list(Some(&raw::folder(account)));
        self.delete_all(found.map_ok(|meta| meta.location).boxed()).await
    }

    /// Writes, reads and deletes a small object: whether the storage works right now.
    ///
    /// # Errors
    /// When it is full or away.
    pub async fn check(&self) -> Result<(), StorageError> {
        // A whole block, so that a full disk is noticed.
        let probe = Bytes::from_static(&[b'.'; 4096]);
        let key = Path::from(format!("probe/{}", Uuid::now_v7()));
        self.store.put(&key, PutPayload::from_bytes(probe)).await?;
        let read = self.store.get_range(&key, 0..1).await;
        self.store.delete(&key).await?;
        read?;
        Ok(())
    }

    async fn content(&self, key: &Path, range: Option<Range<u64>>) -> Result<Content, StorageError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(key, options).await?;
        Ok(found.into_stream().map_err(StorageError::from).boxed())
    }

    async fn delete_all(
        &self,
        keys: BoxStream<'static, Result<Path, object_store::Error>>,
    ) -> Result<(), StorageError> {
        let mut deleted = self.store.delete_stream(keys);
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Where an attachment lies: spread over 256 folders, since a folder of millions is slow to list.
fn attachment_key(org: OrgId, path: &str) -> Result<Path, StorageError> {
    let bad = || StorageError::Damaged(format!("{path} is no path of an attachment"));
    let digest = path.strip_prefix("sha256/").ok_or_else(bad)?;
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let spread = digest.get(..2).ok_or_else(bad)?;
    Ok(Path::from(format!("{org}/sha256/{spread}/{digest}")))
}
