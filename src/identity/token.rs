//! Random tokens and how they are recognised again without being kept.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::IdentityError;
use crate::secret::Secret;

/// What an API key starts with, so that a leaked one is recognised by scanners.
pub(super) const KEY_PREFIX: &str = "dx_";

/// How many characters of an API key are kept to recognise it in a list; the rest has 214 bits.
const SHOWN: usize = 10;

/// Makes a token of 256 random bits: 43 characters of `A-Za-z0-9_-`.
///
/// # Errors
/// When the operating system gives no random bits.
pub(super) fn random() -> Result<Secret, IdentityError> {
    let mut bits = [0; 32];
    SystemRandom::new().fill(&mut bits).map_err(|_| IdentityError::Randomness)?;
    Ok(Secret::new(BASE64URL_NOPAD.encode(&bits)))
}

/// Makes an API key.
///
/// # Errors
/// When the operating system gives no random bits.
pub(super) fn api_key() -> Result<Secret, IdentityError> {
    Ok(Secret::new(format!("{KEY_PREFIX}{}", random()?.expose())))
}

/// The part of an API key that may be shown.
pub(super) fn shown(key: &Secret) -> String {
    key.expose().chars().take(SHOWN).collect()
}

/// What is stored instead of a token. A plain hash does: nobody can try 2^256 tokens.
pub(super) fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// Whether two tokens are the same; the time it takes says nothing about where they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    hash(one) == hash(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_into_a_link_and_is_never_made_twice() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.expose().len(), 43);
        assert!(one.expose().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        assert!(!same(one.expose(), other.expose()));
        assert!(same(one.expose(), one.clone().expose()));
    }

    #[test]
    fn an_api_key_shows_little_of_itself() {
        let key = api_key().unwrap();
        assert!(key.expose().starts_with("dx_"));
        assert_eq!(shown(&key).len(), 10);
    }
}
