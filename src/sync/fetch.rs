//! Batches of mails: fetched with several commands in flight, prepared side by side, applied in order.

use std::collections::VecDeque;

use chrono::Duration;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::mpsc;

use super::error::PassError;
use super::pass::Pass;
use super::plan::LARGE;
use super::prepare::Prepared;
use super::visit::Work;
use crate::clock::Timestamp;
use crate::mail;
use crate::messages::Skip;
use crate::providers::imap::{FetchedBatch, ImapConnection, ImapError, ImapErrorKind, UidSet};

/// FETCH commands in flight.
const IN_FLIGHT: usize = 4;

/// Batches that are parsed while another is applied.
const PREPARED: usize = 2;

/// Mails of one batch that may break the connection, one after another, before the server counts as ill.
pub(super) const BREAKS: usize = 3;

/// Tries of a mail that cannot be read, an hour apart.
const TRIES: u32 = 5;

/// A batch that one of its mails may have spoilt.
struct Suspect {
    error: ImapError,
}

impl Pass<'_> {
    /// Stores batches in their order. One that fails for the sake of a mail is taken mail by mail; the mail to blame is set
    /// aside with the reason, and the rest goes on.
    pub(super) async fn store_batches(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        batches: Vec<UidSet>,
        import: bool,
    ) -> Result<(), PassError> {
        let mut rest: VecDeque<UidSet> = batches.into();
        while !rest.is_empty() {
            let Some(suspect) = self.pipeline(connection, work, &mut rest, import).await? else { continue };
            tracing::warn!(account.id = %self.account.id, folder.id = %work.id(), error = %suspect.error, "a batch failed; its mails are fetched one by one");
            self.reopen(connection, work).await?;
            if let Some(batch) = rest.pop_front() {
                self.one_by_one(connection, work, &batch, import).await?;
            }
        }
        Ok(())
    }

    async fn pipeline(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        rest: &mut VecDeque<UidSet>,
        import: bool,
    ) -> Result<Option<Suspect>, PassError> {
        let (sender, receiver) = mpsc::channel::<FetchedBatch>(1);
        let fetching = connection.fetch_bodies(rest.clone(), IN_FLIGHT, sender);
        let (folder, generation) = (work.id(), work.generation());
        let storing = async {
            // Taken in, so that it is gone when storing ends early: that is what stops the fetching.
            let mut receiver = receiver;
            let fetched = stream::poll_fn(|cx| receiver.poll_recv(cx));
            let prepared = fetched.map(|batch| self.prepare_batch(folder, generation, batch)).buffered(PREPARED);
            futures_util::pin_mut!(prepared);
            while let Some(batch) = prepared.next().await {
                let batch = batch?;
                if let Some(error) = batch.error {
                    return Ok(Some(Suspect { error }));
                }
                self.commit(work, batch, import).await?;
                rest.pop_front();
            }
            Ok::<_, PassError>(None)
        };
        let (fetched, stored) = tokio::join!(fetching, storing);
        match (stored?, fetched) {
            (Some(suspect), _) => Ok(Some(suspect)),
            (None, Ok(())) => {
                rest.clear();
                Ok(None)
            }
            (None, Err(error)) if error.batch.is_some() && self.blames_a_mail(&error) => Ok(Some(Suspect { error })),
            (None, Err(error)) => Err(error.into()),
        }
    }

    /// Whether a mail that was being fetched may be the cause; a stall or a break only when it was so before.
    pub(super) fn blames_a_mail(&self, error: &ImapError) -> bool {
        use ImapErrorKind::{ConnectionLost, NotUnderstood, Protocol, Rejected, Timeout, TooLarge};
        match error.kind {
            Protocol | NotUnderstood | TooLarge | Rejected => true,
            Timeout | ConnectionLost => self.account.consecutive_failures >= 2,
            _ => false,
        }
    }

    /// Fetches the mails of a batch one by one, the newest first.
    async fn one_by_one(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        batch: &UidSet,
        import: bool,
    ) -> Result<(), PassError> {
        let mut breaks = 0;
        for uid in batch.iter().rev() {
            let mut rest = VecDeque::from([UidSet::one(uid)]);
            match self.pipeline(connection, work, &mut rest, import).await? {
                None => breaks = 0,
                Some(Suspect { error }) => {
                    breaks += 1;
                    if breaks > BREAKS {
                        return Err(error.into());
                    }
                    self.set_aside(connection, work, (uid, 0), &error, import).await?;
                }
            }
        }
        Ok(())
    }

    /// Tries mails again that were set aside.
    pub(super) async fn retry_skips(&self, connection: &mut ImapConnection, work: &mut Work) -> Result<(), PassError> {
        let generation = work.generation();
        for due in std::mem::take(&mut work.retry) {
            if due.uid_validity != generation {
                continue;
            }
            let known = connection.fetch_index(&UidSet::one(due.uid)).await?;
            match known.first().map_or(0, |entry| entry.size) {
                size if size > LARGE => {
                    self.store_large(connection, work, (due.uid, size), due.attempts).await?;
                }
                _ => {
                    let mut rest = VecDeque::from([UidSet::one(due.uid)]);
                    if let Some(Suspect { error }) = self.pipeline(connection, work, &mut rest, false).await? {
                        self.set_aside(connection, work, (due.uid, due.attempts), &error, false).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sets a mail aside that was tried so often before, and goes on over a fresh connection. It can be looked up by its
    /// Message-ID where at least its header can be read.
    pub(super) async fn set_aside(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        (uid, attempts): (u32, u32),
        error: &ImapError,
        import: bool,
    ) -> Result<(), PassError> {
        self.reopen(connection, work).await?;
        let message_id = match connection.fetch_head(uid).await {
            Ok(head) => head.and_then(|head| mail::parse_head(&head).message_id),
            Err(error) => {
                tracing::debug!(account.id = %self.account.id, error = %error, "not even the header of a mail can be read");
                self.reopen(connection, work).await?;
                None
            }
        };
        let skip = self.skip(work, uid, "unreadable", Some(error.detail.clone()), attempts);
        let skips = vec![Skip { message_id, ..skip }];
        self.commit(work, Prepared { asked: UidSet::one(uid), skips, ..Prepared::default() }, import).await
    }

    /// Opens the folder on a fresh connection: the old one may still carry answers of what failed.
    async fn reopen(&self, connection: &mut ImapConnection, work: &Work) -> Result<(), PassError> {
        *connection = self.connect().await?;
        connection.examine(&work.folder.external_id).await?;
        Ok(())
    }

    /// A mail that is set aside; `attempts` counts the tries before this one.
    pub(super) fn skip(&self, work: &Work, uid: u32, reason: &str, detail: Option<String>, attempts: u32) -> Skip {
        Skip {
            account: self.account.id,
            folder: work.id(),
            uid,
            uid_validity: work.generation(),
            external_id: None,
            message_id: None,
            reason: reason.to_owned(),
            detail,
            size: None,
            next_attempt_at: next_attempt(self.parts.clock.now(), attempts + 1),
        }
    }
}

/// When a mail that could not be read is tried again; after five tries never.
pub(super) fn next_attempt(now: Timestamp, attempts: u32) -> Option<Timestamp> {
    (attempts < TRIES).then(|| now + Duration::hours(1))
}
