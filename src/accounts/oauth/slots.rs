//! What this process holds of each mailbox's tokens, so that many who need one at once cause one to be made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::ids::{AccountId, GrantId};
use crate::providers::oauth::{AccessTokens, Tokens};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// So long a token is used without a look at its row, where another process may have changed it.
const TRUSTED: Duration = Duration::from_secs(10);

/// So long what the operator must mend is not asked about again.
const OPERATOR_PAUSE: Duration = Duration::from_secs(5);

/// A place for each mailbox.
#[derive(Clone, Default)]
pub(in crate::accounts) struct Slots {
    own: Arc<Mutex<HashMap<AccountId, Slot>>>,
    service: Arc<Mutex<HashMap<AccountId, Arc<dyn AccessTokens>>>>,
}

/// The place of one mailbox; who works at it holds it.
pub(super) type Slot = Arc<tokio::sync::Mutex<Held>>;

/// What is held of one mailbox.
#[derive(Default)]
pub(super) struct Held {
    pub live: Option<Live>,
    failed: Option<Failed>,
    /// Tokens that the provider gave and the database did not take yet: a refresh token that was replaced is gone there.
    pub unsaved: Option<(GrantId, Tokens, Timestamp)>,
}

/// A token that is believed to be good.
#[derive(Clone)]
pub(super) struct Live {
    pub token: Secret,
    pub expires_at: Timestamp,
    pub seen: Instant,
}

struct Failed {
    at: Instant,
    until: Instant,
    error: ProviderError,
}

impl Live {
    /// Whether it can be used now.
    pub fn serves(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        Some(&self.token) != refused && now < self.expires_at
    }

    /// Whether its row was looked at lately.
    pub fn is_trusted(&self) -> bool {
        self.seen.elapsed() < TRUSTED
    }
}

impl Held {
    /// The error that others met since `asked`, or that is not worth meeting again yet.
    pub fn failure(&self, asked: Instant) -> Option<ProviderError> {
        let failed = self.failed.as_ref()?;
        let now = Instant::now();
        if failed.at < asked && failed.until <= now {
            return None;
        }
        let left = failed.until.saturating_duration_since(now);
        let retry_after = failed.error.retry_after.map(|_| left);
        Some(ProviderError { retry_after, ..failed.error.clone() })
    }

    /// Takes a token.
    pub fn keep(&mut self, token: Secret, expires_at: Timestamp) {
        self.live = Some(Live { token, expires_at, seen: Instant::now() });
        self.failed = None;
    }

    /// Takes an error.
    pub fn fail(&mut self, error: &ProviderError) {
        let pause = match error.kind {
            ProviderErrorKind::NeedsOperator => OPERATOR_PAUSE,
            _ => error.retry_after.unwrap_or_default(),
        };
        let at = Instant::now();
        self.failed = Some(Failed { at, until: at + pause, error: error.clone() });
    }
}

impl Slots {
    /// The place of a mailbox that its owner consented to.
    pub(super) fn own(&self, account: AccountId) -> Slot {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).entry(account).or_default().clone()
    }

    /// The tokens of a mailbox that an administrator opened.
    pub(super) fn service(
        &self,
        account: AccountId,
        make: impl FnOnce() -> Arc<dyn AccessTokens>,
    ) -> Arc<dyn AccessTokens> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).entry(account).or_insert_with(make).clone()
    }

    /// Forgets what is held of a mailbox, since it was connected anew or is no more.
    pub(in crate::accounts) fn forget(&self, account: AccountId) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
        self.service.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_before_the_failure_shares_it_and_who_comes_later_tries_anew() {
        let mut held = Held::default();
        let early = Instant::now();
        let away = ProviderError::new(ProviderErrorKind::Unavailable, "provider_unavailable", "away");
        held.fail(&away);
        assert_eq!(held.failure(early), Some(away));
        std::thread::yield_now();
        let late = Instant::now() + Duration::from_millis(1);
        assert_eq!(held.failure(late), None);
        held.fail(&ProviderError::new(ProviderErrorKind::NeedsOperator, "oauth_client_rejected", "no"));
        assert!(held.failure(late).is_some());
    }
}
