//! What people ask for: send, schedule, call back, try again; drafts and files.

mod drafts;
mod parts;
mod prepare;
mod uploads;

use chrono::Duration;

use super::dto::MailInput;
use super::model::Outgoing;
use super::store::write::{self, Due};
use super::store::{load, outcome};
use crate::access::{Access, Scope};
use crate::accounts::{Account, Accounts};
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, DbConn};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{Event, Events};
use crate::identity::{Actor, Record};
use crate::ids::{AccountId, EmailId};
use crate::messages::{self, MailStatus, Mailbox, MessageDto, Messages};
use crate::outbox::{self, Fact};
use crate::storage::Storage;
use prepare::Kind;

/// The furthest that a mail can be scheduled.
const FURTHEST: Duration = Duration::days(366);

/// A time that is meant as "now": clocks differ, and a request takes its time.
const NOW: Duration = Duration::seconds(60);

/// Sending as people use it.
#[derive(Clone)]
pub struct Sending {
    db: Db,
    clock: Clock,
    storage: Storage,
    accounts: Accounts,
    messages: Messages,
    events: Events,
}

/// When a mail leaves, and what it is until then.
struct Departure {
    status: MailStatus,
    due_at: Timestamp,
    scheduled_at: Option<Timestamp>,
}

impl Sending {
    /// Takes the handles that it needs.
    pub fn new(db: Db, clock: Clock, storage: Storage, accounts: Accounts, messages: Messages, events: Events) -> Self {
        Self { db, clock, storage, accounts, messages, events }
    }

    /// Takes a mail to be sent. The same key of the same caller never makes a second mail.
    pub(super) async fn submit(&self, access: &Access, input: MailInput, key: Option<&str>) -> ApiResult<MessageDto> {
        access.require(Scope::Send)?;
        let now = self.clock.now();
        let departure = departure(&self.writable(access, input.account_id).await?, input.scheduled_at, now)?;
        let client_key = key.map(|key| format!("{}:{key}", access.user));
        if let Some(known) = self.made_with(input.account_id, client_key.as_deref()).await? {
            return self.messages.message(access, known).await;
        }
        let prepared = self.prepare(access, input, Kind::Final, None).await?;
        let id = EmailId::new();
        let written = prepared.written(departure.status, now);
        let mut conn = self.db.write().await?;
        let saved: ApiResult<EmailId> = conn
            .transaction(async |tx| {
                if let Some(key) = client_key.as_deref()
                    && let Some(known) = write::by_client_key(tx, prepared.account.id, key).await?
                {
                    return Ok(known);
                }
                let owner = &prepared.owner;
                let thread = messages::write_mail(tx, owner, id, written, now).await?;
                let due = Due { send: Some(departure.due_at), mirror: None };
                write::insert(tx, (id, owner.account), &prepared.plan, due, client_key, now).await?;
                write::set_scheduled_at(tx, id, departure.scheduled_at).await?;
                let fact = Fact::email_updated(owner.reference(), id, Some(thread), &["status"]);
                outbox::record(tx, vec![fact], now).await?;
                audit(tx, access, "message.submitted", id, now).await?;
                Ok(id)
            })
            .await;
        drop(conn);
        let id = saved?;
        self.ring(&prepared.owner);
        self.messages.message(access, id).await
    }

    /// Sends a draft, now or at a time.
    pub(super) async fn send_draft(
        &self,
        access: &Access,
        id: EmailId,
        scheduled_at: Option<Timestamp>,
    ) -> ApiResult<MessageDto> {
        access.require(Scope::Send)?;
        let now = self.clock.now();
        let draft = self.draft(access, id).await?;
        let account = self.writable(access, draft.account).await?;
        let departure = departure(&account, scheduled_at, now)?;
        let revision = draft.revision;
        let prepared = self.prepare(access, prepare::input_of(&draft), Kind::Final, Some(&draft)).await?;
        let written = prepared.written(departure.status, now);
        let mut conn = self.db.write().await?;
        let sent: ApiResult<()> = conn
            .transaction(async |tx| {
                let owner = &prepared.owner;
                // The provider's copy leaves at once: another program must not send it too.
                let due = Due { send: Some(departure.due_at), mirror: Some(now) };
                if write::update(tx, id, revision, &prepared.plan, due, now).await?.is_none() {
                    return Err(drafts::changed());
                }
                messages::withdraw(tx, id, now).await?;
                messages::rewrite_mail(tx, owner, id, written, now).await?;
                write::set_scheduled_at(tx, id, departure.scheduled_at).await?;
                self.tell(tx, owner, id, now).await?;
                audit(tx, access, "message.submitted", id, now).await
            })
            .await;
        drop(conn);
        sent?;
        self.ring(&prepared.owner);
        self.messages.message(access, id).await
    }

    /// Calls a mail back before it leaves.
    pub(super) async fn cancel(&self, access: &Access, id: EmailId) -> ApiResult<MessageDto> {
        access.require(Scope::Send)?;
        let now = self.clock.now();
        let mail = self.own(access, id).await?;
        let owner = self.owner(access, mail.account).await?;
        let mut conn = self.db.write().await?;
        let done: ApiResult<()> = conn
            .transaction(async |tx| {
                let waiting = [MailStatus::Queued, MailStatus::Scheduled];
                let partly = load::outgoing(tx, &[id]).await?.pop().is_some_and(|mail| mail.handed_at.is_some());
                if partly || !write::turn(tx, id, &waiting, MailStatus::Cancelled, now).await? {
                    return Err(too_late(mail.status, partly));
                }
                write::set_due(tx, id, None, now).await?;
                write::set_scheduled_at(tx, id, None).await?;
                write::restore(tx, id, mail.revision, &mail.plan, now).await?;
                self.tell(tx, &owner, id, now).await?;
                audit(tx, access, "message.cancelled", id, now).await
            })
            .await;
        drop(conn);
        done?;
        self.messages.message(access, id).await
    }

    /// Tries a mail again that failed, or that may have been sent and whose writer wants it sent anyway.
    pub(super) async fn retry(&self, access: &Access, id: EmailId) -> ApiResult<MessageDto> {
        access.require(Scope::Send)?;
        let now = self.clock.now();
        let mail = self.own(access, id).await?;
        self.writable(access, mail.account).await?;
        let owner = self.owner(access, mail.account).await?;
        let mut conn = self.db.write().await?;
        let done: ApiResult<()> = conn
            .transaction(async |tx| {
                let ended = [MailStatus::Failed, MailStatus::Uncertain, MailStatus::Queued];
                if !write::turn(tx, id, &ended, MailStatus::Queued, now).await? {
                    let detail = "Only a mail that failed or whose fate is not known can be tried again.";
                    return Err(ApiError::new(ErrorCode::Conflict, detail));
                }
                outcome::reopen_recipients(tx, id).await?;
                write::set_due(tx, id, Some(now), now).await?;
                self.tell(tx, &owner, id, now).await?;
                audit(tx, access, "message.retried", id, now).await
            })
            .await;
        drop(conn);
        done?;
        // Whoever asks for another try does not want to wait for the end of a pause.
        self.accounts.hold_mail(mail.account, None).await?;
        self.ring(&owner);
        self.messages.message(access, id).await
    }

    async fn made_with(&self, account: AccountId, key: Option<&str>) -> ApiResult<Option<EmailId>> {
        let Some(key) = key else { return Ok(None) };
        Ok(write::by_client_key(&mut self.db.read().await?, account, key).await?)
    }

    /// A mail that the caller wrote here.
    async fn own(&self, access: &Access, id: EmailId) -> ApiResult<Outgoing> {
        load::of(&mut self.db.read().await?, access, id).await?.ok_or_else(ApiError::not_found)
    }

    async fn owner(&self, access: &Access, account: AccountId) -> ApiResult<Mailbox> {
        let account = self.accounts.find(access.org, account).await?.ok_or_else(ApiError::not_found)?;
        Ok(Mailbox::of(&account))
    }

    /// A mailbox of the caller from which mail can be sent.
    async fn writable(&self, access: &Access, id: AccountId) -> ApiResult<Account> {
        let account = self.accounts.find(access.org, id).await?.filter(|account| account.user == access.user);
        let account = account.ok_or_else(|| ApiError::invalid("account_id", "you have no such mailbox"))?;
        let inactive = |detail: &str| ApiError::new(ErrorCode::AccountNotActive, detail);
        if account.removed_at.is_some() {
            return Err(inactive("The mailbox was removed; only its mail is kept. Connect it again to send from it."));
        }
        if account.status == crate::accounts::Status::Disconnected {
            return Err(inactive("The mailbox is disconnected. Reconnect it, then send."));
        }
        if account.smtp.is_none() {
            let detail = "Mail cannot be sent from this kind of mailbox yet.";
            return Err(ApiError::new(ErrorCode::ProviderNotAvailable, detail));
        }
        Ok(account)
    }

    async fn tell(&self, tx: &mut DbConn, owner: &Mailbox, id: EmailId, now: Timestamp) -> ApiResult<()> {
        let thread = outcome::thread_of(tx, id).await?;
        let fact = Fact::email_updated(owner.reference(), id, thread, &["status"]);
        Ok(outbox::record(tx, vec![fact], now).await?)
    }

    fn ring(&self, owner: &Mailbox) {
        self.events.publish(Event::FactsRecorded(owner.org));
        self.events.publish(Event::MailQueued(owner.reference()));
    }
}

/// When a mail leaves: at its time, or when the time to call it back is over.
fn departure(account: &Account, at: Option<Timestamp>, now: Timestamp) -> ApiResult<Departure> {
    let Some(at) = at else {
        let undo = Duration::seconds(account.settings.undo_send_seconds.into());
        return Ok(Departure { status: MailStatus::Queued, due_at: now + undo, scheduled_at: None });
    };
    if at < now - NOW {
        return Err(ApiError::invalid("scheduled_at", "this time is over; choose one to come, or leave it out"));
    }
    if at > now + FURTHEST {
        return Err(ApiError::invalid("scheduled_at", "a mail can be scheduled a year ahead at most"));
    }
    Ok(Departure { status: MailStatus::Scheduled, due_at: at, scheduled_at: Some(at) })
}

fn too_late(status: MailStatus, partly: bool) -> ApiError {
    let detail = match status {
        MailStatus::Queued if partly => "Some recipients have it already; the others are tried again.",
        MailStatus::Draft => "It is a draft: nothing of it was sent.",
        MailStatus::Cancelled => "It was called back before.",
        MailStatus::Failed => "It failed and waits for nothing.",
        _ => "It has left, or is leaving right now.",
    };
    ApiError::new(ErrorCode::Conflict, detail)
}

async fn audit(tx: &mut DbConn, access: &Access, action: &'static str, id: EmailId, now: Timestamp) -> ApiResult<()> {
    let record = Record::new(action, "email", id);
    Ok(crate::identity::audit(tx, now, access.org, &Actor::of(access, None), record).await?)
}
