//! What is written down of mails on their way: entries of several connections in one commit.
//!
//! Each entry is on disk before whoever made it goes on. While one commit waits for the disk, the entries of the other
//! connections gather, and share the next.

use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;
use diesel::result::Error;
use tokio::sync::oneshot;

use super::conclusion::Conclusion;
use super::desk::Desk;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::EmailId;
use crate::messages::{self, FolderRole, MailStatus};
use crate::outbox::{self, Fact};
use crate::sending::store::folder_of;
use crate::sending::store::outcome::{self, Next, RecipientResult};

/// One thing to write down.
pub(super) enum Entry {
    /// A mail is about to be accepted for these recipients: its last octet leaves after this.
    Handed(EmailId, Vec<RecipientResult>),
    /// An attempt to send a mail, with this Date, came to its end.
    Ended(EmailId, Timestamp, Conclusion),
}

impl Entry {
    fn is_end(&self) -> bool {
        matches!(self, Self::Ended(..))
    }
}

/// Entries that wait to be written.
#[derive(Default)]
pub(super) struct Ledger {
    waiting: Mutex<Vec<(Entry, oneshot::Sender<()>)>>,
    pen: tokio::sync::Mutex<()>,
}

impl Ledger {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(Entry, oneshot::Sender<()>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk<'_> {
    /// Writes an entry down; it is on disk when this returns.
    ///
    /// # Errors
    /// As the database fails, or when the claim was lost: nothing of the entry is written then.
    pub(super) async fn enter(&self, entry: Entry) -> QueryResult<()> {
        let (done, written) = oneshot::channel();
        self.ledger.waiting().push((entry, done));
        let pen = self.ledger.pen.lock().await;
        let (entries, waiting): (Vec<Entry>, Vec<_>) = std::mem::take(&mut *self.ledger.waiting()).into_iter().unzip();
        if !entries.is_empty() {
            let mut conn = self.parts.db.write().await?;
            conn.transaction(async |tx| self.write_down(tx, &entries).await).await?;
            drop(conn);
            if entries.iter().any(Entry::is_end) {
                self.ring();
            }
            for one in waiting {
                // Nobody else gives up waiting.
                let _ = one.send(());
            }
        }
        drop(pen);
        // Whoever wrote for us has told why it failed.
        written.await.map_err(|_| Error::RollbackTransaction)
    }

    async fn write_down(&self, tx: &mut DbConn, entries: &[Entry]) -> QueryResult<()> {
        let now = self.parts.clock.now();
        self.parts.accounts.renew_mailer(tx, &self.claim).await?;
        if entries.iter().any(Entry::is_end) {
            messages::lock_threads(tx, self.claim.org).await?;
        }
        let (mut sent, mut facts) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Entry::Handed(mail, recipients) => {
                    outcome::save_results(tx, recipients).await?;
                    outcome::note_handed(tx, *mail, now).await?;
                }
                Entry::Ended(mail, sent_at, conclusion) => {
                    let Some(fact) = self.end(tx, *mail, conclusion, now).await? else { continue };
                    facts.push(fact);
                    if conclusion.status == MailStatus::Sent {
                        sent.push((*mail, *sent_at));
                    }
                }
            }
        }
        self.show_sent(tx, &sent, now).await?;
        outbox::record(tx, facts, now).await
    }

    /// Writes a conclusion down, unless sync was faster with the proof that the mail was sent. Answers what is told of it.
    async fn end(
        &self,
        tx: &mut DbConn,
        mail: EmailId,
        conclusion: &Conclusion,
        now: Timestamp,
    ) -> QueryResult<Option<Fact>> {
        let Conclusion { results, status, why, pause, look_after, identity } = conclusion;
        let next =
            Next { due_at: pause.map(|pause| now + pause), file_due_at: look_after.map(|look_after| now + look_after) };
        if let Some(identity) = identity {
            messages::identify(tx, &self.owner, mail, identity, now).await?;
        }
        let why = why.as_ref().map(|(code, words)| (*code, words.as_str()));
        if !outcome::conclude(tx, mail, *status, why, next, now).await? {
            return Ok(None);
        }
        outcome::save_results(tx, results).await?;
        let (about, thread) = (self.owner.reference(), outcome::thread_of(tx, mail).await?);
        Ok(Some(match status {
            MailStatus::Sent => Fact::email_sent(about, mail, thread),
            MailStatus::Failed => Fact::email_failed(about, mail, thread, why.map(|(code, _)| code)),
            _ => Fact::email_updated(about, mail, thread, &["status"]),
        }))
    }

    /// Shows mails that were sent where their copies will lie.
    async fn show_sent(&self, tx: &mut DbConn, sent: &[(EmailId, Timestamp)], now: Timestamp) -> QueryResult<()> {
        if sent.is_empty() {
            return Ok(());
        }
        if let Some(folder) = folder_of(tx, self.account.id, FolderRole::Sent).await? {
            for (mail, sent_at) in sent {
                messages::expect_in(tx, (*mail, self.account.id, *sent_at), folder.id, now).await?;
            }
        }
        let ids: Vec<EmailId> = sent.iter().map(|(mail, _)| *mail).collect();
        messages::refresh_threads(tx, &ids, now).await
    }
}
