//! From a token to a caller.

use std::sync::Arc;

use chrono::Duration;

use super::Identity;
use super::sessions::{IDLE, LONGEST};
use crate::access::{Access, Role, Scope};
use crate::clock::Timestamp;
use crate::identity::cache::{BrowserSession, Caller};
use crate::identity::model::User;
use crate::identity::{IdentityError, store, token};
use crate::ids::{ApiKeyId, SessionId};

/// How often it is noted that a session or key is in use.
const SESSION_NOTE: Duration = Duration::hours(1);
const KEY_NOTE: Duration = Duration::minutes(1);

/// What a request brings to prove who sends it.
pub enum Credential {
    /// The value of the session cookie.
    Session(String),
    /// An API key, and for whom it acts.
    Key {
        /// The key.
        key: String,
        /// The address or external id of the user to act for.
        act_as: Option<String>,
    },
}

/// A caller who was let in.
pub struct Admitted {
    /// What the caller may do.
    pub access: Access,
    /// What unsafe requests of a browser must send along.
    pub csrf_token: Option<String>,
    /// The seconds that the browser's cookie should live on, when it is time to renew it.
    pub renew: Option<i64>,
}

impl Identity {
    /// Finds out who sends a request; nobody when the token is unknown, expired or revoked.
    ///
    /// # Errors
    /// When a key calls too often, or may not act for the user that it names.
    pub(in crate::identity) async fn admit(&self, credential: Credential) -> Result<Option<Admitted>, IdentityError> {
        match credential {
            Credential::Session(token) => self.admit_session(&token).await,
            Credential::Key { key, act_as } => self.admit_key(&key, act_as.as_deref()).await,
        }
    }

    async fn admit_session(&self, token: &str) -> Result<Option<Admitted>, IdentityError> {
        let hash = token::hash(token);
        let found = self.0.callers.find(hash.clone(), async || self.load_session(&hash).await).await?;
        let now = self.0.clock.now();
        let Some(caller) = found.filter(|caller| lives(caller, now)) else { return Ok(None) };
        let renew = self.renew(&caller, &hash, now);
        let csrf_token = caller.session.as_ref().map(|session| session.csrf_token.clone());
        Ok(Some(Admitted { access: caller.access.clone(), csrf_token, renew }))
    }

    async fn load_session(&self, hash: &[u8]) -> Result<Option<Caller>, IdentityError> {
        let found = store::sessions::by_token(&mut self.0.db.read().await?, hash).await?;
        Ok(found.filter(|(_, user)| user.disabled_at.is_none()).map(|(session, user)| Caller {
            access: Access {
                org: user.organization_id,
                user: user.id,
                role: user.role,
                scopes: None,
                session: Some(session.id),
                key: None,
            },
            expires_at: Some(session.expires_at),
            session: Some(BrowserSession {
                csrf_token: session.csrf_token,
                last_seen_at: session.last_seen_at,
                created_at: session.created_at,
            }),
        }))
    }

    /// Lets a session in use live on, once an hour; answers the seconds that it has left.
    fn renew(&self, caller: &Arc<Caller>, hash: &[u8], now: Timestamp) -> Option<i64> {
        let session = caller.session.as_ref().filter(|session| now - session.last_seen_at >= SESSION_NOTE)?;
        let expires_at = (now + IDLE).min(session.created_at + LONGEST);
        self.note_session(caller.access.session?, now, expires_at);
        self.0.callers.forget(hash);
        Some((expires_at - now).num_seconds().max(1))
    }

    /// Written aside: looking at something must not wait for, or fail with, a write.
    fn note_session(&self, id: SessionId, now: Timestamp, expires_at: Timestamp) {
        let db = self.0.db.clone();
        tokio::spawn(async move {
            let noted = async { store::sessions::touch(&mut db.write().await?, id, now, expires_at).await }.await;
            if let Err(error) = noted {
                tracing::warn!(error = %error, session.id = %id, "a session could not be renewed");
            }
        });
    }

    async fn admit_key(&self, key: &str, act_as: Option<&str>) -> Result<Option<Admitted>, IdentityError> {
        let own = token::hash(key);
        let remembered = act_as.map_or_else(|| own.clone(), |user| token::hash(&format!("{key}\n{user}")));
        let found = self.0.callers.find(remembered, async || self.load_key(&own, act_as).await).await?;
        let now = self.0.clock.now();
        let Some(caller) = found.filter(|caller| lives(caller, now)) else { return Ok(None) };
        if let Some(id) = caller.access.key {
            self.0.key_calls.check(id).map_err(|limited| IdentityError::TooManyRequests(limited.retry_after))?;
        }
        Ok(Some(Admitted { access: caller.access.clone(), csrf_token: None, renew: None }))
    }

    async fn load_key(&self, hash: &[u8], act_as: Option<&str>) -> Result<Option<Caller>, IdentityError> {
        let mut conn = self.0.db.read().await?;
        let Some((key, user)) = store::keys::by_hash(&mut conn, hash).await? else { return Ok(None) };
        if key.revoked_at.is_some() || user.disabled_at.is_some() {
            return Ok(None);
        }
        let mut access = Access {
            org: user.organization_id,
            user: user.id,
            role: user.role,
            scopes: key.scopes(),
            session: None,
            key: Some(key.id),
        };
        if let Some(reference) = act_as {
            if access.role < Role::Admin || !access.allows(Scope::ActAs) {
                return Err(IdentityError::Forbidden(
                    "X-Act-As needs the key of an owner or admin with the scope \"act_as\".",
                ));
            }
            let other = store::users::by_reference(&mut conn, access.org, reference.trim()).await?;
            let other = other.filter(|user| user.disabled_at.is_none()).ok_or(IdentityError::NotFound)?;
            act_for(&mut access, &other);
        }
        let now = self.0.clock.now();
        if key.last_used_at.is_none_or(|at| now - at >= KEY_NOTE) {
            self.note_key(key.id, now);
        }
        Ok(Some(Caller { access, expires_at: key.expires_at, session: None }))
    }

    fn note_key(&self, id: ApiKeyId, now: Timestamp) {
        let db = self.0.db.clone();
        tokio::spawn(async move {
            let noted = async { store::keys::used(&mut db.write().await?, id, now).await }.await;
            if let Err(error) = noted {
                tracing::warn!(error = %error, key.id = %id, "the use of an API key could not be noted");
            }
        });
    }
}

/// Acting for somebody is for that person's mail: it brings neither a mightier role nor the person's keys and sessions.
fn act_for(access: &mut Access, other: &User) {
    access.role = access.role.min(other.role);
    access.user = other.id;
    let scopes = access.scopes.take().unwrap_or_else(|| vec![Scope::Read, Scope::Write, Scope::Send]);
    access.scopes = Some(scopes.into_iter().filter(|scope| !matches!(scope, Scope::Admin | Scope::ActAs)).collect());
}

fn lives(caller: &Caller, now: Timestamp) -> bool {
    caller.expires_at.is_none_or(|at| now < at)
        && caller.session.as_ref().is_none_or(|session| now < session.created_at + LONGEST)
}
