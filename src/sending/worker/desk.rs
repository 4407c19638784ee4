//! What the sender of a mailbox works with, whoever the provider is, and what it writes down the same way for all.

use diesel::QueryResult;

use super::SenderParts;
use super::conclusion::Conclusion;
use super::ledger::{Entry, Ledger};
use crate::accounts::{Account, Mailer};
use crate::clock::Timestamp;
use crate::events::Event;
use crate::ids::EmailId;
use crate::messages::{MailStatus, Mailbox};
use crate::outbox::{self, Fact};
use crate::sending::model::Outgoing;
use crate::sending::store::outcome::{self, Next};
use crate::sending::store::queue;

/// A mailbox with the claim on its mail.
pub(super) struct Desk<'a> {
    pub(super) parts: &'a SenderParts,
    pub(super) claim: Mailer,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    pub(super) ledger: Ledger,
}

impl<'a> Desk<'a> {
    /// Reads the mailbox; nothing when it is gone.
    pub(super) async fn of(parts: &'a SenderParts, claim: Mailer) -> QueryResult<Option<Self>> {
        let Some(account) = parts.accounts.find(claim.org, claim.account).await? else { return Ok(None) };
        let owner = Mailbox::of(&account);
        Ok(Some(Self { parts, claim, account, owner, ledger: Ledger::default() }))
    }

    /// Shows that the claim is in use.
    ///
    /// # Errors
    /// `NotFound` when it was lost.
    pub(super) async fn renew(&self) -> QueryResult<()> {
        let mut conn = self.parts.db.write().await?;
        self.parts.accounts.renew_mailer(&mut conn, &self.claim).await
    }

    /// Tells whoever listens that facts were recorded.
    pub(super) fn ring(&self) {
        self.parts.events.publish(Event::FactsRecorded(self.claim.org));
    }

    /// Wants the mailbox to be looked into.
    pub(super) async fn want_sync(&self) -> QueryResult<()> {
        self.parts.accounts.request_pass(self.account.id).await?;
        self.parts.events.publish(Event::SyncRequested(self.owner.reference()));
        Ok(())
    }

    /// Writes down what became of a mail, unless sync was faster with the proof that it was sent.
    pub(super) async fn conclude(&self, mail: &Outgoing, conclusion: Conclusion) -> QueryResult<()> {
        self.enter(Entry::Ended(mail.id, mail.sent_at, conclusion)).await
    }

    /// Puts mails back that were begun and of which nothing was accepted.
    pub(super) async fn put_back(&self, ids: &[EmailId], at: Timestamp, why: Option<(&str, &str)>) -> QueryResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            for id in outcome::give_back(tx, ids, at, why, now).await? {
                let thread = outcome::thread_of(tx, id).await?;
                let fact = Fact::email_updated(self.owner.reference(), id, thread, &["status"]);
                outbox::record(tx, vec![fact], now).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(())
    }

    /// Sees to what a sender left that died: what cannot have left is sent again, the rest is looked for. `doubt` is the code
    /// and the words for the latter.
    pub(super) async fn recover(&self, doubt: (&'static str, &str)) -> QueryResult<()> {
        let now = self.parts.clock.now();
        let abandoned = queue::abandoned(&mut self.parts.db.read().await?, self.account.id).await?;
        if abandoned.is_empty() {
            return Ok(());
        }
        let safe: Vec<EmailId> = abandoned.iter().filter(|(_, handed)| !handed).map(|(id, _)| *id).collect();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            let mut changed = outcome::give_back(tx, &safe, now, None, now).await?;
            for (id, _) in abandoned.iter().filter(|(_, handed)| *handed) {
                let next = Next { due_at: None, file_due_at: Some(now) };
                if outcome::conclude(tx, *id, MailStatus::Uncertain, Some(doubt), next, now).await? {
                    changed.push(*id);
                }
            }
            for id in changed {
                let thread = outcome::thread_of(tx, id).await?;
                let fact = Fact::email_updated(self.owner.reference(), id, thread, &["status"]);
                outbox::record(tx, vec![fact], now).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(())
    }
}
