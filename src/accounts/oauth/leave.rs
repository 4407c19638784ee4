//! Says goodbye to the provider when a mailbox was disconnected: notifications are stopped, then the access is given back.
//!
//! The database has it first. What is done here is a courtesy that may fail: the provider ends both by itself in time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::tokens::{ACCESS_TOKEN, REFRESH_TOKEN};
use super::vendor_of;
use crate::accounts::Accounts;
use crate::accounts::model::{Account, Credentials};
use crate::accounts::store::{self, oauth::Grant, oauth::TokenRow};
use crate::providers::oauth::{AccessTokens, FixedToken, OAuthClient, Scopes, Vendor};
use crate::secret::Secret;

/// The longest that stopping notifications may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who stops the notifications of a mailbox that is disconnected.
pub trait Farewell: Send + Sync {
    /// The mailbox is off already; the tokens are good for a last call or two.
    fn leaving(&self, account: Account, tokens: Arc<dyn AccessTokens>) -> BoxFuture<'static, ()>;
}

/// What is left of a mailbox's access.
pub(in crate::accounts) struct Parting {
    vendor: Vendor,
    client: Option<OAuthClient>,
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    scopes: Scopes,
    /// Whether another mailbox here hangs on the same grant at the provider.
    has_twin: bool,
}

impl Accounts {
    /// Has somebody told of each mailbox that is disconnected; the first one who asks is told.
    pub fn on_leaving(&self, farewell: Arc<dyn Farewell>) {
        if self.farewell.set(farewell).is_err() {
            tracing::warn!("somebody is told already of mailboxes that are disconnected");
        }
    }

    /// Reads what is needed to say goodbye, while it is still there.
    pub(in crate::accounts) async fn parting(&self, account: &Account) -> diesel::QueryResult<Option<Parting>> {
        let Some(vendor) = vendor_of(account.provider) else { return Ok(None) };
        let mut conn = self.db.read().await?;
        let Some((row, Some(grant))) = store::oauth::read(&mut conn, account.id).await? else {
            return Ok(None);
        };
        let has_twin = store::oauth::has_twin(&mut conn, account.id, account.provider, &account.email_address).await?;
        Ok(Some(self.parting_of(account, vendor, &row, &grant, has_twin)))
    }

    fn parting_of(&self, account: &Account, vendor: Vendor, row: &TokenRow, grant: &Grant, has_twin: bool) -> Parting {
        let open = |column, sealed: &Option<Vec<u8>>| self.open(account.id, column, sealed.as_deref()).ok().flatten();
        let is_good = row.token_expires_at.is_some_and(|end| end > self.clock.now());
        Parting {
            vendor,
            client: self.providers.client(vendor).ok().cloned(),
            access_token: open(ACCESS_TOKEN, &row.access_token).filter(|_| is_good),
            refresh_token: open(REFRESH_TOKEN, &row.refresh_token),
            scopes: Scopes::parse(&grant.scopes),
            has_twin,
        }
    }

    /// Says goodbye in the background.
    pub(in crate::accounts) fn say_goodbye(&self, account: Account, parting: Option<Parting>) {
        self.slots.forget(account.id);
        // Gmail's notifications are one for all who use a mailbox from here: a twin still needs them.
        let is_shared = parting.as_ref().is_some_and(|parting| parting.has_twin && parting.vendor == Vendor::Google);
        let farewell = self.farewell.get().filter(|_| !is_shared).cloned();
        let tokens = (account.credentials != Credentials::Own).then(|| self.tokens(&account));
        self.tasks.spawn(async move {
            let id = account.id;
            let tokens = match (tokens, &parting) {
                (Some(tokens), _) => Some(tokens),
                (None, Some(parting)) => parting.last_token().await,
                (None, None) => None,
            };
            if let (Some(farewell), Some(tokens)) = (farewell, tokens)
                && tokio::time::timeout(PATIENCE, farewell.leaving(account, tokens)).await.is_err()
            {
                tracing::info!(account.id = %id, "the provider's notifications were not stopped in time; they end by themselves");
            }
            if let Some(parting) = parting {
                parting.revoke(id).await;
            }
        });
    }

    /// Waits until nobody renews access or says goodbye any more.
    pub async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Parting {
    async fn last_token(&self) -> Option<Arc<dyn AccessTokens>> {
        let token = match (&self.access_token, &self.client, &self.refresh_token) {
            (Some(token), ..) => token.clone(),
            (None, Some(client), Some(refresh)) => client.refresh(refresh, &self.scopes).await.ok()?.access_token,
            _ => return None,
        };
        Some(Arc::new(FixedToken(token)))
    }

    /// Gives the access back. A twin here would lose it too: then it stays.
    async fn revoke(self, id: crate::ids::AccountId) {
        let (Some(client), Some(token)) = (&self.client, self.refresh_token.as_ref().or(self.access_token.as_ref()))
        else {
            return;
        };
        if self.has_twin {
            return;
        }
        if let Err(error) = client.revoke(token).await {
            let vendor = self.vendor.name();
            tracing::info!(account.id = %id, vendor, error.code = error.code, "the access was not given back; a person can remove it at the provider");
        }
    }
}
