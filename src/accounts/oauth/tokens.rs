//! Where the client of a mailbox gets its access token from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::future::BoxFuture;

use super::slots::{Held, Slot};
use super::{no_database, vendor_of};
use crate::accounts::Accounts;
use crate::accounts::model::{Account, Credentials, Provider};
use crate::accounts::store::{self, oauth::Grant, oauth::TokenRow};
use crate::clock::Timestamp;
use crate::events::AccountRef;
use crate::ids::AccountId;
use crate::providers::oauth::{AccessTokens, Mint, ServiceTokens, Vendor, not_connected};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// Column names; sealed values are bound to them.
pub(in crate::accounts) const ACCESS_TOKEN: &str = "access_token";
pub(in crate::accounts) const REFRESH_TOKEN: &str = "refresh_token";

impl Accounts {
    /// The tokens of a mailbox at Google or Microsoft. What its provider says about the access itself (it was revoked, the
    /// operator's secret is wrong) is noted at the mailbox before the caller hears of it.
    pub fn tokens(&self, account: &Account) -> Arc<dyn AccessTokens> {
        let Some(vendor) = vendor_of(account.provider) else { return Arc::new(NoTokens) };
        match account.credentials {
            Credentials::Own => self.own_tokens(vendor, account.reference()),
            Credentials::Service => self.service_tokens(account),
            Credentials::Shared => match account.shared_via {
                // The token is of the one who shares in it; trouble with it is noted there, and here by who meets it.
                Some(via) => self.own_tokens(vendor, AccountRef { account: via, ..account.reference() }),
                None => Arc::new(NoTokens),
            },
        }
    }

    /// The service account's own tokens for Pub/Sub; none where no service account is set up.
    pub fn pubsub_tokens(&self) -> Option<Arc<dyn AccessTokens>> {
        let service_account = self.providers.service_account().ok()?;
        let clock = self.clock.clone();
        let mint: Mint = Arc::new(move || {
            let (service_account, clock) = (service_account.clone(), clock.clone());
            Box::pin(async move { service_account.for_pubsub(clock.now().utc()).await })
        });
        Some(Arc::new(ServiceTokens::new(mint)))
    }

    pub(super) fn own_tokens(&self, vendor: Vendor, account: AccountRef) -> Arc<dyn AccessTokens> {
        let slot = self.slots.own(account.account);
        Arc::new(OwnTokens { accounts: self.clone(), vendor, account, slot, looked: AtomicBool::new(false) })
    }

    fn service_tokens(&self, account: &Account) -> Arc<dyn AccessTokens> {
        let inner = self
            .slots
            .service(account.id, || Arc::new(ServiceTokens::new(self.mint(account.provider, &account.email_address))));
        Arc::new(NotedTokens { accounts: self.clone(), account: account.reference(), inner })
    }

    /// Makes tokens for a mailbox that an administrator opened.
    pub(super) fn mint(&self, provider: Provider, address: &str) -> Mint {
        let (providers, clock, address) = (self.providers.clone(), self.clock.clone(), address.to_owned());
        Arc::new(move || {
            let (providers, now, address) = (providers.clone(), clock.now().utc(), address.clone());
            Box::pin(async move {
                match provider {
                    Provider::Gmail => providers.service_account()?.for_mailbox(&address, now).await,
                    Provider::Outlook => providers.client(Vendor::Microsoft)?.by_client_credentials().await,
                    Provider::Imap => Err(not_connected()),
                }
            })
        })
    }
}

/// The tokens of a mailbox that its owner consented to.
struct OwnTokens {
    accounts: Accounts,
    vendor: Vendor,
    account: AccountRef,
    slot: Slot,
    /// Whether the row was looked at since this was made: what is held may be from before a reconnect elsewhere.
    looked: AtomicBool,
}

/// What a row allows.
pub(super) enum Found {
    /// A token that can be used until the given time.
    Token(Secret, Timestamp),
    /// A new one must be made.
    Stale(Grant, Option<Secret>),
}

impl OwnTokens {
    async fn get(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        let asked = Instant::now();
        let mut held = self.slot.clone().lock_owned().await;
        let now = self.accounts.clock.now();
        let looked = self.looked.load(Ordering::Relaxed);
        if let Some(live) = held.live.as_ref().filter(|live| live.serves(refused, now))
            && looked
            && live.is_trusted()
        {
            return Ok(live.token.clone());
        }
        if let Some(error) = held.failure(asked) {
            return Err(error);
        }
        match self.accounts.look(self.account.account, refused).await {
            Ok(Found::Token(token, expires_at)) => {
                self.looked.store(true, Ordering::Relaxed);
                held.keep(token.clone(), expires_at);
                Ok(token)
            }
            Ok(Found::Stale(..)) => {
                self.looked.store(true, Ordering::Relaxed);
                let (accounts, vendor, account) = (self.accounts.clone(), self.vendor, self.account);
                let refused = refused.cloned();
                // A task of its own: a caller who stops waiting must not leave a replaced refresh token unsaved.
                let work = async move { renew(&accounts, vendor, account, &mut held, refused.as_ref()).await };
                self.accounts.tasks.spawn(work).await.unwrap_or_else(|_| Err(interrupted()))
            }
            Err(error) => {
                held.live = None;
                Err(error)
            }
        }
    }
}

async fn renew(
    accounts: &Accounts,
    vendor: Vendor,
    account: AccountRef,
    held: &mut Held,
    refused: Option<&Secret>,
) -> Result<Secret, ProviderError> {
    held.live = None;
    match accounts.refresh(vendor, account, held, refused).await {
        Ok((token, expires_at)) => {
            held.keep(token.clone(), expires_at);
            Ok(token)
        }
        Err(error) => {
            held.fail(&error);
            Err(error)
        }
    }
}

impl Accounts {
    /// Reads what the row of a mailbox allows.
    pub(super) async fn look(&self, id: AccountId, refused: Option<&Secret>) -> Result<Found, ProviderError> {
        let (row, grant) = self.granted(id).await?;
        let token = self.unsealed(id, ACCESS_TOKEN, &row.access_token)?.filter(|token| Some(token) != refused);
        match (token, row.token_expires_at) {
            (Some(token), Some(expires_at)) if self.clock.now() < expires_at => Ok(Found::Token(token, expires_at)),
            _ => Ok(Found::Stale(grant, self.unsealed(id, REFRESH_TOKEN, &row.refresh_token)?)),
        }
    }

    /// The row of a mailbox that its owner consented to and that is not off.
    pub(super) async fn granted(&self, id: AccountId) -> Result<(TokenRow, Grant), ProviderError> {
        let found = async { store::oauth::read(&mut self.db.read().await?, id).await };
        let (row, grant) = found.await.map_err(|error| no_database(&error))?.ok_or_else(not_connected)?;
        match grant {
            Some(grant) if !row.is_off() => Ok((row, grant)),
            _ => Err(not_connected()),
        }
    }

    pub(super) fn unsealed(
        &self,
        id: AccountId,
        column: &str,
        sealed: &Option<Vec<u8>>,
    ) -> Result<Option<Secret>, ProviderError> {
        self.open(id, column, sealed.as_deref()).map_err(|error| {
            ProviderError::new(ProviderErrorKind::NeedsOperator, "credentials_unreadable", format!("{error:#}"))
        })
    }
}

impl AccessTokens for OwnTokens {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(self.get(None))
    }

    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(self.get(Some(refused)))
    }
}

/// Tokens without a row, whose trouble is noted all the same.
struct NotedTokens {
    accounts: Accounts,
    account: AccountRef,
    inner: Arc<dyn AccessTokens>,
}

impl NotedTokens {
    async fn noted(&self, got: Result<Secret, ProviderError>) -> Result<Secret, ProviderError> {
        if let Err(error) = &got {
            self.accounts.note(self.account, error).await;
        }
        got
    }
}

impl AccessTokens for NotedTokens {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { self.noted(self.inner.current().await).await })
    }

    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(async { self.noted(self.inner.renewed(refused).await).await })
    }
}

/// A mailbox that nothing opens.
struct NoTokens;

impl AccessTokens for NoTokens {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { Err(not_connected()) })
    }

    fn renewed<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(async { Err(not_connected()) })
    }
}

fn interrupted() -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "server_stopping",
        "The server stops; it goes on when it has started again.",
    )
}
