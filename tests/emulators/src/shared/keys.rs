//! RSA keys for tests. `ring` cannot make RSA keys, so they were made once; they protect nothing.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// One of the keys that the crate carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKey {
    /// Signs tokens and pushes at first.
    FirstSigning,
    /// Signs them after a rotation.
    SecondSigning,
    /// Nobody trusts it: what it signs is forged.
    Foreign,
    /// The service account's private key.
    ServiceAccount,
}

impl TestKey {
    /// The private key as PKCS#8 in PEM.
    pub fn pem(self) -> &'static str {
        match self {
            Self::FirstSigning => include_str!("../../keys/test-only-first-signing-key.pem"),
            Self::SecondSigning => include_str!("../../keys/test-only-second-signing-key.pem"),
            Self::Foreign => include_str!("../../keys/test-only-foreign-key.pem"),
            Self::ServiceAccount => include_str!("../../keys/test-only-service-account-key.pem"),
        }
    }

    /// The id under which it is published. The foreign key claims to be the first.
    pub fn id(self) -> &'static str {
        match self {
            Self::FirstSigning | Self::Foreign => "test-only-first",
            Self::SecondSigning => "test-only-second",
            Self::ServiceAccount => "test-only-service-account",
        }
    }

    fn pair(self) -> Option<RsaKeyPair> {
        let text: String = self.pem().lines().filter(|line| !line.starts_with("-----")).collect();
        RsaKeyPair::from_pkcs8(&BASE64.decode(text.trim().as_bytes()).ok()?).ok()
    }

    /// An RS256 signature; empty if the key file is damaged.
    pub fn sign(self, message: &[u8]) -> Vec<u8> {
        let Some(pair) = self.pair() else {
            return Vec::new();
        };
        let mut signature = vec![0; pair.public().modulus_len()];
        match pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    fn components(self) -> Option<PublicKeyComponents<Vec<u8>>> {
        self.pair().map(|pair| PublicKeyComponents::from(pair.public()))
    }

    /// Whether this key made the signature.
    pub fn verifies(self, message: &[u8], signature: &[u8]) -> bool {
        self.components().is_some_and(|key| key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok())
    }

    /// The public key as a JSON Web Key.
    pub fn jwk(self) -> Value {
        let (n, e) = self.components().map(|key| (key.n, key.e)).unwrap_or_default();
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id(),
            "n": BASE64URL_NOPAD.encode(&n), "e": BASE64URL_NOPAD.encode(&e),
        })
    }
}
