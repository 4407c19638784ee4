//! Mailboxes that are spoken to in IMAP and SMTP: connecting them, and what their servers are signed in to with.

use serde_json::json;

use super::{audit, checked_name, exists};
use crate::access::Access;
use crate::accounts::Accounts;
use crate::accounts::connect::{self, NewImapAccount};
use crate::accounts::dto::{DiscoverResponse, ReconnectRequest};
use crate::accounts::model::{Account, AccountSettings, Credentials, Phase, Provider, Server, Status};
use crate::accounts::store::{self, NewAccount};
use crate::db::types::Json;
use crate::error::{ApiError, ApiResult, is_unique_violation};
use crate::events::{AccountRef, Event};
use crate::ids::AccountId;
use crate::outbox::{self, Fact};
use crate::providers::imap::ImapSettings;
use crate::providers::smtp::SmtpSettings;

impl Accounts {
    /// Signs in to the IMAP and the SMTP server, then keeps the mailbox and makes its first import due.
    pub(in crate::accounts) async fn connect_imap(&self, access: &Access, new: NewImapAccount) -> ApiResult<Account> {
        let address = connect::checked_address(&new.email_address)?;
        let display_name = checked_name(new.display_name)?;
        connect::check_fields(&new.imap, &new.smtp)?;
        let before = self.free_address(access.user, &address, Provider::Imap).await?;
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
            credentials: Credentials::Own.as_str(),
            shared_via: None,
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

    /// Takes new servers and credentials for a mailbox, after signing in with them.
    pub(in crate::accounts) async fn reconnect_imap(
        &self,
        access: &Access,
        account: Account,
        request: ReconnectRequest,
    ) -> ApiResult<Account> {
        let id = account.id;
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
    pub(in crate::accounts) async fn discover(&self, address: &str) -> ApiResult<DiscoverResponse> {
        let address = connect::checked_address(address)?;
        let found = crate::providers::discover::discover(&self.net, &address).await;
        found.map(DiscoverResponse::from).map_err(|error| ApiError::invalid("email_address", error.to_string()))
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
}
