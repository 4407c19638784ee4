//! The rules of mailboxes.

mod imap;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::connect;
use super::dto::Progress;
use super::model::{Account, AccountSettings, Phase, Provider, Status};
use super::oauth::{Farewell, Providers, Slots};
use super::rates::Rates;
use super::store;
use super::vault::Vault;
use crate::access::Access;
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, DbConn};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{Event, Events};
use crate::identity::{Actor, Record};
use crate::ids::{AccountId, OrgId, UserId};
use crate::mail::compose::check_text;
use crate::net::Net;
use crate::outbox::{self, Fact};
use crate::secret::Secret;

/// The mailboxes of this server.
#[derive(Clone)]
pub struct Accounts {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) instance: Arc<str>,
    /// Names this run of the process.
    pub(super) run: Arc<str>,
    pub(super) net: Net,
    pub(super) vault: Vault,
    pub(super) events: Events,
    rates: Rates,
    pub(super) providers: Providers,
    pub(super) slots: Slots,
    /// What goes on beside requests and passes and should come to its end.
    pub(super) tasks: TaskTracker,
    pub(super) farewell: Arc<OnceLock<Arc<dyn Farewell>>>,
}

/// What a person changes on a mailbox; absent fields stay.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub display_name: Option<Option<String>>,
    pub aliases: Option<Vec<String>>,
    pub settings: Option<Value>,
}

impl Accounts {
    /// Takes the handles that it needs; `instance` names this process in leases.
    pub fn new(db: Db, clock: Clock, net: Net, vault: Vault, events: Events, instance: impl Into<Arc<str>>) -> Self {
        let instance = instance.into();
        let run = format!("{instance}:{}", Uuid::now_v7()).into();
        Self {
            db,
            clock,
            instance,
            run,
            net,
            vault,
            events,
            rates: Rates::default(),
            providers: Providers::default(),
            slots: Slots::default(),
            tasks: TaskTracker::new(),
            farewell: Arc::default(),
        }
    }

    /// Adds what is needed for mailboxes of Google and Microsoft.
    #[must_use]
    pub fn with_providers(self, providers: Providers) -> Self {
        Self { providers, ..self }
    }

    /// The meters of running imports.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Reads a mailbox that the caller may manage: its own, or as an admin any of the organization.
    pub(super) async fn managed(&self, access: &Access, id: AccountId) -> ApiResult<Account> {
        let found = store::find(&mut self.db.read().await?, access.org, id).await?;
        found.filter(|account| account.user == access.user || access.is_admin()).ok_or_else(ApiError::not_found)
    }

    /// Reads a mailbox of an organization, whoever owns it; for the engine and for features that apply their own rules.
    pub async fn find(&self, org: OrgId, id: AccountId) -> diesel::QueryResult<Option<Account>> {
        store::find(&mut self.db.read().await?, org, id).await
    }

    /// The caller's mailboxes, or for an admin all of the organization.
    pub async fn list(&self, access: &Access, all: bool) -> ApiResult<Vec<Account>> {
        if all {
            access.require_admin()?;
        }
        let user = (!all).then_some(access.user);
        Ok(store::list(&mut self.db.read().await?, access.org, user).await?)
    }

    /// A mailbox of the user that has the address already and can be opened anew: a live one of the same provider, or one
    /// that was removed with its mail kept.
    pub(super) async fn by_address(
        &self,
        user: UserId,
        address: &str,
        provider: Provider,
    ) -> ApiResult<Option<AccountId>> {
        let Some(known) = store::find_by_address(&mut self.db.read().await?, user, address).await? else {
            return Ok(None);
        };
        if known.erase_requested_at.is_some() {
            let detail = "The mail of this mailbox is still being erased. Connect it again in a minute.";
            return Err(ApiError::new(ErrorCode::Conflict, detail).with_retry_after(30));
        }
        if known.provider != provider.as_str() {
            return Err(ApiError::new(
                ErrorCode::AccountExists,
                "This mailbox was connected here in another way. Disconnect that one and erase its mail first, so that no \
                 mail comes twice.",
            ));
        }
        Ok(Some(known.id))
    }

    /// The same for a mailbox that is to be a new one: nothing, or one that was removed and comes back to life.
    pub(super) async fn free_address(
        &self,
        user: UserId,
        address: &str,
        provider: Provider,
    ) -> ApiResult<Option<AccountId>> {
        let known = store::find_by_address(&mut self.db.read().await?, user, address).await?;
        if known.is_some_and(|known| known.removed_at.is_none() && known.erase_requested_at.is_none()) {
            return Err(exists());
        }
        self.by_address(user, address, provider).await
    }

    /// How far the imports of some mailboxes are.
    pub(super) async fn progress(&self, accounts: &[Account]) -> ApiResult<HashMap<AccountId, Progress>> {
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let mut folders: HashMap<AccountId, Vec<_>> = HashMap::new();
        for folder in store::progress(&mut self.db.read().await?, &ids).await? {
            folders.entry(folder.account_id).or_default().push(folder);
        }
        Ok(folders.into_iter().map(|(id, folders)| (id, Progress::new(folders, self.rates.per_second(id)))).collect())
    }

    /// How far the import of one mailbox is.
    pub async fn progress_of(&self, id: AccountId) -> diesel::QueryResult<Progress> {
        let folders = store::progress(&mut self.db.read().await?, &[id]).await?;
        Ok(Progress::new(folders, self.rates.per_second(id)))
    }

    /// Changes what a person may set.
    pub(super) async fn patch(&self, access: &Access, id: AccountId, changes: Changes) -> ApiResult<Account> {
        let account = self.managed(access, id).await?;
        let display_name = match changes.display_name {
            Some(name) => checked_name(name)?,
            None => account.display_name,
        };
        let aliases = match changes.aliases {
            Some(aliases) => {
                aliases.iter().map(|alias| connect::checked_address(alias)).collect::<ApiResult<Vec<_>>>()?
            }
            None => account.aliases,
        };
        let settings = merged(account.settings, changes.settings)?;
        self.change(access, id, "account.updated", async |tx, now| {
            store::patch(tx, id, display_name.as_deref(), json!(aliases), &settings, now).await
        })
        .await
    }

    /// Stops the syncing of a mailbox until it is resumed.
    pub(super) async fn pause(&self, access: &Access, id: AccountId) -> ApiResult<Account> {
        self.active(access, id).await?;
        self.change(access, id, "account.paused", async |tx, now| {
            store::set_phase(tx, id, Phase::Paused, None, now).await
        })
        .await
    }

    /// Lets a paused mailbox go on where it stopped.
    pub(super) async fn resume(&self, access: &Access, id: AccountId) -> ApiResult<Account> {
        let account = self.active(access, id).await?;
        if account.phase != Phase::Paused {
            return Ok(account);
        }
        let phase = if account.backfill_finished_at.is_some() { Phase::Live } else { Phase::Backfill };
        self.change(access, id, "account.resumed", async |tx, now| {
            store::set_phase(tx, id, phase, Some(now), now).await
        })
        .await
    }

    /// Asks for a pass now; a running one is joined, and another follows it. With `sweep` it compares every mail.
    pub(super) async fn request_sync(&self, access: &Access, id: AccountId, sweep: bool) -> ApiResult<Account> {
        let account = self.active(access, id).await?;
        if account.phase == Phase::Paused {
            return Err(ApiError::new(ErrorCode::AccountNotActive, "The mailbox is paused. Resume it first."));
        }
        let (mut conn, now) = (self.db.write().await?, self.clock.now());
        if sweep {
            store::sweep::request(&mut conn, id, now).await?;
        }
        store::request_sync(&mut conn, id, now).await?;
        drop(conn);
        self.events.publish(Event::SyncRequested(account.reference()));
        Ok(account)
    }

    /// Disconnects a mailbox; its mail stays readable, or is erased in the background.
    pub(super) async fn remove(&self, access: &Access, id: AccountId, keep_mail: bool) -> ApiResult<()> {
        let account = self.managed(access, id).await?;
        let parting = self.parting(&account).await?;
        let now = self.clock.now();
        // One that waited for a person has been told of already.
        let was_on = account.status != Status::Disconnected;
        let facts = was_on.then(|| Fact::account_disconnected(account.reference())).into_iter().collect();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            store::remove(tx, id, !keep_mail, now).await?;
            store::oauth::drop_grant(tx, id).await?;
            outbox::record(tx, facts, now).await?;
            audit(tx, access, if keep_mail { "account.disconnected" } else { "account.erased" }, id, now).await
        })
        .await?;
        drop(conn);
        self.events.publish(Event::FactsRecorded(account.org));
        self.say_goodbye(account, parting);
        Ok(())
    }

    /// A mailbox that a pass could serve.
    async fn active(&self, access: &Access, id: AccountId) -> ApiResult<Account> {
        let account = self.managed(access, id).await?;
        if account.removed_at.is_some() || account.status == Status::Disconnected {
            let detail = "The mailbox is disconnected. Connect it again first.";
            return Err(ApiError::new(ErrorCode::AccountNotActive, detail));
        }
        Ok(account)
    }

    /// Runs a change with its audit entry, rings the bell and answers the mailbox as it is now.
    async fn change(
        &self,
        access: &Access,
        id: AccountId,
        action: &'static str,
        work: impl AsyncFnOnce(&mut DbConn, Timestamp) -> diesel::QueryResult<()>,
    ) -> ApiResult<Account> {
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            work(tx, now).await?;
            audit(tx, access, action, id, now).await
        })
        .await?;
        drop(conn);
        let account = self.managed(access, id).await?;
        self.events.publish(Event::SyncRequested(account.reference()));
        Ok(account)
    }

    /// Mailboxes whose mail is to be erased, with their organizations.
    pub async fn to_erase(&self) -> diesel::QueryResult<Vec<(AccountId, OrgId)>> {
        store::to_erase(&mut self.db.read().await?).await
    }

    /// Deletes a mailbox whose mail has been erased.
    pub async fn forget(&self, id: AccountId) -> diesel::QueryResult<()> {
        store::delete(&mut self.db.write().await?, id).await
    }

    pub(super) fn open(&self, id: AccountId, column: &str, sealed: Option<&[u8]>) -> anyhow::Result<Option<Secret>> {
        Ok(sealed.map(|sealed| self.vault.open(id, column, sealed)).transpose()?)
    }
}

pub(super) fn exists() -> ApiError {
    ApiError::new(
        ErrorCode::AccountExists,
        "You have connected this mailbox already. To sign in to it anew, reconnect it.",
    )
}

pub(super) fn checked_name(name: Option<String>) -> ApiResult<Option<String>> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    match name {
        Some(name) if name.chars().count() > 200 || check_text("display_name", &name).is_err() => {
            Err(ApiError::invalid("display_name", "give at most 200 characters on one line"))
        }
        name => Ok(name),
    }
}

/// PATCH merges, also inside `settings`.
fn merged(settings: AccountSettings, changes: Option<Value>) -> ApiResult<AccountSettings> {
    let Some(changes) = changes else { return Ok(settings) };
    let (Value::Object(changes), Ok(Value::Object(mut all))) = (changes, serde_json::to_value(&settings)) else {
        return Err(ApiError::invalid("settings", "give an object"));
    };
    all.extend(changes);
    let settings: AccountSettings =
        serde_json::from_value(Value::Object(all)).map_err(|error| ApiError::invalid("settings", error.to_string()))?;
    if settings.undo_send_seconds > 120 {
        return Err(ApiError::invalid("settings.undo_send_seconds", "give 0 to 120 seconds"));
    }
    Ok(settings)
}

pub(super) async fn audit(
    tx: &mut DbConn,
    access: &Access,
    action: &'static str,
    id: AccountId,
    now: Timestamp,
) -> diesel::QueryResult<()> {
    audit_by(tx, access.org, &Actor::of(access, None), action, id, now).await
}

pub(super) async fn audit_by(
    tx: &mut DbConn,
    org: OrgId,
    actor: &Actor,
    action: &'static str,
    id: AccountId,
    now: Timestamp,
) -> diesel::QueryResult<()> {
    crate::identity::audit(tx, now, org, actor, Record::new(action, "email_account", id)).await
}
