//! The carrier of one mailbox: works off its changes in order, and stays a while for the next.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::carry::Outcomes;
use super::failure::{Reason, next_try};
use crate::accounts::{Account, Carrier};
use crate::db::DbConn;
use crate::events::Event;
use crate::ids::EmailId;
use crate::messages::{self, DueItem, Fields, ItemKey, Mailbox, OperationChange};
use crate::outbox::{self, Fact};
use crate::providers::imap::{ImapConnection, ImapError, ImapSettings};
use crate::sync::engine::EngineParts;

/// Changes that are worked off together.
const TOGETHER: u32 = 1_000;

/// How long a connection is kept for the next change: people seldom change one mail only.
const LINGER: Duration = Duration::from_secs(20);

/// Tries to find a mail that is not where it was.
const SEARCHES: u32 = 5;

/// Why a session ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The database, or a claim that was lost.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The credentials cannot be opened.
    #[error("{0:#}")]
    SetUp(anyhow::Error),
}

/// The carrier of one mailbox.
pub(super) struct Session<'a> {
    pub(super) parts: &'a EngineParts,
    pub(super) carrier: Carrier,
    pub(super) account: Account,
    pub(super) owner: Mailbox,
    settings: ImapSettings,
    connection: Option<ImapConnection>,
}

impl<'a> Session<'a> {
    /// Works off a mailbox's changes and gives the claim back.
    pub async fn serve(parts: &'a EngineParts, carrier: Carrier, stop: &CancellationToken) {
        let id = carrier.account;
        let listener = parts.events.subscribe();
        let worked = async {
            let Some(mut session) = Self::open(parts, carrier.clone()).await? else { return Ok(()) };
            session.work(listener, stop).await?;
            if let Some(connection) = session.connection.take() {
                connection.logout().await;
            }
            Ok::<(), SessionError>(())
        };
        if let Err(error) = worked.await {
            tracing::warn!(account.id = %id, %error, "changes could not be carried out; they are tried again");
        }
        if let Err(error) = parts.accounts.release_carrier(&carrier).await {
            tracing::warn!(account.id = %id, %error, "a claim on carrying out changes could not be given back; it ends by itself");
        }
    }

    async fn open(parts: &'a EngineParts, carrier: Carrier) -> Result<Option<Self>, SessionError> {
        let Some(account) = parts.accounts.find(carrier.org, carrier.account).await? else { return Ok(None) };
        let settings = parts.accounts.imap_settings(&account).await.map_err(SessionError::SetUp)?;
        let owner = Mailbox::of(&account);
        Ok(Some(Self { parts, carrier, account, owner, settings, connection: None }))
    }

    async fn work(&mut self, mut listener: Receiver<Event>, stop: &CancellationToken) -> Result<(), SessionError> {
        while !stop.is_cancelled() {
            let mut conn = self.parts.db.write().await?;
            self.parts.accounts.renew_carrier(&mut conn, &self.carrier).await?;
            let due = messages::due_items(&mut conn, self.carrier.account, self.parts.clock.now(), TOGETHER).await?;
            drop(conn);
            if !due.is_empty() {
                self.carry_out(&due).await?;
                continue;
            }
            tokio::select! {
                () = rung(&mut listener, &self.carrier) => {}
                () = tokio::time::sleep(LINGER) => return Ok(()),
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, due: &[DueItem]) -> Result<(), SessionError> {
        let mut todo: HashMap<EmailId, Fields> = HashMap::new();
        for item in due {
            let fields = todo.entry(item.key.email).or_default();
            *fields = fields.or(item.todo);
        }
        let emails: Vec<EmailId> = todo.keys().copied().collect();
        let diffs = messages::differences(&mut self.parts.db.read().await?, &emails).await?;
        let outcomes = self.carry(&diffs, &todo).await?;
        self.conclude(due, &outcomes).await
    }

    /// The connection, signed in.
    pub(super) async fn connection(&mut self) -> Result<&mut ImapConnection, ImapError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.parts.gate.wait(&self.settings.host).await;
                ImapConnection::connect(&self.parts.net, &self.settings).await?
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Forgets a connection that is no good any more.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Writes what became of the items.
    async fn conclude(&mut self, due: &[DueItem], outcomes: &Outcomes) -> Result<(), SessionError> {
        let now = self.parts.clock.now();
        let (mut confirmed, mut later, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for item in due {
            match outcomes.of(item) {
                None => confirmed.push(item.key),
                Some(reason) => {
                    let searched = reason.code == "message_elsewhere" && item.attempts >= SEARCHES;
                    match next_try(now, item.attempts, item.created_at).filter(|_| reason.passes && !searched) {
                        Some(at) => later.push((item.key, (reason, at))),
                        None => failed.push((item.key, if searched { Reason::gone() } else { reason })),
                    }
                }
            }
        }
        let searches = later.iter().any(|(_, (reason, _))| reason.code == "message_elsewhere");
        let (later, failed) = (grouped(later), grouped(failed));
        let about = self.account.reference();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_carrier(tx, &self.carrier).await?;
            let mut changes = messages::confirm(tx, &confirmed, now).await?;
            for (keys, (reason, at)) in &later {
                changes.extend(messages::retry_later(tx, keys, &reason.code, &reason.message, *at, now).await?);
            }
            for (keys, reason) in &failed {
                changes.extend(messages::fail(tx, keys, &reason.code, &reason.message, now).await?);
            }
            tell(tx, about, changes, now).await
        })
        .await?;
        drop(conn);
        self.parts.events.publish(Event::FactsRecorded(self.account.org));
        if searches || outcomes.unsettled() {
            self.parts.accounts.request_pass(self.account.id).await?;
            self.parts.events.publish(Event::SyncRequested(about));
        }
        Ok(())
    }
}

async fn tell(
    tx: &mut DbConn,
    about: crate::events::AccountRef,
    changes: Vec<OperationChange>,
    now: crate::clock::Timestamp,
) -> diesel::QueryResult<()> {
    let fact = |change: OperationChange| Fact::operation_changed(about, change.operation, change.state.as_str());
    outbox::record(tx, changes.into_iter().map(fact).collect(), now).await
}

/// Items with the same fate together.
fn grouped<F: PartialEq>(items: Vec<(ItemKey, F)>) -> Vec<(Vec<ItemKey>, F)> {
    let mut groups: Vec<(Vec<ItemKey>, F)> = Vec::new();
    for (key, fate) in items {
        match groups.iter_mut().find(|(_, known)| *known == fate) {
            Some((keys, _)) => keys.push(key),
            None => groups.push((vec![key], fate)),
        }
    }
    groups
}

/// Waits for a change of this mailbox.
async fn rung(listener: &mut Receiver<Event>, carrier: &Carrier) {
    loop {
        match listener.recv().await {
            Ok(Event::OperationQueued(about)) if about.account == carrier.account => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
