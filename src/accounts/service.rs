//! The rules of mailboxes.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::connect::{self, NewImapAccount};
use super::dto::{DiscoverResponse, Progress, ReconnectRequest};
use super::model::{Account, AccountSettings, Phase, Provider, Server, Status};
use super::rates::Rates;
use super::store::{self, NewAccount};
use super::vault::Vault;
use crate::access::Access;
use crate::clock::{Clock, Timestamp};
use crate::db::types::Json;
use crate::db::{Db, DbConn};
use crate::error::{ApiError, ApiResult, ErrorCode, is_unique_violation};
use crate::events::{AccountRef, Event, Events};
use crate::identity::{Actor, Record};
use crate::ids::{AccountId, OrgId};
use crate::mail::compose::check_text;
use crate::net::Net;
use crate::outbox::{self, Fact};
use crate::providers::imap::ImapSettings;
use crate::providers::smtp::SmtpSettings;
use crate::secret::Secret;

/// The mailboxes of this server.
#[derive(Clone)]
pub struct Accounts {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) instance: Arc<str>,
    /// Names this run of the process.
    pub(super) run: Arc<str>,
    net: Net,
    vault: Vault,
    events: Events,
    rates: Rates,
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
        Self { db, clock, instance, run, net, vault, events, rates: Rates::default() }
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

    /// Signs in to the IMAP and the SMTP server, then keeps the mailbox and makes its first import due.
    pub(super) async fn connect_imap(&self, access: &Access, new: NewImapAccount) -> ApiResult<Account> {
        if new.provider != Provider::Imap {
            return Err(ApiError::new(
                ErrorCode::ProviderNotAvailable,
                "Only IMAP mailboxes can be connected with a password. Choose provider \"imap\".",
            ));
        }
        let address = connect::checked_address(&new.email_address)?;
        let display_name = checked_name(new.display_name)?;
        connect::check_fields(&new.imap, &new.smtp)?;
        let before = self.before_connect(access, &address).await?;
        connect::check_login(&self.net, &new.imap, &new.smtp).await?;
        let id = before.unwrap_or_else(AccountId::new);
        let endpoints = connect::endpoints(&self.vault, id, &new.imap, &new.smtp).map_err(ApiError::internal)?;
        let now = self.clock.now();
        let row = NewAccount {
            id,
            organization_id: access.org,
            user_id: access.user,
            provider: Provider::Imap.as_str(),
            email_address: address,
            display_name,
            aliases: Json(json!([])),
            settings: Json(serde_json::to_value(AccountSettings::default()).map_err(ApiError::internal)?),
            phase: Phase::Backfill.as_str(),
            status: Status::Active.as_str(),
            push: "none",
            consecutive_failures: 0,
            next_sync_at: now,
            backfill_started_at: now,
            created_at: now,
            updated_at: now,
            endpoints,
        };
        let mut conn = self.db.write().await?;
        let saved = conn
            .transaction(async |tx| {
                match before {
                    Some(id) => store::reconnect(tx, id, &row.endpoints, now).await?,
                    None => store::insert(tx, &row).await?,
                }
                let account = AccountRef { org: access.org, user: access.user, account: id };
                outbox::record(tx, vec![Fact::account_connected(account)], now).await?;
                audit(tx, access, "account.connected", id, now).await
            })
            .await;
        drop(conn);
        match saved {
            Err(error) if is_unique_violation(&error) => return Err(exists()),
            other => other?,
        }
        let account = self.managed(access, id).await?;
        self.events.publish(Event::FactsRecorded(access.org));
        self.events.publish(Event::SyncRequested(account.reference()));
        Ok(account)
    }

    /// Whether the address is free: nothing, or a mailbox that was removed with its mail kept and comes back to life.
    async fn before_connect(&self, access: &Access, address: &str) -> ApiResult<Option<AccountId>> {
        match store::find_by_address(&mut self.db.read().await?, access.user, address).await? {
            None => Ok(None),
            Some((_, _, Some(_))) => Err(ApiError::new(
                ErrorCode::Conflict,
                "The mail of this mailbox is still being erased. Connect it again in a minute.",
            )
            .with_retry_after(30)),
            Some((id, Some(_), None)) => Ok(Some(id)),
            Some(_) => Err(exists()),
        }
    }

    /// Takes new servers and credentials for a mailbox, after signing in with them.
    pub(super) async fn reconnect_imap(
        &self,
        access: &Access,
        id: AccountId,
        request: ReconnectRequest,
    ) -> ApiResult<Account> {
        let account = self.managed(access, id).await?;
        if account.provider != Provider::Imap {
            return Err(ApiError::new(
                ErrorCode::ProviderNotAvailable,
                "This mailbox is connected again in the browser.",
            ));
        }
        let (imap, smtp) = connect::completed(&account, request)?;
        connect::check_fields(&imap, &smtp)?;
        connect::check_login(&self.net, &imap, &smtp).await?;
        let endpoints = connect::endpoints(&self.vault, id, &imap, &smtp).map_err(ApiError::internal)?;
        let was_off = account.status == Status::Disconnected;
        let facts = was_off.then(|| Fact::account_connected(account.reference())).into_iter().collect();
        let changed = self.change(access, id, "account.reconnected", async |tx, now| {
            store::reconnect(tx, id, &endpoints, now).await?;
            outbox::record(tx, facts, now).await
        });
        let changed = changed.await?;
        self.events.publish(Event::FactsRecorded(access.org));
        Ok(changed)
    }

    /// Finds the servers of an address.
    pub(super) async fn discover(&self, address: &str) -> ApiResult<DiscoverResponse> {
        let address = connect::checked_address(address)?;
        let found = crate::providers::discover::discover(&self.net, &address).await;
        found.map(DiscoverResponse::from).map_err(|error| ApiError::invalid("email_address", error.to_string()))
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
        let now = self.clock.now();
        // One that waited for a person has been told of already.
        let was_on = account.status != Status::Disconnected;
        let facts = was_on.then(|| Fact::account_disconnected(account.reference())).into_iter().collect();
        let mut conn = self.db.write().await?;
        conn.transaction(async |tx| {
            store::remove(tx, id, !keep_mail, now).await?;
            outbox::record(tx, facts, now).await?;
            audit(tx, access, if keep_mail { "account.disconnected" } else { "account.erased" }, id, now).await
        })
        .await?;
        self.events.publish(Event::FactsRecorded(account.org));
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

    /// How the engine signs in to the IMAP server of a mailbox.
    pub async fn imap_settings(&self, account: &Account) -> anyhow::Result<ImapSettings> {
        let sealed = store::sealed(&mut self.db.read().await?, account.id).await?;
        let (server, username) =
            account.imap.clone().ok_or_else(|| anyhow::anyhow!("the mailbox has no IMAP server"))?;
        let password = self.open(account.id, connect::IMAP_PASSWORD, sealed.imap_password.as_deref())?;
        let password = password.ok_or_else(|| anyhow::anyhow!("the mailbox has no password"))?;
        Ok(ImapSettings { host: server.host, port: server.port, security: server.security, username, password })
    }

    /// How mail is handed to the SMTP server of a mailbox.
    pub async fn smtp_settings(&self, account: &Account) -> anyhow::Result<SmtpSettings> {
        let sealed = store::sealed(&mut self.db.read().await?, account.id).await?;
        let server = account.smtp.clone().ok_or_else(|| anyhow::anyhow!("the mailbox has no SMTP server"))?;
        let own = |column, value: &Option<Vec<u8>>| self.open(account.id, column, value.as_deref());
        let username = own(connect::SMTP_USERNAME, &sealed.smtp_username)?.map(|name| name.expose().to_owned());
        let password = match own(connect::SMTP_PASSWORD, &sealed.smtp_password)? {
            Some(password) => Some(password),
            None => own(connect::IMAP_PASSWORD, &sealed.imap_password)?,
        };
        let only_if_offered = username.is_none();
        let username = username.or_else(|| account.imap.as_ref().map(|(_, name)| name.clone()));
        let Server { host, port, security } = server;
        Ok(SmtpSettings { host, port, security, username, password, only_if_offered })
    }

    fn open(&self, id: AccountId, column: &str, sealed: Option<&[u8]>) -> anyhow::Result<Option<Secret>> {
        Ok(sealed.map(|sealed| self.vault.open(id, column, sealed)).transpose()?)
    }
}

fn exists() -> ApiError {
    ApiError::new(
        ErrorCode::AccountExists,
        "You have connected this mailbox already. To give it a new password, reconnect it.",
    )
}

fn checked_name(name: Option<String>) -> ApiResult<Option<String>> {
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

async fn audit(
    tx: &mut DbConn,
    access: &Access,
    action: &'static str,
    id: AccountId,
    now: Timestamp,
) -> diesel::QueryResult<()> {
    let record = Record::new(action, "email_account", id);
    crate::identity::audit(tx, now, access.org, &Actor::of(access, None), record).await
}
