//! Tokens by which a caller proves who it is: JSON Web Tokens (RFC 7519) that Google signs with RS256 for its pushes.
//!
//! Everything that a token says of itself is doubted until its signature has been checked with a key that Google publishes.
//! Only RS256 is known here: a token that names another way, `none` among them, is refused before any key is looked at
//! (RFC 8725 §3.1).

mod keys;
mod token;

use url::Url;

use crate::clock::Clock;
use crate::net::Net;
use keys::Keys;

pub use token::{Expected, Forged};

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no proof.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// It may be one, but the keys to check it with cannot be had now.
    #[error("the keys that Google signs with cannot be fetched: {0}")]
    NoKeys(String),
}

/// Checks tokens against the keys that are published at an address; cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    keys: Keys,
    clock: Clock,
}

impl Verifier {
    /// Takes the address of the published keys (JSON Web Key Set, RFC 7517 §5).
    pub fn new(net: &Net, certs_url: Url, clock: Clock) -> Self {
        Self { keys: Keys::new(net.http(), certs_url), clock }
    }

    /// Fetches the keys before they are needed.
    pub async fn warm_up(&self) {
        self.keys.refresh(self.clock.now()).await;
    }

    /// Checks a token.
    ///
    /// # Errors
    /// [`Refusal::Forged`] when it does not prove what is expected; [`Refusal::NoKeys`] when that cannot be told now.
    pub async fn check(&self, text: &str, expected: &Expected<'_>) -> Result<(), Refusal> {
        let token = token::Token::parse(text)?;
        let now = self.clock.now();
        // A token whose claims are not good needs no key: nobody makes us fetch keys with rubbish.
        token.check_claims(expected, now)?;
        let key = self.keys.find(token.key_id(), now).await?;
        Ok(token.check_signature(&key)?)
    }
}

#[cfg(test)]
mod token_tests;
