//! Makes fetched mails ready to be applied: parsed, identified, their files and originals in the storage.

use crate::clock::Timestamp;
use crate::ids::FolderId;
use crate::mail;
use crate::messages::IncomingMail;
use crate::messages::Skip;
use crate::providers::imap::{FetchedBatch, FetchedMail, ImapError, MessageFlags, UidSet};

use super::pass::Pass;
use crate::sync::error::PassError;
use crate::sync::keep;
use crate::sync::times::next_attempt;

/// A batch that is ready to be applied.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) asked: UidSet,
    pub(super) mails: Vec<IncomingMail>,
    pub(super) skips: Vec<Skip>,
    /// The server refused the batch.
    pub(super) error: Option<ImapError>,
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
        let read_one = move |mail: &FetchedMail| read_one(mail, folder, generation, now);
        let (read, unreadable) = keep::read(batch.mails, |mail| &mail.raw, read_one).await?;
        skips.extend(unreadable.into_iter().map(|mail| Skip {
            reason: keep::UNPARSEABLE.to_owned(),
            detail: Some(keep::WHY_UNPARSEABLE.to_owned()),
            size: Some(mail.raw.len() as u64),
            ..self.unreturned(folder, generation, mail.uid)
        }));
        let mut mails = self.keep(read).await?;
        mails.sort_unstable_by_key(|mail| std::cmp::Reverse(mail.uid));
        Ok(Prepared { asked: batch.asked, mails, skips, error: None })
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
        provider_thread_id: None,
        replaces: None,
        parsed,
        raw_ref: None,
        raw_size,
    }
}
