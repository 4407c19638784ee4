//! Mails that are not stored yet: fetched, read, and applied in batches.

use std::collections::HashMap;

use bytes::Bytes;

use super::Pass;
use super::labels::CHAT;
use crate::clock::Timestamp;
use crate::ids::FolderId;
use crate::mail;
use crate::messages::{self, FolderRole, IncomingMail, Intake, Missed, Sighted, Whereabouts};
use crate::providers::gmail::RawMessage;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::sync::error::PassError;
use crate::sync::ground::lost;
use crate::sync::keep;
use crate::sync::times::next_attempt;

/// Mails that are fetched and applied together.
const TOGETHER: usize = 40;

/// How often Gmail is asked again about mails that we changed while it answered.
pub(super) const ROUNDS: u32 = 3;

/// Whether what is stored is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// People and programs are told of it.
    News,
    /// It was there before the mailbox was connected, or the folder included.
    Silently,
}

/// Mails that went in the same stretch of the history, by their conversation: a draft that was edited comes as a new mail, and
/// nothing but the conversation is sure to stay the same.
pub(super) type Replaced = HashMap<String, Vec<String>>;

/// A mail with its folder, on its way into the database.
#[derive(Clone)]
struct Fetched {
    id: String,
    thread_id: String,
    folder: FolderId,
    word: Sighted,
    replaces: Option<String>,
    received_at: Timestamp,
    raw: Bytes,
}

/// What came of a batch.
#[derive(Default)]
struct Batch {
    /// When Gmail was asked.
    asked_at: Option<Timestamp>,
    mails: Vec<Fetched>,
    missed: Vec<Missed>,
    /// Why the rest could not be fetched.
    error: Option<ProviderError>,
}

impl Pass<'_> {
    /// Fetches mails and stores them, batch by batch: one is on its way while the one before is stored. What was stored stays
    /// when it breaks off.
    pub(super) async fn store(&self, ids: Vec<String>, told: Told, mut replaced: Replaced) -> Result<(), PassError> {
        let mut ids = ids.into_iter();
        let mut fetched = self.fetch(ids.by_ref().take(TOGETHER).collect()).await;
        loop {
            if self.stop.is_cancelled() {
                return Err(PassError::Stopped);
            }
            for mail in &mut fetched.mails {
                if self.labels.layout.role(mail.folder) == Some(FolderRole::Drafts) {
                    mail.replaces = replaced.get_mut(&mail.thread_id).and_then(Vec::pop);
                }
            }
            let next: Vec<String> = ids.by_ref().take(TOGETHER).collect();
            let is_last = next.is_empty();
            let (stored, ahead) = tokio::join!(self.store_batch(fetched, told), self.fetch(next));
            stored?;
            if is_last {
                return Ok(());
            }
            fetched = ahead;
        }
    }

    async fn fetch(&self, ids: Vec<String>) -> Batch {
        let mut batch = Batch { asked_at: Some(self.parts.clock.now()), ..Batch::default() };
        if ids.is_empty() {
            return batch;
        }
        for (id, fetched) in self.mailbox.raw(&ids).await {
            match fetched {
                Ok(mail) => self.sort(id, mail, &mut batch),
                // Deleted, or a version of a draft that was replaced meanwhile.
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) if self.blames_the_mail(&error) => batch.missed.extend(self.unreadable(id, &error)),
                Err(error) => batch.error = Some(error),
            }
        }
        batch
    }

    /// Decides whether a mail is stored.
    fn sort(&self, id: String, mail: RawMessage, batch: &mut Batch) {
        if mail.label_ids.iter().any(|label| label == CHAT) {
            let why = ("chat", "A conversation of Google Chat is no mail.");
            batch.missed.extend(self.labels.left_out(id, &mail.label_ids, None, why));
            return;
        }
        let word = self.labels.sighted(&id, &mail.label_ids);
        let Whereabouts::In(folders) = &word.places else { return };
        match self.labels.layout.chief(&self.labels.layout.complete(folders)) {
            Some(folder) => batch.mails.push(Fetched {
                thread_id: mail.thread_id,
                replaces: None,
                folder,
                received_at: mail.internal_date.map_or_else(|| self.parts.clock.now(), Into::into),
                raw: mail.raw,
                word,
                id,
            }),
            None => {
                let message_id = mail::parse_head(&mail.raw).message_id;
                batch.missed.extend(self.labels.left_out(id, &mail.label_ids, message_id, folder_excluded()));
            }
        }
    }

    async fn store_batch(&self, batch: Batch, told: Told) -> Result<(), PassError> {
        let Batch { asked_at, mails, mut missed, error } = batch;
        let asked_at = asked_at.unwrap_or_else(|| self.parts.clock.now());
        let words: Vec<Sighted> = mails.iter().map(|mail| mail.word.clone()).collect();
        let (read, unparseable) = keep::read(mails, |mail| &mail.raw, incoming).await?;
        missed.extend(unparseable.into_iter().map(|mail| Missed {
            external_id: mail.id,
            folder: mail.folder,
            message_id: None,
            reason: keep::UNPARSEABLE,
            detail: Some(keep::WHY_UNPARSEABLE.to_owned()),
            size: Some(mail.raw.len() as u64),
            next_attempt_at: next_attempt(self.parts.clock.now(), 1),
        }));
        let mails = self.keep(read).await?;
        if !mails.is_empty() || !missed.is_empty() {
            let doubtful = self.commit(mails, words, missed, (told, asked_at), None).await?;
            self.ask_again(doubtful, told).await?;
        }
        error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// One transaction with mails, with where they lie, and with the place in the history that covers them.
    ///
    /// Answers the mails that Gmail was asked about before a change of ours was confirmed: what it said of them may be older,
    /// nothing of it is taken over, and the place in the history stays.
    pub(super) async fn commit(
        &self,
        mails: Vec<IncomingMail>,
        words: Vec<Sighted>,
        missed: Vec<Missed>,
        (told, asked_at): (Told, Timestamp),
        history_id: Option<u64>,
    ) -> Result<Vec<String>, PassError> {
        let intake = Intake { seen_at: asked_at, ..self.intake(told == Told::News) };
        let (account, count) = (self.account.id, mails.len());
        self.parts.metrics.mails_skipped.inc_by(missed.len() as u64);
        let stored: Vec<String> = words.iter().map(|word| word.external_id.clone()).collect();
        let (mut conn, permit) = self.parts.db.write_background().await?;
        let (owner, layout) = (&self.owner, &self.labels.layout);
        let applied = conn
            .transaction(async move |tx| {
                self.parts.accounts.renew(tx, self.lease).await?;
                let applied = messages::apply_whole(tx, owner, layout, mails, words, &intake).await?;
                let stored: Vec<&str> = stored.iter().map(String::as_str).collect();
                messages::forget_missed(tx, account, &stored).await?;
                messages::record_missed(tx, account, missed, intake.now).await?;
                if let Some(history_id) = history_id.filter(|_| applied.doubtful.is_empty()) {
                    self.parts.accounts.save_history_id(tx, account, history_id).await?;
                }
                Ok(applied)
            })
            .await
            .map_err(lost)?;
        drop((conn, permit));
        self.ring(applied.told);
        self.progressed(count);
        Ok(applied.doubtful)
    }

    /// Takes over what Gmail said of mails when it was asked then.
    pub(super) async fn take_over(
        &self,
        words: Vec<Sighted>,
        told: Told,
        asked_at: Timestamp,
    ) -> Result<(), PassError> {
        let doubtful = self.commit(Vec::new(), words, Vec::new(), (told, asked_at), None).await?;
        self.ask_again(doubtful, told).await
    }

    /// Asks again for mails that we changed while Gmail answered. When that goes on and on, the history will tell.
    async fn ask_again(&self, mut doubtful: Vec<String>, told: Told) -> Result<(), PassError> {
        for _ in 0..ROUNDS {
            if doubtful.is_empty() {
                break;
            }
            let asked_at = self.parts.clock.now();
            let words = self.look_at(&doubtful).await?;
            doubtful = self.commit(Vec::new(), words, Vec::new(), (told, asked_at), None).await?;
        }
        Ok(())
    }

    /// Tries mails again that could not be read.
    pub(super) async fn retry_missed(&self) -> Result<(), PassError> {
        let now = self.parts.clock.now();
        let due = messages::due_missed(&mut self.parts.db.read().await?, self.account.id, now).await?;
        if due.is_empty() {
            return Ok(());
        }
        self.store(due.into_iter().map(|(id, _)| id).collect(), Told::Silently, Replaced::new()).await
    }

    /// Whether a mail is the cause of an error; a fault of the service only when it was so before.
    fn blames_the_mail(&self, error: &ProviderError) -> bool {
        match error.kind {
            ProviderErrorKind::Refused | ProviderErrorKind::TooLarge => true,
            ProviderErrorKind::Unavailable => self.account.consecutive_failures >= 2,
            _ => false,
        }
    }

    fn unreadable(&self, id: String, error: &ProviderError) -> Option<Missed> {
        Some(Missed {
            external_id: id,
            folder: self.labels.of_role(FolderRole::All)?.id,
            message_id: None,
            reason: "unreadable",
            detail: Some(error.detail.clone()),
            size: None,
            next_attempt_at: next_attempt(self.parts.clock.now(), 1),
        })
    }
}

/// Why a mail is left out that lies only where a person wants nothing from.
pub(super) fn folder_excluded() -> (&'static str, &'static str) {
    ("folder_excluded", "The mail lies only in folders that are not included.")
}

fn incoming(mail: &Fetched) -> IncomingMail {
    IncomingMail {
        folder: mail.folder,
        uid: 0,
        uid_validity: 0,
        mod_seq: None,
        is_read: mail.word.is_read.unwrap_or_default(),
        is_starred: mail.word.is_starred.unwrap_or_default(),
        is_answered: false,
        is_draft: false,
        received_at: mail.received_at,
        external_id: mail.id.clone(),
        provider_thread_id: Some(mail.thread_id.clone()),
        replaces: mail.replaces.clone(),
        parsed: mail::parse(&mail.raw),
        raw_ref: None,
        raw_size: mail.raw.len() as u64,
    }
}
