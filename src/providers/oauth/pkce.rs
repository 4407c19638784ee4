//! What proves that the one who brings a code is the one who asked for it (RFC 7636).

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::secret::Secret;

/// A verifier, which stays here, and its challenge, which travels with the person.
#[derive(Debug, Clone)]
pub struct Pkce {
    /// The secret half.
    pub verifier: Secret,
}

impl Pkce {
    /// Makes a verifier of 256 random bits, 43 characters long; nothing when the system gives no random numbers.
    pub fn new() -> Option<Self> {
        Some(Self { verifier: random_token()? })
    }

    /// The public half, by the method `S256`.
    pub fn challenge(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, self.verifier.expose().as_bytes()).as_ref())
    }
}

/// 256 random bits as 43 characters of `A-Za-z0-9_-`; nothing when the system gives no random numbers.
pub fn random_token() -> Option<Secret> {
    let mut bits = [0; 32];
    SystemRandom::new().fill(&mut bits).ok()?;
    Some(Secret::new(BASE64URL_NOPAD.encode(&bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_specification() {
        // RFC 7636, appendix B.
        let pkce = Pkce { verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") };
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(Pkce::new().unwrap().verifier.expose().len(), 43);
    }
}
