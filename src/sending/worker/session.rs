//! The sender of one mailbox: works off what is due, and stays a while for the next.

use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::SenderParts;
use crate::accounts::{Account, Mailer};
use crate::events::Event;
use crate::ids::EmailId;
use crate::messages::{MailStatus, Mailbox};
use crate::outbox::{self, Fact};
use crate::providers::imap::ImapConnection;
use crate::providers::smtp::SmtpConnection;
use crate::sending::store::outcome::{self, Next};
use crate::sending::store::queue;

/// Mails that are begun together.
const TOGETHER: i64 = 60;

/// Mails of one mailbox after which others have their turn.
const TURN: usize = 300;

/// How long connections are kept for the next mail.
const LINGER: Duration = Duration::from_secs(5);

/// Copies and drafts that are seen to in one go.
const CHORES: i64 = 50;

/// The words for a mail whose fate is not known.
pub(super) const UNCERTAIN: &str = "The connection ended after the mail was handed over and before the server answered, \
     so it may have been sent. It is being looked for among the sent mails. Trying it again may send it twice.";

/// The sender of one mailbox.
pub(super) struct Session<'a> {
    pub(super) parts: &'a SenderParts,
    pub(super) claim: Mailer,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    /// Connections that wait for the next mail.
    pub(super) idle: Vec<SmtpConnection>,
    /// The connection to the mailbox, for copies and drafts.
    pub(super) mailbox: Option<ImapConnection>,
}

impl<'a> Session<'a> {
    /// Serves a mailbox and gives the claim back.
    pub async fn serve(parts: &'a SenderParts, claim: Mailer, stop: &CancellationToken) {
        let id = claim.account;
        let listener = parts.events.subscribe();
        let worked = async {
            let Some(account) = parts.accounts.find(claim.org, id).await? else { return Ok(()) };
            let owner = Mailbox::of(&account);
            let mut session = Session { parts, claim: claim.clone(), account, owner, idle: Vec::new(), mailbox: None };
            let worked = session.work(listener, stop).await;
            session.close().await;
            worked
        };
        if let Err(error) = worked.await {
            tracing::warn!(account.id = %id, %error, "sending was interrupted; it goes on by itself");
        }
        if let Err(error) = parts.accounts.release_mailer(&claim).await {
            tracing::warn!(account.id = %id, %error, "a claim on sending could not be given back; it ends by itself");
        }
    }

    async fn work(&mut self, mut listener: Receiver<Event>, stop: &CancellationToken) -> diesel::QueryResult<()> {
        self.recover().await?;
        let (mut sent, mut lingered) = (0, Duration::ZERO);
        while !stop.is_cancelled() && sent < TURN {
            self.renew().await?;
            let mails = self.send_due().await?;
            let chores = self.do_chores().await?;
            sent += mails;
            if mails + chores > 0 {
                lingered = Duration::ZERO;
                continue;
            }
            let pause = self.pause().await?;
            tokio::select! {
                () = rung(&mut listener, &self.claim) => {}
                () = tokio::time::sleep(pause) => lingered += pause,
                () = stop.cancelled() => {}
            }
            if lingered >= LINGER {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How long nothing is due in this mailbox, as long as its connections are kept at most.
    async fn pause(&self) -> diesel::QueryResult<Duration> {
        let now = self.parts.clock.now();
        let next = queue::next_due(&mut self.parts.db.read().await?, Some(self.account.id), now).await?;
        let until = next.and_then(|at| (at - now).to_std().ok());
        Ok(until.unwrap_or(LINGER).clamp(Duration::from_millis(1), LINGER))
    }

    /// Sees to what a sender left that died: what cannot have left is sent again, the rest is looked for.
    async fn recover(&self) -> diesel::QueryResult<()> {
        let now = self.parts.clock.now();
        let abandoned = queue::abandoned(&mut self.parts.db.read().await?, self.account.id).await?;
        if abandoned.is_empty() {
            return Ok(());
        }
        let safe: Vec<EmailId> = abandoned.iter().filter(|(_, handed)| !handed).map(|(id, _)| *id).collect();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            outcome::give_back(tx, &safe, now, None, now).await?;
            for (id, _) in abandoned.iter().filter(|(_, handed)| *handed) {
                let next = Next { due_at: None, file_due_at: Some(now) };
                let why = Some(("smtp_no_answer", UNCERTAIN));
                outcome::conclude(tx, *id, MailStatus::Uncertain, why, next, now).await?;
            }
            for (id, _) in &abandoned {
                let thread = outcome::thread_of(tx, *id).await?;
                let fact = Fact::email_updated(self.owner.reference(), *id, thread, &["status"]);
                outbox::record(tx, vec![fact], now).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(())
    }

    /// Sends mails whose time has come. Answers how many were tried.
    async fn send_due(&mut self) -> diesel::QueryResult<usize> {
        let now = self.parts.clock.now();
        if self.parts.accounts.is_mail_held(self.account.id, now).await? {
            return Ok(0);
        }
        let due = queue::due(&mut self.parts.db.read().await?, self.account.id, now, TOGETHER).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let mut conn = self.parts.db.write().await?;
        let begun = conn
            .transaction(async |tx| {
                self.parts.accounts.renew_mailer(tx, &self.claim).await?;
                queue::begin(tx, &due, now).await
            })
            .await?;
        drop(conn);
        self.deliver(&begun).await?;
        Ok(begun.len())
    }

    /// Files copies of sent mails, looks for lost ones and mirrors drafts.
    async fn do_chores(&mut self) -> diesel::QueryResult<usize> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.read().await?;
        let to_file = queue::to_file(&mut conn, self.account.id, now, CHORES).await?;
        let to_mirror = queue::to_mirror(&mut conn, self.account.id, now, CHORES).await?;
        drop(conn);
        for id in &to_file {
            self.renew().await?;
            self.file(*id).await?;
        }
        for id in &to_mirror {
            self.renew().await?;
            self.mirror(*id).await?;
        }
        Ok(to_file.len() + to_mirror.len())
    }

    async fn renew(&self) -> diesel::QueryResult<()> {
        let mut conn = self.parts.db.write().await?;
        self.parts.accounts.renew_mailer(&mut conn, &self.claim).await
    }

    /// Tells whoever listens that facts were recorded.
    pub(super) fn ring(&self) {
        self.parts.events.publish(Event::FactsRecorded(self.claim.org));
    }

    async fn close(&mut self) {
        for connection in self.idle.drain(..) {
            connection.quit().await;
        }
        if let Some(connection) = self.mailbox.take() {
            connection.logout().await;
        }
    }
}

async fn rung(listener: &mut Receiver<Event>, claim: &Mailer) {
    loop {
        match listener.recv().await {
            Ok(Event::MailQueued(about)) if about.account == claim.account => return,
            Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
