//! Passwords: Argon2id, computed aside and a few at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::IdentityError;
use crate::secret::Secret;

/// NIST SP 800-63B-4 asks for eight at least and for no rules about kinds of characters.
const SHORTEST: usize = 8;

/// Long enough for any phrase, short enough to hash at once.
const LONGEST: usize = 1024;

/// How many may wait for their turn; beyond that a flood is turned away at once.
const QUEUE: usize = 64;

/// Stands where a user has no password or does not exist, so that the answer takes as long. No password fits.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords without starving the rest of the process.
///
/// One hash takes 19 MiB and tens of milliseconds of one core: half of the cores may be busy with it, the others wait.
#[derive(Clone)]
pub(super) struct Passwords {
    queue: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// A place in the queue and a core, held while one hash is computed.
struct Turn {
    _place: OwnedSemaphorePermit,
    _core: OwnedSemaphorePermit,
}

impl Passwords {
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Self { queue: Arc::new(Semaphore::new(QUEUE)), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Hashes a new password (PHC notation).
    ///
    /// # Errors
    /// When too many are being hashed at this moment.
    pub async fn hash(&self, password: Secret) -> Result<String, IdentityError> {
        let turn = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let hash = Argon2::default().hash_password(password.expose().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| IdentityError::Hash(error.to_string()))
        })
        .await?
    }

    /// Checks a password; without a hash it takes as long and fails.
    ///
    /// # Errors
    /// When too many are being checked at this moment.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, IdentityError> {
        let turn = self.turn().await?;
        let fits = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            PasswordHash::new(hash.as_deref().unwrap_or(NOBODY))
                .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
        })
        .await?;
        Ok(fits)
    }

    async fn turn(&self) -> Result<Turn, IdentityError> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| IdentityError::Busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| IdentityError::Busy)?;
        Ok(Turn { _place: place, _core: core })
    }
}

/// Refuses a password that is too short, too long, or the address itself.
///
/// # Errors
/// Tells what a good one looks like.
pub(super) fn acceptable(password: &Secret, address: &str) -> Result<(), IdentityError> {
    let text = password.expose();
    if text.chars().count() < SHORTEST || text.len() > LONGEST {
        let message = format!("must have {SHORTEST} characters or more; several words make a good one");
        return Err(IdentityError::Invalid("password", message));
    }
    if text.to_lowercase() == address {
        return Err(IdentityError::Invalid("password", "must not be the e-mail address".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::Params;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify(Secret::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("correct house"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(Secret::new(""), None).await.unwrap());
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        let usual = Params::default();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (usual.m_cost(), usual.t_cost(), usual.p_cost())
        );
    }

    #[test]
    fn a_weak_password_is_refused() {
        assert!(acceptable(&Secret::new("short"), "a@b.c").is_err());
        assert!(acceptable(&Secret::new("Ada@Example.com"), "ada@example.com").is_err());
        assert!(acceptable(&Secret::new("correct horse"), "ada@example.com").is_ok());
    }
}
