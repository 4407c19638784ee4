//! Makes new access tokens, once for all who need one, in all copies of the process together.
//!
//! A claim in the grant's row keeps the copies apart. What the provider gives is sealed and committed before anybody uses it:
//! a refresh token that was replaced is kept nowhere else. Who was killed in between lost nothing that the provider does not
//! still take: Google keeps the refresh token, and Microsoft lets the former one live.

use std::time::Duration;

use uuid::Uuid;

use super::no_database;
use super::slots::Held;
use super::tokens::{ACCESS_TOKEN, Found, REFRESH_TOKEN};
use crate::accounts::Accounts;
use crate::accounts::model::Account;
use crate::accounts::store::{self, oauth::Grant, oauth::NewTokens};
use crate::clock::Timestamp;
use crate::error::is_unavailable;
use crate::events::{AccountRef, Event};
use crate::ids::AccountId;
use crate::outbox::{self, Fact};
use crate::providers::oauth::{Ended, Scopes, Tokens, Vendor, not_connected, usable};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// How long a claim lasts: longer than all tries of a request together.
const CLAIM: chrono::Duration = chrono::Duration::seconds(60);

/// How often who waits for another copy looks again, and how many times.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: u32 = 280;

/// Tries to save what the provider gave, and the pause between them.
const SAVES: u32 = 8;
const SAVE_AGAIN: Duration = Duration::from_secs(1);

impl Accounts {
    /// Makes a new access token, or finds the one that another copy made meanwhile. Answers it with its end.
    pub(super) async fn refresh(
        &self,
        vendor: Vendor,
        account: AccountRef,
        held: &mut Held,
        refused: Option<&Secret>,
    ) -> Result<(Secret, Timestamp), ProviderError> {
        for _ in 0..LOOKS {
            let grant = match self.look(account.account, refused).await? {
                Found::Token(token, expires_at) => return Ok((token, expires_at)),
                Found::Stale(grant, _) => grant,
            };
            let by = format!("{}:{}", self.instance, Uuid::now_v7());
            if !self.claim_refresh(&grant, &by).await.map_err(|error| no_database(&error))? {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            // Somebody may have been done between the look and the claim.
            let made = match self.look(account.account, refused).await {
                Ok(Found::Token(token, expires_at)) => Ok(Some((token, expires_at))),
                Ok(Found::Stale(grant, Some(refresh_token))) => {
                    self.make(vendor, account, &grant, &refresh_token, held).await
                }
                Ok(Found::Stale(grant, None)) => {
                    self.give_up_grant(account, &grant, &not_connected()).await;
                    Err(not_connected())
                }
                Err(error) => Err(error),
            };
            self.release_refresh(account.account, &by).await;
            match made {
                Ok(Some(made)) => return Ok(made),
                // It was connected anew meanwhile.
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ProviderError::new(
            ProviderErrorKind::Unavailable,
            "provider_unavailable",
            "Another copy of the server is renewing the access to this mailbox and does not come to an end. It is tried \
             again by itself.",
        ))
    }

    /// Asks the provider, saves what it gives, and only then hands it out; nothing when the grant is not the present one.
    async fn make(
        &self,
        vendor: Vendor,
        account: AccountRef,
        grant: &Grant,
        refresh_token: &Secret,
        held: &mut Held,
    ) -> Result<Option<(Secret, Timestamp)>, ProviderError> {
        let (tokens, began) = match held.unsaved.take().filter(|(id, ..)| *id == grant.id) {
            Some((_, tokens, began)) => (tokens, began),
            None => {
                let (began, scopes) = (self.clock.now(), Scopes::parse(&grant.scopes));
                let asked = match self.providers.client(vendor) {
                    Ok(client) => client.refresh(refresh_token, &scopes).await,
                    Err(error) => Err(error),
                };
                match asked {
                    Ok(tokens) => (tokens, began),
                    Err(error) => return Err(self.refused(vendor, account, grant, error).await),
                }
            }
        };
        tracing::debug!(account.id = %account.account, "a new access token was made");
        match self.save(grant, &tokens, began).await {
            Ok(saved) => Ok(saved.map(|expires_at| (tokens.access_token, expires_at))),
            Err(error) => {
                held.unsaved = Some((grant.id, tokens, began));
                Err(no_database(&error))
            }
        }
    }

    /// Saves tokens, again while the database is away. Answers their end, or nothing when the grant is not the present one.
    pub(super) async fn save(
        &self,
        grant: &Grant,
        tokens: &Tokens,
        began: Timestamp,
    ) -> diesel::QueryResult<Option<Timestamp>> {
        let sealed = self
            .sealed(grant.account_id, tokens, began)
            .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
        let ends_at = tokens.refresh_lives.map(|life| began + span(life)).or(grant.ends_at);
        let mut tries = 0;
        loop {
            tries += 1;
            let saving = async {
                let mut conn = self.db.write().await?;
                conn.transaction(async |tx| store::oauth::renew(tx, grant, &sealed, ends_at).await).await
            };
            match saving.await {
                Ok(()) => return Ok(Some(sealed.expires_at)),
                Err(diesel::result::Error::NotFound) => return Ok(None),
                Err(error) if is_unavailable(&error) && tries < SAVES => tokio::time::sleep(SAVE_AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Tokens as they are kept.
    pub(super) fn sealed(
        &self,
        id: AccountId,
        tokens: &Tokens,
        began: Timestamp,
    ) -> Result<NewTokens, crate::accounts::SealError> {
        let refresh_token = tokens.refresh_token.as_ref();
        Ok(NewTokens {
            access_token: self.vault.seal(id, ACCESS_TOKEN, &tokens.access_token)?,
            refresh_token: refresh_token.map(|token| self.vault.seal(id, REFRESH_TOKEN, token)).transpose()?,
            expires_at: began + span(usable(tokens.lives)),
        })
    }

    /// Notes what a refusal means for the mailbox, and puts it into words.
    async fn refused(&self, vendor: Vendor, account: AccountRef, grant: &Grant, error: ProviderError) -> ProviderError {
        let age = (self.clock.now() - grant.granted_at).to_std().unwrap_or_default();
        let announced = grant.ends_at.and_then(|end| (end - grant.granted_at).to_std().ok());
        let error = Ended { age, announced }.explain(vendor, error);
        tracing::warn!(account.id = %account.account, error.code = error.code, "no new access token was given");
        match error.kind {
            ProviderErrorKind::NeedsPerson => self.give_up_grant(account, grant, &error).await,
            _ => self.note(account, &error).await,
        }
        error
    }

    /// Lets the mailbox wait for a person, unless it was connected anew since.
    async fn give_up_grant(&self, account: AccountRef, grant: &Grant, error: &ProviderError) {
        let now = self.clock.now();
        let giving_up = async {
            let mut conn = self.db.write().await?;
            conn.transaction(async |tx| {
                if store::oauth::present(tx, account.account).await? != Some(grant.id) {
                    return Ok(None);
                }
                Ok(Some(self.give_up_in(tx, account.account, None, error, now).await?))
            })
            .await
        };
        self.tell(giving_up.await.map(Option::flatten));
    }

    /// Lets a mailbox wait for a person, because its provider says so in an answer to a call (a missing scope, say). The
    /// word counts only if nobody changed the mailbox since it was read; answers whether it waits now because of this call.
    pub async fn give_up(&self, account: &Account, error: &ProviderError) -> bool {
        let now = self.clock.now();
        let since = Some(account.updated_at);
        let giving_up = async {
            let mut conn = self.db.write().await?;
            conn.transaction(async |tx| self.give_up_in(tx, account.id, since, error, now).await).await
        };
        self.tell(giving_up.await)
    }

    async fn give_up_in(
        &self,
        tx: &mut crate::db::DbConn,
        id: AccountId,
        unchanged_since: Option<Timestamp>,
        error: &ProviderError,
        now: Timestamp,
    ) -> diesel::QueryResult<Option<AccountRef>> {
        let Some(account) = store::reference(tx, id).await? else { return Ok(None) };
        let why = (error.code, error.detail.as_str());
        if !store::oauth::disconnect(tx, id, unchanged_since, why, now).await? {
            return Ok(None);
        }
        outbox::record(tx, vec![Fact::account_given_up(account, error.code, &error.detail)], now).await?;
        Ok(Some(account))
    }

    /// Notes what the operator must mend; everything else passes by itself, or is noted by who met it.
    pub(super) async fn note(&self, account: AccountRef, error: &ProviderError) {
        if error.kind != ProviderErrorKind::NeedsOperator {
            return;
        }
        let now = self.clock.now();
        let noting = async {
            let mut conn = self.db.write().await?;
            conn.transaction(async |tx| {
                let Some(account) = store::reference(tx, account.account).await? else { return Ok(None) };
                if !store::oauth::note_error(tx, account.account, (error.code, &error.detail), now).await? {
                    return Ok(None);
                }
                outbox::record(tx, vec![Fact::account_error(account, error.code, &error.detail)], now).await?;
                Ok(Some(account))
            })
            .await
        };
        self.tell(noting.await);
    }

    /// Rings for a mailbox whose health changed; answers whether it did.
    fn tell(&self, changed: diesel::QueryResult<Option<AccountRef>>) -> bool {
        match changed {
            Ok(Some(account)) => {
                self.events.publish(Event::FactsRecorded(account.org));
                self.events.publish(Event::SyncProgress(account));
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(error = %error, "the health of a mailbox could not be noted; the next try notes it");
                false
            }
        }
    }

    async fn claim_refresh(&self, grant: &Grant, by: &str) -> diesel::QueryResult<bool> {
        let now = self.clock.now();
        store::oauth::claim(&mut self.db.write().await?, grant, by, now, now + CLAIM).await
    }

    async fn release_refresh(&self, id: AccountId, by: &str) {
        let release = async { store::oauth::release(&mut self.db.write().await?, id, by).await };
        if let Err(error) = release.await {
            tracing::warn!(error = %error, "a claim on renewing access could not be given back; it ends by itself");
        }
    }

    /// Frees the claims on renewing access that this instance held when it died.
    pub async fn release_own_refreshes(&self) -> diesel::QueryResult<usize> {
        store::oauth::release_all(&mut self.db.write().await?, &self.instance).await
    }
}

/// A time that is too long for a calendar never comes.
pub(super) fn span(time: Duration) -> chrono::Duration {
    chrono::Duration::from_std(time).unwrap_or(chrono::Duration::days(36_500))
}
