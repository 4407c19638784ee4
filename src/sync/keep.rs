//! Reads fetched mails and keeps their files and originals, so that their rows can be written.

use super::error::PassError;
use super::ground::Ground;
use crate::messages::IncomingMail;
use crate::storage::{Compressor, StorageError};

/// The word for a mail that the parser broke on.
pub(super) const UNPARSEABLE: &str = "unparseable";

/// The same in a sentence.
pub(super) const WHY_UNPARSEABLE: &str = "The mail could not be read; this is a fault of Duplex.";

/// A mail as read, and its original as it is kept.
pub(super) struct Read {
    mail: IncomingMail,
    frame: Vec<u8>,
}

/// Reads and compresses mails beside the other work. After a panic of the parser they are taken one by one, and the ones to
/// blame are answered apart.
pub(super) async fn read<T, R, F>(mails: Vec<T>, raw: R, read_one: F) -> Result<(Vec<Read>, Vec<T>), PassError>
where
    T: Clone + Send + 'static,
    R: Fn(&T) -> &[u8] + Copy + Send + 'static,
    F: Fn(&T) -> IncomingMail + Clone + Send + 'static,
{
    let (all, reader) = (mails.clone(), read_one.clone());
    if let Ok(read) = tokio::task::spawn_blocking(move || read_all(&all, raw, reader)).await {
        return Ok((read?, Vec::new()));
    }
    let (mut done, mut unreadable) = (Vec::new(), Vec::new());
    for mail in mails {
        let (one, reader) = (mail.clone(), read_one.clone());
        match tokio::task::spawn_blocking(move || read_all(&[one], raw, reader)).await {
            Ok(read) => done.extend(read?),
            Err(_) => unreadable.push(mail),
        }
    }
    Ok((done, unreadable))
}

fn read_all<T>(
    mails: &[T],
    raw: impl Fn(&T) -> &[u8],
    read_one: impl Fn(&T) -> IncomingMail,
) -> Result<Vec<Read>, StorageError> {
    let mut compressor = Compressor::new().map_err(StorageError::from)?;
    let read = |mail: &T| {
        let frame = compressor.frame(raw(mail)).map_err(StorageError::from)?;
        Ok(Read { mail: read_one(mail), frame })
    };
    mails.iter().map(read).collect()
}

impl Ground<'_> {
    /// Stores files and originals. They are stored before the rows that name them, so that a row never names a missing file.
    pub(super) async fn keep(&self, read: Vec<Read>) -> Result<Vec<IncomingMail>, PassError> {
        let storage = &self.parts.storage;
        for Read { mail, .. } in &read {
            for attachment in &mail.parsed.attachments {
                storage.put_attachment(self.account.org, &attachment.sha256, attachment.content.clone().into()).await?;
            }
        }
        let (mut mails, frames): (Vec<IncomingMail>, Vec<Vec<u8>>) =
            read.into_iter().map(|read| (read.mail, read.frame)).unzip();
        if !mails.is_empty() {
            let refs = storage.put_pack(self.account.id, frames).await?;
            for (mail, raw_ref) in mails.iter_mut().zip(refs) {
                mail.raw_ref = Some(raw_ref);
            }
        }
        Ok(mails)
    }
}
