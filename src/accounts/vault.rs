//! Seals credentials with AES-256-GCM.
//!
//! A sealed value is `version (1) | key id (8) | nonce (12) | ciphertext | tag (16)`. The key id is an HMAC of a constant
//! under the key, so that it needs no bookkeeping and says nothing about the key. The associated data names the row and the
//! column: a value copied elsewhere does not open.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::KeyMaterial;
use crate::ids::AccountId;
use crate::secret::Secret;

const VERSION: u8 = 1;
const ID_LEN: usize = 8;
const HEAD: usize = 1 + ID_LEN;

/// Which key sealed a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_LEN]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No configured key has the id that stands in the value.
    #[error(
        "it was sealed with a key that is not configured; add the former ENCRYPTION_KEY after the new one (kid:hex,kid:hex)"
    )]
    UnknownKey,
    /// The value was damaged, or belongs to another row or column.
    #[error("the sealed value is damaged or belongs elsewhere; reconnect the mailbox")]
    Forged,
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// The keys of this server: the first one seals, all of them open.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Vec<(KeyId, LessSafeKey)>>,
    random: SystemRandom,
}

impl Vault {
    /// Takes the keys, the sealing one first.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(material: &[KeyMaterial]) -> anyhow::Result<Self> {
        let keys = material
            .iter()
            .map(|key| {
                let unbound = UnboundKey::new(&AES_256_GCM, &key.0)
                    .map_err(|_| anyhow::anyhow!("an ENCRYPTION_KEY does not fit AES-256"))?;
                Ok((key_id(key), LessSafeKey::new(unbound)))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(!keys.is_empty(), "ENCRYPTION_KEY holds no key");
        Ok(Self { keys: Arc::new(keys), random: SystemRandom::new() })
    }

    /// Seals a credential of an account for one column.
    pub fn seal(&self, account: AccountId, column: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        self.seal_bytes(&binding(account, column), secret.expose().as_bytes())
    }

    /// Opens a credential; only for the account and column that it was sealed for.
    pub fn open(&self, account: AccountId, column: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let bytes = self.open_bytes(&binding(account, column), sealed)?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| SealError::Forged)
    }

    /// Whether a value was sealed with another key than the present one.
    pub fn is_stale(&self, sealed: &[u8]) -> bool {
        self.keys.first().is_none_or(|(id, _)| key_of(sealed) != Some(*id))
    }

    /// The ids of all keys, the sealing one first.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|(id, _)| *id)
    }

    fn seal_bytes(&self, aad: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, key) = self.keys.first().ok_or(SealError::UnknownKey)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError::NoRandom)?;
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad.as_bytes()), &mut body)
            .map_err(|_| SealError::Forged)?;
        Ok([&[VERSION], &id.0[..], &nonce, &body].concat())
    }

    fn open_bytes(&self, aad: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let wanted = key_of(sealed).ok_or(SealError::Forged)?;
        let (_, key) = self.keys.iter().find(|(id, _)| *id == wanted).ok_or(SealError::UnknownKey)?;
        let (nonce, body) =
            sealed.get(HEAD..).and_then(|rest| rest.split_at_checked(NONCE_LEN)).ok_or(SealError::Forged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Forged)?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(aad.as_bytes()), &mut body).map_err(|_| SealError::Forged)?;
        Ok(plain.to_vec())
    }
}

fn binding(account: AccountId, column: &str) -> String {
    format!("email_accounts:{account}:{column}")
}

fn key_of(sealed: &[u8]) -> Option<KeyId> {
    match sealed.split_first()? {
        (&VERSION, rest) => Some(KeyId(rest.get(..ID_LEN)?.try_into().ok()?)),
        _ => None,
    }
}

fn key_id(key: &KeyMaterial) -> KeyId {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.0), b"duplex key id");
    let mut id = [0; ID_LEN];
    for (to, from) in id.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    KeyId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(keys: &[u8]) -> Vault {
        Vault::new(&keys.iter().map(|byte| KeyMaterial([*byte; 32])).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed_and_with_its_key() {
        let (account, secret) = (AccountId::new(), Secret::new("pässword"));
        let old = vault(&[1]);
        let sealed = old.seal(account, "imap_password", &secret).unwrap();
        assert_eq!(old.open(account, "imap_password", &sealed), Ok(secret.clone()));
        assert_eq!(old.open(account, "smtp_password", &sealed), Err(SealError::Forged));
        assert_eq!(old.open(AccountId::new(), "imap_password", &sealed), Err(SealError::Forged));
        assert_eq!(vault(&[2]).open(account, "imap_password", &sealed), Err(SealError::UnknownKey));
        let both = vault(&[2, 1]);
        assert!(both.is_stale(&sealed));
        assert_eq!(both.open(account, "imap_password", &sealed), Ok(secret));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let (account, vault) = (AccountId::new(), vault(&[7]));
        let sealed = vault.seal(account, "imap_password", &Secret::new("x")).unwrap();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert!(vault.open(account, "imap_password", &forged).is_err(), "byte {at}");
            assert!(vault.open(account, "imap_password", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let (account, vault) = (AccountId::new(), vault(&[7]));
        let seal = || vault.seal(account, "imap_password", &Secret::new("x")).unwrap();
        assert_ne!(seal(), seal());
    }
}
