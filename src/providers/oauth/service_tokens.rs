//! Tokens that need no person and no database: made when they are needed, kept in memory until they end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::{AccessTokens, Tokens};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// A token is renewed so long before its end, a tenth of its life at most.
const MARGIN: Duration = Duration::from_secs(60);

/// Makes a token.
pub type Mint = Arc<dyn Fn() -> BoxFuture<'static, Result<Tokens, ProviderError>> + Send + Sync>;

/// The tokens of an application or a service account itself.
pub struct ServiceTokens {
    mint: Mint,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    until: Instant,
}

impl ServiceTokens {
    /// Takes the way to make one.
    pub fn new(mint: Mint) -> Self {
        Self { mint, held: Mutex::new(None) }
    }

    /// The token in hand, unless it is the refused one; else a new one. Who comes meanwhile waits for it.
    async fn get(&self, refused: Option<&Secret>) -> Result<Secret, ProviderError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Some(&held.token) != refused && held.until > Instant::now()) {
            return Ok(held.token.clone());
        }
        let began = Instant::now();
        let tokens = (self.mint)().await?;
        let until = began + usable(tokens.lives);
        *held = Some(Held { token: tokens.access_token.clone(), until });
        Ok(tokens.access_token)
    }
}

impl AccessTokens for ServiceTokens {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(self.get(None))
    }

    fn renewed<'a>(&'a self, refused: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(self.get(Some(refused)))
    }
}

/// How long a token may be used that lives for so long.
pub fn usable(lives: Duration) -> Duration {
    lives.saturating_sub(MARGIN.min(lives / 10))
}

/// One token and no other, for the calls that follow a sign-in.
pub struct FixedToken(pub Secret);

impl AccessTokens for FixedToken {
    fn current(&self) -> BoxFuture<'_, Result<Secret, ProviderError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn renewed<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(async {
            Err(ProviderError::new(
                ProviderErrorKind::NeedsPerson,
                "oauth_token_refused",
                "The provider refuses the access that was just granted. Connect the mailbox again.",
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn many_who_need_a_token_at_once_cause_one_to_be_made() {
        let made = Arc::new(AtomicU32::new(0));
        let count = made.clone();
        let tokens = ServiceTokens::new(Arc::new(move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::task::yield_now().await;
                let access_token = Secret::new(format!("token {number}"));
                let lives = Duration::from_secs(3600);
                Ok(Tokens { access_token, refresh_token: None, lives, scopes: None, refresh_lives: None })
            })
        }));
        let all = futures_util::future::join_all((0..50).map(|_| tokens.current())).await;
        assert!(all.iter().all(|token| token.as_ref().unwrap().expose() == "token 0"));
        let refused = all[0].as_ref().unwrap();
        let again = futures_util::future::join_all((0..50).map(|_| tokens.renewed(refused))).await;
        assert!(again.iter().all(|token| token.as_ref().unwrap().expose() == "token 1"));
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_token_is_renewed_before_its_end_however_short_it_lives() {
        assert_eq!(usable(Duration::from_secs(3600)), Duration::from_secs(3540));
        assert_eq!(usable(Duration::from_secs(100)), Duration::from_secs(90));
        assert_eq!(usable(Duration::ZERO), Duration::ZERO);
    }
}
