//! Raw mails: small ones in packs, `raw/<account>/<uuid>.pack#<offset>+<length>`; large ones alone, `raw/<account>/<uuid>.zst`.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use uuid::Uuid;

use super::frames::{Squeeze, damaged, decompress};
use super::{Content, Storage, StorageError};
use crate::ids::AccountId;

/// Size of the parts of a multipart upload: S3 wants at least 5 MiB, the last one excepted.
const PART: usize = 8 * 1024 * 1024;

/// The folder of a mailbox's raw mail.
pub(super) fn folder(account: AccountId) -> Path {
    Path::from(format!("raw/{account}"))
}

impl Storage {
    /// Keeps mails, each compressed by a [`super::Compressor`], in one object. Answers their references in the same order.
    ///
    /// # Errors
    /// When the storage is full or away; nothing is left half written.
    pub async fn put_pack(&self, account: AccountId, frames: Vec<Vec<u8>>) -> Result<Vec<String>, StorageError> {
        if frames.is_empty() {
            return Ok(Vec::new());
        }
        let name = format!("raw/{account}/{}.pack", Uuid::now_v7());
        let mut offset = 0;
        let mut refs = Vec::with_capacity(frames.len());
        for frame in &frames {
            refs.push(format!("{name}#{offset}+{}", frame.len()));
            offset += frame.len();
        }
        let payload: PutPayload = frames.into_iter().map(Bytes::from).collect();
        self.durable.put(&Path::from(name), payload).await?;
        Ok(refs)
    }

    /// Keeps a mail that is too large for memory, piece by piece. Answers its reference.
    ///
    /// # Errors
    /// The source's own error, or that the storage is full or away; nothing is left half written.
    pub async fn put_large<E>(
        &self,
        account: AccountId,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<String, E>
    where
        E: From<StorageError>,
    {
        let name = format!("raw/{account}/{}.zst", Uuid::now_v7());
        let key = Path::from(name.as_str());
        let upload = self.durable.put_multipart(&key).await.map_err(|error| E::from(error.into()))?;
        let mut parts = Parts { upload, ready: BytesMut::new() };
        match squeeze_all(&mut parts, &mut pieces).await {
            Ok(()) => Ok(name),
            Err(error) => {
                if let Err(failed) = parts.upload.abort().await {
                    tracing::warn!(error = %failed, "an upload could not be taken back");
                }
                Err(error)
            }
        }
    }

    /// Opens a raw mail.
    ///
    /// # Errors
    /// When it is not there, or the storage is away.
    pub async fn raw(&self, raw_ref: &str) -> Result<Content, StorageError> {
        let (key, range) = parse_ref(raw_ref)
            .ok_or_else(|| StorageError::Damaged(format!("{raw_ref} is no reference to a raw mail")))?;
        decompress(self.content(&key, range).await?)
    }

    /// Reads a raw mail whole.
    ///
    /// # Errors
    /// When it is not there, or the storage is away.
    pub async fn get_raw(&self, raw_ref: &str) -> Result<Bytes, StorageError> {
        let whole = self.raw(raw_ref).await?;
        let add = |mut sum: BytesMut, piece: Bytes| async move {
            sum.extend_from_slice(&piece);
            Ok(sum)
        };
        whole.try_fold(BytesMut::new(), add).await.map(BytesMut::freeze)
    }
}

/// An upload in parts.
struct Parts {
    upload: Box<dyn MultipartUpload>,
    ready: BytesMut,
}

impl Parts {
    async fn add(&mut self, piece: &[u8]) -> Result<(), StorageError> {
        self.ready.extend_from_slice(piece);
        if self.ready.len() >= PART {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), StorageError> {
        let part = self.ready.split().freeze();
        Ok(self.upload.put_part(PutPayload::from_bytes(part)).await?)
    }

    async fn finish(&mut self) -> Result<(), StorageError> {
        self.send().await?;
        self.upload.complete().await?;
        Ok(())
    }
}

async fn squeeze_all<E: From<StorageError>>(
    parts: &mut Parts,
    pieces: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
) -> Result<(), E> {
    let mut squeeze = Squeeze::new().map_err(damaged)?;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        let work = move || squeeze.push(&piece).map(|ready| (squeeze, ready));
        let ready;
        (squeeze, ready) = blocking(work).await?;
        parts.add(&ready).await?;
    }
    let rest = blocking(move || squeeze.finish()).await?;
    parts.add(&rest).await?;
    parts.finish().await?;
    Ok(())
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<R> + Send + 'static,
) -> Result<R, StorageError> {
    tokio::task::spawn_blocking(work).await?.map_err(damaged)
}

/// Reads a reference; the range is that of the frame within its pack.
fn parse_ref(raw_ref: &str) -> Option<(Path, Option<Range<u64>>)> {
    let valid = |name: &str| name.starts_with("raw/") && !name.contains("..");
    match raw_ref.split_once('#') {
        None => valid(raw_ref).then(|| (Path::from(raw_ref), None)),
        Some((name, place)) => {
            let (offset, length) = place.split_once('+')?;
            let (offset, length): (u64, u64) = (offset.parse().ok()?, length.parse().ok()?);
            valid(name).then(|| (Path::from(name), Some(offset..offset.saturating_add(length))))
        }
    }
}
