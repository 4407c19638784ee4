//! Takes what a person brings back from the provider.
//!
//! A state counts once, for ten minutes, in the browser session that it was made in (RFC 9700 §4.7). However it ends, the
//! person lands on a page of ours that says so.

use std::net::IpAddr;

use serde_json::json;
use url::Url;

use super::begin::state_hash;
use super::refresh::span;
use super::{refusal, vendor_of};
use crate::accounts::model::{Account, AccountSettings, Credentials, Phase, Provider, Status};
use crate::accounts::store::oauth::Grant;
use crate::accounts::store::states::{self, Connect};
use crate::accounts::store::{self, Endpoints, NewAccount};
use crate::accounts::{Accounts, service};
use crate::clock::Timestamp;
use crate::db::types::Json;
use crate::error::{ApiError, ApiResult, ErrorCode, is_unique_violation};
use crate::events::{AccountRef, Event};
use crate::identity::Actor;
use crate::ids::{AccountId, GrantId, SessionId};
use crate::outbox::{self, Fact};
use crate::providers::ProviderError;
use crate::providers::gmail::Lane;
use crate::providers::oauth::{
    FixedToken, Owner, Scopes, Tokens, Vendor, Whose, is_testing, read_owner, refused_consent, scopes_missing,
};
use crate::secret::Secret;

/// What came back, as it stands in the address.
#[derive(Debug, Default)]
pub(in crate::accounts) struct Answer {
    pub state: String,
    pub code: Option<Secret>,
    pub error: Option<String>,
    pub subcode: String,
}

/// A mailbox that was connected.
pub(super) struct Connected {
    account: AccountId,
    /// What the person should know although it worked.
    warning: Option<&'static str>,
}

/// A mailbox as it is to be saved.
struct Opened {
    owner: Owner,
    tokens: Tokens,
    scopes: Scopes,
    began: Timestamp,
}

impl Opened {
    /// What the person allowed, for the row of a mailbox.
    fn grant(&self, id: AccountId) -> Grant {
        Grant {
            account_id: id,
            id: GrantId::new(),
            scopes: self.scopes.joined(),
            granted_at: self.began,
            ends_at: self.tokens.refresh_lives.map(|life| self.began + span(life)),
        }
    }
}

impl Accounts {
    /// Ends a sign-in; answers where the person goes now.
    pub(in crate::accounts) async fn finish_connect(
        &self,
        answer: Answer,
        session: Option<SessionId>,
        ip: IpAddr,
    ) -> String {
        let found = match self.taken(&answer.state, session).await {
            Ok(found) => found,
            Err((connect, error)) => return self.page(connect.as_deref(), Err(&error)),
        };
        let ended = self.conclude(&found, answer, ip).await;
        if let Err(error) = &ended {
            tracing::info!(error.code = error.code.as_str(), "a mailbox was not connected");
            let noting =
                async { states::fail(&mut self.db.write().await?, found.id, error.code.as_str(), &error.detail).await };
            if let Err(error) = noting.await {
                tracing::warn!(error = %error, "it could not be noted why a mailbox was not connected");
            }
        }
        self.page(Some(&found), ended.as_ref())
    }

    /// Uses a state up; an error comes with the sign-in that it belongs to, where that may be known.
    async fn taken(
        &self,
        state: &str,
        session: Option<SessionId>,
    ) -> Result<Connect, (Option<Box<Connect>>, ApiError)> {
        let invalid = || {
            ApiError::new(
                ErrorCode::OauthStateInvalid,
                "This sign-in was not begun here, or has long been over. Start again.",
            )
        };
        let read = async { states::find_by_state(&mut self.db.read().await?, &state_hash(state)).await };
        let found = read.await.map_err(|error| (None, error.into()))?.ok_or_else(|| (None, invalid()))?;
        if found.session_id.is_some() && found.session_id != session {
            let detail = "This sign-in was begun in another browser or by somebody else. Start again here.";
            return Err((None, ApiError::new(ErrorCode::OauthSessionMismatch, detail)));
        }
        let refused = |code, detail: &str| {
            let connect = Connect { return_to: found.return_to.clone(), ..found.clone() };
            (Some(Box::new(connect)), ApiError::new(code, detail))
        };
        let now = self.clock.now();
        if found.expires_at <= now && found.used_at.is_none() {
            return Err(refused(
                ErrorCode::OauthStateExpired,
                "The sign-in took longer than ten minutes. Start again.",
            ));
        }
        let taking = async { states::take(&mut self.db.write().await?, found.id, now).await };
        match taking.await {
            Ok(true) => Ok(found),
            Ok(false) => Err(refused(ErrorCode::OauthStateUsed, "This sign-in was used already. Start again.")),
            Err(error) => Err((Some(Box::new(found)), error.into())),
        }
    }

    async fn conclude(&self, connect: &Connect, answer: Answer, ip: IpAddr) -> ApiResult<Connected> {
        let provider = Provider::parse(&connect.provider);
        let Some((provider, vendor)) = provider.and_then(|it| Some((it, vendor_of(it)?))) else {
            return Err(ApiError::internal("a sign-in is of an unknown provider"));
        };
        if let Some(error) = answer.error {
            return Err(refusal(refused_consent(vendor, &error, &answer.subcode)));
        }
        let code = answer.code.ok_or_else(|| refusal(refused_consent(vendor, "", "")))?;
        let opened = self.opened(connect, vendor, &code).await?;
        self.keep(connect, provider, opened, ip).await
    }

    /// Exchanges the code, looks what was granted, and asks the mailbox itself whose it is.
    async fn opened(&self, connect: &Connect, vendor: Vendor, code: &Secret) -> ApiResult<Opened> {
        let client = self.providers.client(vendor).map_err(refusal)?.clone();
        let verifier = self.vault.open_connect(connect.id, &connect.pkce_verifier).map_err(ApiError::internal)?;
        let began = self.clock.now();
        let tokens = client.exchange(code, &verifier).await.map_err(refusal)?;
        let asked = Scopes::parse(connect.scopes.as_deref().unwrap_or_default());
        let own = Scopes::own(vendor);
        let missing = own.missing(tokens.scopes.as_deref());
        if !missing.is_empty() {
            return Err(refusal(scopes_missing(vendor, &missing)));
        }
        // Without shared mailboxes the person's own one still works.
        let scopes = if asked.missing(tokens.scopes.as_deref()).is_empty() { asked } else { own };
        if tokens.refresh_token.is_none() {
            return Err(ApiError::new(
                ErrorCode::OauthNoRefreshToken,
                match vendor {
                    Vendor::Google => {
                        "Google gave access for one hour only. Remove Duplex at https://myaccount.google.com/connections, then \
                     connect the mailbox again."
                    }
                    Vendor::Microsoft => {
                        "Microsoft gave access for one hour only. Connect the mailbox again and agree to everything that is asked."
                    }
                },
            ));
        }
        let owner = self.owner(vendor, &tokens.access_token).await.map_err(refusal)?;
        Ok(Opened { owner, tokens, scopes, began })
    }

    async fn owner(&self, vendor: Vendor, token: &Secret) -> Result<Owner, ProviderError> {
        let inner = self.providers.inner().ok_or_else(|| super::not_configured(vendor))?;
        match vendor {
            Vendor::Google => {
                let tokens = std::sync::Arc::new(FixedToken(token.clone()));
                // An allowance of its own: whose mailbox it is, is not known yet.
                let mailbox = inner.gmail.mailbox("connecting", tokens, Lane::Interactive);
                let address = mailbox.profile().await?.email_address.to_lowercase();
                Ok(Owner { address, name: None, aliases: Vec::new() })
            }
            Vendor::Microsoft => read_owner(&self.net, &inner.graph_url, token, Whose::Own).await,
        }
    }

    /// Saves the mailbox: a new one, the one that was to be connected again, or one that comes back to life.
    async fn keep(&self, connect: &Connect, provider: Provider, opened: Opened, ip: IpAddr) -> ApiResult<Connected> {
        let (before, address) = match connect.account_id {
            Some(id) => (Some(self.same_mailbox(connect, id, &opened.owner).await?), None),
            None => {
                let address = &opened.owner.address;
                let before = self.by_address(connect.user_id, address, provider).await?;
                let found = match before {
                    Some(id) => self.find(connect.organization_id, id).await?,
                    None => None,
                };
                (found, Some(address.clone()))
            }
        };
        let id = before.as_ref().map_or_else(AccountId::new, |account| account.id);
        let user = before.as_ref().map_or(connect.user_id, |account| account.user);
        let account = AccountRef { org: connect.organization_id, user, account: id };
        let sealed = self.sealed(id, &opened.tokens, opened.began).map_err(ApiError::internal)?;
        let now = self.clock.now();
        let grant = opened.grant(id);
        let was_off = before.as_ref().is_none_or(|account| account.status == Status::Disconnected);
        let action = if before.is_some() { "account.reconnected" } else { "account.connected" };
        let mut conn = self.db.write().await?;
        let saved = conn
            .transaction(async |tx| {
                match &before {
                    Some(account) => {
                        store::reopen(tx, id, now).await?;
                        store::oauth::set_credentials(tx, id, Credentials::Own, None).await?;
                        store::oauth::set_aliases(tx, id, &merged(account, &opened.owner)).await?;
                    }
                    None => {
                        let address = address.unwrap_or_default();
                        store::insert(tx, &new_row(account, provider, address, &opened.owner, now)).await?;
                    }
                }
                store::oauth::write(tx, id, &sealed).await?;
                store::oauth::put_grant(tx, &grant).await?;
                states::succeed(tx, connect.id, id).await?;
                let mut facts: Vec<Fact> = was_off.then(|| Fact::account_connected(account)).into_iter().collect();
                facts.extend(self.revive_shared(tx, id, now).await?);
                outbox::record(tx, facts, now).await?;
                service::audit_by(tx, account.org, &Actor::person(connect.user_id, ip), action, id, now).await
            })
            .await;
        drop(conn);
        match saved {
            Err(error) if is_unique_violation(&error) => return Err(service::exists()),
            other => other?,
        }
        self.slots.forget(id);
        self.events.publish(Event::FactsRecorded(account.org));
        self.events.publish(Event::SyncRequested(account));
        let warning = opened.tokens.refresh_lives.filter(|life| is_testing(*life)).map(|_| "oauth_testing");
        Ok(Connected { account: id, warning })
    }

    /// The mailbox that was to be connected again, if it is the one that was opened.
    async fn same_mailbox(&self, connect: &Connect, id: AccountId, owner: &Owner) -> ApiResult<Account> {
        let account = self.find(connect.organization_id, id).await?.ok_or_else(ApiError::not_found)?;
        let expected = account.email_address.to_lowercase();
        if owner.address == expected || owner.aliases.contains(&expected) {
            return Ok(account);
        }
        Err(ApiError::new(
            ErrorCode::OauthOtherMailbox,
            format!(
                "You signed in to {}, but this is the mailbox {expected}. Nothing was changed. Start again and choose \
                 {expected}, or connect {} as a mailbox of its own.",
                owner.address, owner.address
            ),
        ))
    }

    /// Shared mailboxes that waited for this one go on with it.
    async fn revive_shared(
        &self,
        tx: &mut crate::db::DbConn,
        via: AccountId,
        now: Timestamp,
    ) -> diesel::QueryResult<Vec<Fact>> {
        let mut facts = Vec::new();
        for (account, org, user) in store::oauth::waiting_for(tx, via).await? {
            store::reopen(tx, account, now).await?;
            facts.push(Fact::account_connected(AccountRef { org, user, account }));
        }
        Ok(facts)
    }

    /// The page where a sign-in ends, and what it tells in its address.
    fn page(&self, connect: Option<&Connect>, ended: Result<&Connected, &ApiError>) -> String {
        let app_url = self.providers.inner().map(|inner| inner.app_url.as_str()).unwrap_or_default();
        let default = || format!("{app_url}/connect");
        let page = connect.and_then(|connect| connect.return_to.clone()).unwrap_or_else(default);
        let Ok(mut url) = Url::parse(&page) else { return default() };
        {
            let mut query = url.query_pairs_mut();
            match ended {
                Ok(connected) => {
                    query.append_pair("account_id", &connected.account.to_string());
                    if let Some(warning) = connected.warning {
                        query.append_pair("warning", warning);
                    }
                }
                Err(error) => {
                    query.append_pair("error", error.code.as_str());
                    if let Some(connect) = connect {
                        query.append_pair("connect_id", &connect.id.to_string());
                    }
                }
            }
        }
        url.into()
    }
}

fn merged(account: &Account, owner: &Owner) -> Vec<String> {
    let mut aliases = account.aliases.clone();
    let further = std::iter::once(&owner.address).chain(&owner.aliases);
    aliases.extend(further.filter(|it| **it != account.email_address && !account.aliases.contains(it)).cloned());
    aliases
}

/// The row of a mailbox that is connected for the first time.
pub(super) fn new_row(
    account: AccountRef,
    provider: Provider,
    address: String,
    owner: &Owner,
    now: Timestamp,
) -> NewAccount {
    NewAccount {
        id: account.account,
        organization_id: account.org,
        user_id: account.user,
        provider: provider.as_str(),
        email_address: address,
        display_name: owner.name.as_ref().map(|name| name.chars().filter(|c| !c.is_control()).take(200).collect()),
        aliases: Json(json!(owner.aliases)),
        credentials: Credentials::Own.as_str(),
        shared_via: None,
        settings: Json(serde_json::to_value(AccountSettings::default()).unwrap_or_default()),
        phase: Phase::Backfill.as_str(),
        status: Status::Active.as_str(),
        push: "none",
        consecutive_failures: 0,
        next_sync_at: now,
        backfill_started_at: now,
        created_at: now,
        updated_at: now,
        endpoints: Endpoints::default(),
    }
}
