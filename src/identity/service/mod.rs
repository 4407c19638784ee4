//! The rules about identities, and the transactions that keep them.

mod authenticate;
mod invitations;
mod keys;
mod organizations;
mod passwords;
mod provision;
mod sessions;
mod setup;
mod users;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::IdentityError;
use super::cache::Callers;
use super::limits::Guesses;
use super::password::Passwords;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::is_unique_violation;
use crate::http::RateLimiter;
use crate::ids::ApiKeyId;

pub use provision::{KeyOrder, UserOrder};
pub(super) use sessions::{IDLE, SignedIn};
pub(super) use users::{NewPerson, PersonChange};

pub(super) use authenticate::{Admitted, Credential};
pub(super) use invitations::NewGuest;
pub(super) use keys::{KeyChange, NewKey};
pub(super) use setup::FirstRun;

/// A key may make 100 requests a second in steady use, and twice as many in a burst.
const KEY_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
const KEY_PERIOD: Duration = Duration::from_secs(2);

/// Everything about who may do what; cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    app_url: String,
    passwords: Passwords,
    guesses: Guesses,
    callers: Callers,
    key_calls: RateLimiter<ApiKeyId>,
}

/// The browser or program at the other end.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Its address.
    pub ip: IpAddr,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// The session that it brings along and that a new one replaces.
    pub old_token: Option<String>,
}

impl Identity {
    /// Makes the service; `app_url` is where people reach the product and what links start with.
    pub fn new(db: Db, clock: Clock, app_url: &str) -> Self {
        Self(Arc::new(Inner {
            db,
            guesses: Guesses::new(clock.clone()),
            clock,
            app_url: app_url.trim_end_matches('/').to_owned(),
            passwords: Passwords::new(),
            callers: Callers::new(),
            key_calls: RateLimiter::new(KEY_BURST, KEY_PERIOD),
        }))
    }

    /// Whether cookies may only travel over TLS.
    pub(super) fn https(&self) -> bool {
        self.0.app_url.starts_with("https://")
    }

    /// A link to one of our pages that carries a one-time token.
    fn link(&self, page: &str, token: &crate::secret::Secret) -> String {
        format!("{}/{page}?token={}", self.0.app_url, token.expose())
    }

    /// Forgets sessions and links that have expired; answers their number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_expired(&self) -> Result<usize, IdentityError> {
        let mut conn = self.0.db.write().await?;
        Ok(super::store::sessions::purge(&mut conn, self.0.clock.now()).await?)
    }
}

/// Says which of a user's unique fields was taken.
fn taken(error: diesel::result::Error) -> IdentityError {
    if !is_unique_violation(&error) {
        return error.into();
    }
    if error.to_string().contains("external_id") { IdentityError::ExternalIdTaken } else { IdentityError::EmailTaken }
}
