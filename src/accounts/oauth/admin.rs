//! Connects mailboxes that nobody signs in to: those that an administrator of a Workspace or tenant opened to this server, and
//! those that somebody shares with the owner of a connected one.

use std::sync::Arc;

use super::finish::new_row;
use super::refusal;
use super::slots::Held;
use super::tokens::REFRESH_TOKEN;
use crate::access::Access;
use crate::accounts::model::{Account, Credentials, Provider, Status};
use crate::accounts::store::{self, NewAccount};
use crate::accounts::{Accounts, service};
use crate::error::{ApiError, ApiResult, ErrorCode, is_unique_violation};
use crate::events::{AccountRef, Event};
use crate::ids::AccountId;
use crate::outbox::{self, Fact};
use crate::providers::gmail::Lane;
use crate::providers::oauth::{
    AccessTokens, Owner, Scopes, ServiceTokens, Vendor, Whose, not_connected, read_owner, scopes_missing,
};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// Which way a mailbox is opened.
struct Way {
    provider: Provider,
    credentials: Credentials,
    shared_via: Option<AccountId>,
}

impl Accounts {
    /// Connects a mailbox that an administrator opened: by domain-wide delegation at Google, by an application permission at
    /// Microsoft.
    pub(in crate::accounts) async fn connect_by_service(
        &self,
        access: &Access,
        provider: Provider,
        address: &str,
        display_name: Option<String>,
    ) -> ApiResult<Account> {
        access.require_admin()?;
        let tokens: Arc<dyn AccessTokens> = Arc::new(ServiceTokens::new(self.mint(provider, address)));
        let owner = match provider {
            Provider::Gmail => self.gmail_owner(tokens).await,
            Provider::Outlook => self.tenant_owner(tokens, address).await,
            Provider::Imap => {
                return Err(ApiError::new(
                    ErrorCode::ProviderNotAvailable,
                    "IMAP mailboxes are connected with a password; leave out \"credentials\".",
                ));
            }
        };
        let owner = named(owner.map_err(refusal)?, display_name);
        self.keep_granted(access, Way { provider, credentials: Credentials::Service, shared_via: None }, owner).await
    }

    async fn gmail_owner(&self, tokens: Arc<dyn AccessTokens>) -> Result<Owner, ProviderError> {
        self.providers.service_account()?;
        let inner = self.providers.inner().ok_or_else(|| super::not_configured(Vendor::Google))?;
        let mailbox = inner.gmail.mailbox("connecting", tokens, Lane::Interactive);
        let address = mailbox.profile().await?.email_address.to_lowercase();
        Ok(Owner { address, name: None, aliases: Vec::new() })
    }

    async fn tenant_owner(&self, tokens: Arc<dyn AccessTokens>, address: &str) -> Result<Owner, ProviderError> {
        let not_set = super::not_configured(Vendor::Microsoft);
        let inner = self.providers.inner().filter(|inner| inner.microsoft.is_some()).ok_or(not_set)?;
        if !inner.own_tenant {
            return Err(ProviderError::new(
                ProviderErrorKind::NeedsOperator,
                "provider_not_configured",
                "For mailboxes of a whole tenant the operator of this server must set MICROSOFT_TENANT_ID to the tenant's id.",
            ));
        }
        let token = tokens.current().await?;
        read_owner(&self.net, &inner.graph_url, &token, Whose::Of(address)).await
    }

    /// Connects a mailbox that somebody shares with the owner of a connected one.
    pub(in crate::accounts) async fn connect_shared(
        &self,
        access: &Access,
        address: &str,
        via: AccountId,
        display_name: Option<String>,
    ) -> ApiResult<Account> {
        let via = self.managed(access, via).await.map_err(|error| match error.code {
            ErrorCode::NotFound => ApiError::invalid("shared_via", "there is no such mailbox"),
            _ => error,
        })?;
        let is_usable = via.provider == Provider::Outlook && via.credentials == Credentials::Own;
        if !is_usable || via.removed_at.is_some() || via.status == Status::Disconnected {
            let detail = "name a connected Outlook mailbox whose owner signed in";
            return Err(ApiError::invalid("shared_via", detail));
        }
        let token = self.shared_token(&via).await.map_err(refusal)?;
        let inner = self.providers.inner().ok_or_else(|| refusal(super::not_configured(Vendor::Microsoft)))?;
        let owner = read_owner(&self.net, &inner.graph_url, &token, Whose::Of(address)).await.map_err(refusal)?;
        let way = Way { provider: Provider::Outlook, credentials: Credentials::Shared, shared_via: Some(via.id) };
        self.keep_granted(access, way, named(owner, display_name)).await
    }

    /// A token that opens shared mailboxes too. Where they were not asked for at the sign-in, the organization may have agreed
    /// for all its people.
    async fn shared_token(&self, via: &Account) -> Result<Secret, ProviderError> {
        let mut held = self.slots.own(via.id).lock_owned().await;
        let (row, grant) = self.granted(via.id).await?;
        if Scopes::parse(&grant.scopes).include_shared() {
            drop(held);
            return self.own_tokens(Vendor::Microsoft, via.reference()).current().await;
        }
        let refresh_token = self.unsealed(via.id, REFRESH_TOKEN, &row.refresh_token)?.ok_or_else(not_connected)?;
        let scopes = Scopes::own(Vendor::Microsoft).with_shared();
        let client = self.providers.client(Vendor::Microsoft)?.clone();
        let (accounts, began) = (self.clone(), self.clock.now());
        // A task of its own, for the sake of a replaced refresh token.
        let work = async move {
            let tokens = client.refresh(&refresh_token, &scopes).await.map_err(not_shared)?;
            let missing = scopes.missing(tokens.scopes.as_deref());
            let kept = if missing.is_empty() { scopes.joined() } else { grant.scopes.clone() };
            let grant = store::oauth::Grant { scopes: kept, ..grant };
            let saved = accounts.save(&grant, &tokens, began).await.map_err(|error| super::no_database(&error))?;
            *held = Held::default();
            match saved {
                Some(_) if missing.is_empty() => Ok(tokens.access_token),
                Some(_) => Err(not_shared(scopes_missing(Vendor::Microsoft, &missing))),
                None => Err(not_connected()),
            }
        };
        self.tasks.spawn(work).await.unwrap_or_else(|_| Err(not_connected()))
    }

    /// Saves a mailbox: a new one, or one that comes back to life.
    async fn keep_granted(&self, access: &Access, way: Way, owner: Owner) -> ApiResult<Account> {
        let before = self.free_address(access.user, &owner.address, way.provider).await?;
        let id = before.unwrap_or_else(AccountId::new);
        let account = AccountRef { org: access.org, user: access.user, account: id };
        let now = self.clock.now();
        let row = NewAccount {
            credentials: way.credentials.as_str(),
            shared_via: way.shared_via,
            ..new_row(account, way.provider, owner.address.clone(), &owner, now)
        };
        let mut conn = self.db.write().await?;
        let saved = conn
            .transaction(async |tx| {
                match before {
                    Some(id) => {
                        store::reopen(tx, id, now).await?;
                        store::oauth::set_credentials(tx, id, way.credentials, way.shared_via).await?;
                        store::oauth::drop_grant(tx, id).await?;
                    }
                    None => store::insert(tx, &row).await?,
                }
                outbox::record(tx, vec![Fact::account_connected(account)], now).await?;
                service::audit(tx, access, "account.connected", id, now).await
            })
            .await;
        drop(conn);
        match saved {
            Err(error) if is_unique_violation(&error) => return Err(service::exists()),
            other => other?,
        }
        self.slots.forget(id);
        let account = self.managed(access, id).await?;
        self.events.publish(Event::FactsRecorded(access.org));
        self.events.publish(Event::SyncRequested(account.reference()));
        Ok(account)
    }
}

fn named(owner: Owner, display_name: Option<String>) -> Owner {
    Owner { name: display_name.or(owner.name), ..owner }
}

/// What a refusal of shared mailboxes asks for: a consent that names them.
fn not_shared(error: ProviderError) -> ProviderError {
    if error.kind != ProviderErrorKind::NeedsPerson {
        return error;
    }
    ProviderError::new(
        ProviderErrorKind::NeedsPerson,
        "oauth_scope_missing",
        "The owner of the mailbox in \"shared_via\" has not agreed to shared mailboxes yet (Mail.ReadWrite.Shared, \
         Mail.Send.Shared). Connect that one again with {\"shared\": true}, then try this again.",
    )
}
