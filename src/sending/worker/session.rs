//! The sender of one mailbox: works off what is due, and stays a while for the next.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::arm::Arm;
use super::desk::Desk;
use super::{SenderParts, chores};
use crate::accounts::Mailer;
use crate::error::is_unavailable;
use crate::events::Event;
use crate::sending::store::{load, queue};

/// Mails that are begun together.
const TOGETHER: i64 = 60;

/// Mails of one mailbox after which others that wait have their turn, and its own copies and drafts theirs.
const TURN: usize = 300;

/// How long connections are kept for the next mail.
const LINGER: Duration = Duration::from_secs(5);

/// Copies and drafts that are seen to in one go: what is due meanwhile waits no longer than for these.
const CHORES: i64 = 10;

/// How often a claim is renewed while a provider is waited for.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The sender of one mailbox.
pub(super) struct Session<'a> {
    desk: &'a Desk<'a>,
    arm: Arm<'a>,
}

impl<'a> Session<'a> {
    /// Serves a mailbox and gives the claim back.
    pub async fn serve(parts: &'a SenderParts, slots: &Semaphore, claim: Mailer, stop: &CancellationToken) {
        let id = claim.account;
        let listener = parts.events.subscribe();
        let worked = async {
            let Some(desk) = Desk::of(parts, claim.clone()).await? else { return Ok(()) };
            let Some(arm) = Arm::of(&desk) else { return Ok(()) };
            let mut session = Session { desk: &desk, arm };
            let worked = tokio::select! {
                worked = session.work(listener, slots, stop) => worked,
                lost = heartbeat(&desk) => lost,
            };
            session.arm.close().await;
            worked
        };
        if let Err(error) = worked.await {
            tracing::warn!(account.id = %id, %error, "sending was interrupted; it goes on by itself");
        }
        if let Err(error) = parts.accounts.release_mailer(&claim).await {
            tracing::warn!(account.id = %id, %error, "a claim on sending could not be given back; it ends by itself");
        }
    }

    async fn work(
        &mut self,
        mut listener: Receiver<Event>,
        slots: &Semaphore,
        stop: &CancellationToken,
    ) -> diesel::QueryResult<()> {
        self.desk.recover(self.arm.doubt()).await?;
        let (mut sent, mut in_a_row, mut lingered) = (0, 0, Duration::ZERO);
        while !stop.is_cancelled() && (sent < TURN || slots.available_permits() > 0) {
            self.desk.renew().await?;
            let mails = self.send_due().await?;
            sent += mails;
            in_a_row += mails;
            // What people wait for goes first; copies follow when nothing is due, and now and then when there always is.
            let mut chores = 0;
            if mails == 0 || in_a_row >= TURN {
                (chores, in_a_row) = (self.do_chores().await?, 0);
            }
            if mails + chores > 0 {
                lingered = Duration::ZERO;
                continue;
            }
            let pause = self.pause().await?;
            tokio::select! {
                () = rung(&mut listener, &self.desk.claim) => {}
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
        let now = self.desk.parts.clock.now();
        let next = queue::next_due(&mut self.desk.parts.db.read().await?, Some(self.desk.account.id), now).await?;
        let until = next.and_then(|at| (at - now).to_std().ok());
        Ok(until.unwrap_or(LINGER).clamp(Duration::from_millis(1), LINGER))
    }

    /// Sends mails whose time has come. Answers how many were tried.
    async fn send_due(&mut self) -> diesel::QueryResult<usize> {
        let now = self.desk.parts.clock.now();
        if self.desk.parts.accounts.is_mail_held(self.desk.account.id, now).await? {
            return Ok(0);
        }
        let due = queue::due(&mut self.desk.parts.db.read().await?, self.desk.account.id, now, TOGETHER).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let mut conn = self.desk.parts.db.write().await?;
        let begun = conn
            .transaction(async |tx| {
                self.desk.parts.accounts.renew_mailer(tx, &self.desk.claim).await?;
                queue::begin(tx, &due, now).await
            })
            .await?;
        drop(conn);
        let mails = load::outgoing(&mut self.desk.parts.db.read().await?, &begun).await?;
        self.arm.deliver(mails).await?;
        Ok(begun.len())
    }

    /// Files copies of sent mails, looks for lost ones and mirrors drafts.
    async fn do_chores(&mut self) -> diesel::QueryResult<usize> {
        let now = self.desk.parts.clock.now();
        let mut conn = self.desk.parts.db.read().await?;
        let to_file = queue::to_file(&mut conn, self.desk.account.id, now, CHORES).await?;
        let to_mirror = queue::to_mirror(&mut conn, self.desk.account.id, now, CHORES).await?;
        drop(conn);
        for id in &to_file {
            self.desk.renew().await?;
            chores::file(self.desk, &mut self.arm, *id).await?;
        }
        for id in &to_mirror {
            self.desk.renew().await?;
            chores::mirror(self.desk, &mut self.arm, *id).await?;
        }
        Ok(to_file.len() + to_mirror.len())
    }
}

/// Shows that the claim is in use while a provider takes its time; ends when it was lost.
async fn heartbeat(desk: &Desk<'_>) -> diesel::QueryResult<()> {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match desk.renew().await {
            Err(error) if is_unavailable(&error) => {
                tracing::warn!(account.id = %desk.account.id, %error, "a claim could not be renewed; trying again");
            }
            renewed => renewed?,
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
