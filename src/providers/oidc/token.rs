//! One token, taken apart.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::Value;

use crate::clock::Timestamp;

/// The longest token that is looked at; Google's have some 900 characters.
const LONGEST: usize = 8 * 1024;

/// How far two clocks may be apart.
const SKEW: Duration = Duration::from_secs(60);

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It is no token.
    #[error("it is no signed JSON Web Token")]
    Malformed,
    /// It is signed in another way, or not at all.
    #[error("it is not signed with RS256")]
    Algorithm,
    /// Nobody has published the key that it names.
    #[error("its key is not among the published ones")]
    UnknownKey,
    /// The key that it names has not signed it.
    #[error("its signature is false")]
    Signature,
    /// Somebody else has issued it.
    #[error("its issuer is somebody else")]
    Issuer,
    /// It is meant for somebody else.
    #[error("its audience is somebody else")]
    Audience,
    /// It speaks for somebody else.
    #[error("it belongs to another account")]
    Email,
    /// The issuer does not vouch for the address.
    #[error("its address is not verified")]
    Unverified,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it comes from the future")]
    NotYet,
}

/// What a token must prove.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who may have issued it.
    pub issuers: &'a [&'a str],
    /// Whom it is meant for.
    pub audience: &'a str,
    /// Whose it is.
    pub email: &'a str,
}

/// The public part of an RSA key: modulus and exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) n: Vec<u8>,
    pub(super) e: Vec<u8>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// What must be understood (RFC 7515 §4.1.11): we understand nothing of that kind.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    email_verified: Value,
    exp: Option<f64>,
    iat: Option<f64>,
    nbf: Option<f64>,
}

/// A token whose form is good; nothing that it says is proven yet.
pub(super) struct Token<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    key_id: String,
    claims: Claims,
}

impl<'a> Token<'a> {
    /// Takes a token apart (compact form, RFC 7515 §7.1).
    pub(super) fn parse(text: &'a str) -> Result<Self, Forged> {
        if text.len() > LONGEST {
            return Err(Forged::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Forged::Malformed)?;
        let (head, claims) = signed.split_once('.').ok_or(Forged::Malformed)?;
        let head: Head = decoded(head)?;
        if head.alg != "RS256" || head.crit.is_some() {
            return Err(Forged::Algorithm);
        }
        let key_id = head.kid.filter(|id| !id.is_empty()).ok_or(Forged::UnknownKey)?;
        let claims = decoded(claims)?;
        let signature = octets(signature)?;
        Ok(Self { signed, signature, key_id, claims })
    }

    /// The key that it says it is signed with.
    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Checks what it claims.
    pub(super) fn check_claims(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), Forged> {
        let claims = &self.claims;
        if !claims.iss.as_str().is_some_and(|issuer| expected.issuers.contains(&issuer)) {
            return Err(Forged::Issuer);
        }
        if !is_meant_for(&claims.aud, expected.audience) {
            return Err(Forged::Audience);
        }
        if !claims.email.as_str().is_some_and(|email| email.eq_ignore_ascii_case(expected.email)) {
            return Err(Forged::Email);
        }
        if claims.email_verified != Value::Bool(true) {
            return Err(Forged::Unverified);
        }
        let (now, skew) = (now.micros() as f64 / 1e6, SKEW.as_secs_f64());
        // What lacks an end or a beginning is taken for over, not for lasting.
        if claims.exp.is_none_or(|end| end + skew <= now) || claims.iat.is_none() {
            return Err(Forged::Expired);
        }
        let is_ahead = |time: Option<f64>| time.is_some_and(|time| time > now + skew);
        if is_ahead(claims.iat) || is_ahead(claims.nbf) {
            return Err(Forged::NotYet);
        }
        Ok(())
    }

    /// Checks that this key has signed it; keys of less than 2,048 bits sign nothing.
    pub(super) fn check_signature(&self, key: &PublicKey) -> Result<(), Forged> {
        let key = RsaPublicKeyComponents { n: &key.n, e: &key.e };
        let checked = key.verify(&RSA_PKCS1_2048_8192_SHA256, self.signed.as_bytes(), &self.signature);
        checked.map_err(|_| Forged::Signature)
    }
}

/// One audience, or several (RFC 7519 §4.1.3).
fn is_meant_for(audience: &Value, expected: &str) -> bool {
    match audience {
        Value::String(one) => one == expected,
        Value::Array(several) => several.iter().any(|one| one == expected),
        _ => false,
    }
}

fn octets(part: &str) -> Result<Vec<u8>, Forged> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Forged::Malformed)
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Forged> {
    serde_json::from_slice(&octets(part)?).map_err(|_| Forged::Malformed)
}
