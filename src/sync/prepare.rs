//! Makes fetched mails ready to be applied: parsed, identified, their files and originals in the storage.

use crate::clock::Timestamp;
use crate::ids::FolderId;
use crate::mail;
use crate::messages::IncomingMail;
use crate::messages::Skip;
use crate::providers::imap::{FetchedBatch, FetchedMail, ImapError, MessageFlags, UidSet};
use crate::storage::{Compressor, StorageError};

use super::error::PassError;
use super::fetch::next_attempt;
use super::pass::Pass;

/// A batch that is ready to be applied.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) asked: UidSet,
    pub(super) mails: Vec<IncomingMail>,
    pub(super) skips: Vec<Skip>,
    /// The server refused the batch.
    pub(super) error: Option<ImapError>,
}

/// A mail as read, and its original as it is kept.
struct Read {
    mail: IncomingMail,
    frame: Vec<u8>,
}

impl Pass<'_> {
    /// Prepares one batch. Files are stored before the rows that name them, so that a row never names a missing file.
    pub(super) async fn prepare_batch(
        &self,
        folder: FolderId,
        generation: u32,
        batch: FetchedBatch,
    ) -> Result<Prepared, PassError> {
        if batch.error.is_some() {
            return Ok(Prepared { asked: batch.asked, error: batch.error, ..Prepared::default() });
        }
        let mut skips: Vec<Skip> = batch.missing.iter().map(|uid| self.unreturned(folder, generation, uid)).collect();
        let now = self.parts.clock.now();
        let mails = batch.mails.clone();
        let read = tokio::task::spawn_blocking(move || read_all(&mails, folder, generation, now)).await;
        let read = match read {
            Ok(read) => read?,
            Err(_) => {
                let (read, unreadable) = self.read_singly(folder, generation, batch.mails).await?;
                skips.extend(unreadable);
                read
            }
        };
        let mut mails = self.keep(read).await?;
        mails.sort_unstable_by_key(|mail| std::cmp::Reverse(mail.uid));
        Ok(Prepared { asked: batch.asked, mails, skips, error: None })
    }

    /// After a panic of the parser: mail by mail, and the one to blame is set aside.
    async fn read_singly(
        &self,
        folder: FolderId,
        generation: u32,
        mails: Vec<FetchedMail>,
    ) -> Result<(Vec<Read>, Vec<Skip>), PassError> {
        let (mut done, mut skips) = (Vec::new(), Vec::new());
        let now = self.parts.clock.now();
        for mail in mails {
            let (uid, size) = (mail.uid, mail.raw.len() as u64);
            match tokio::task::spawn_blocking(move || read_all(&[mail], folder, generation, now)).await {
                Ok(read) => done.extend(read?),
                Err(_) => skips.push(Skip {
                    reason: "unparseable".to_owned(),
                    detail: Some("The mail could not be read; this is a fault of Duplex.".to_owned()),
                    size: Some(size),
                    ..self.unreturned(folder, generation, uid)
                }),
            }
        }
        Ok((done, skips))
    }

    /// Stores files and originals.
    async fn keep(&self, read: Vec<Read>) -> Result<Vec<IncomingMail>, PassError> {
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

    fn unreturned(&self, folder: FolderId, generation: u32, uid: u32) -> Skip {
        Skip {
            account: self.account.id,
            folder,
            uid,
            uid_validity: generation,
            external_id: None,
            message_id: None,
            reason: "not_returned".to_owned(),
            detail: Some("The server listed the mail but did not hand it over.".to_owned()),
            size: None,
            next_attempt_at: next_attempt(self.parts.clock.now(), 1),
        }
    }
}

fn read_all(
    mails: &[FetchedMail],
    folder: FolderId,
    generation: u32,
    now: Timestamp,
) -> Result<Vec<Read>, StorageError> {
    let mut compressor = Compressor::new().map_err(StorageError::from)?;
    let read = |mail: &FetchedMail| {
        let frame = compressor.frame(&mail.raw).map_err(StorageError::from)?;
        Ok(Read { mail: read_one(mail, folder, generation, now), frame })
    };
    mails.iter().map(read).collect()
}

fn read_one(fetched: &FetchedMail, folder: FolderId, generation: u32, now: Timestamp) -> IncomingMail {
    let parsed = mail::parse(&fetched.raw);
    let raw_size = fetched.raw.len() as u64;
    let external_id =
        fetched.email_id.clone().unwrap_or_else(|| mail::identity(mail::header_block(&fetched.raw), raw_size));
    let received = fetched.internal_date.or(parsed.received).or(parsed.date);
    let mail = incoming(folder, generation, fetched.uid, fetched.flags, fetched.mod_seq, external_id, parsed, raw_size);
    IncomingMail { received_at: received.map_or(now, Into::into), ..mail }
}

/// Joins what the server and the parser told; times and references are filled in by the caller.
#[expect(clippy::too_many_arguments, reason = "each comes from another place")]
pub(super) fn incoming(
    folder: FolderId,
    uid_validity: u32,
    uid: u32,
    flags: MessageFlags,
    mod_seq: Option<u64>,
    external_id: String,
    parsed: mail::ParsedMail,
    raw_size: u64,
) -> IncomingMail {
    IncomingMail {
        folder,
        uid,
        uid_validity,
        mod_seq,
        is_read: flags.seen,
        is_starred: flags.flagged,
        is_answered: flags.answered,
        is_draft: flags.draft,
        received_at: Timestamp::from(chrono::DateTime::UNIX_EPOCH),
        external_id,
        parsed,
        raw_ref: None,
        raw_size,
    }
}
