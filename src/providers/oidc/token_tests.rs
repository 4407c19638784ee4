//! Every way in which a token can be false.

use data_encoding::BASE64URL_NOPAD;
use duplex_emulators::shared::jwt::{signed, unsigned};
use duplex_emulators::shared::keys::TestKey;
use ring::hmac;
use serde_json::{Value, json};

use super::token::*;
use crate::clock::Timestamp;

const NOW: i64 = 1_795_000_000;
const EXPECTED: Expected<'static> = Expected {
    issuers: &["https://accounts.google.com", "accounts.google.com"],
    audience: "https://crm.example/push",
    email: "pusher@project.iam.gserviceaccount.com",
};

fn claims() -> Value {
    json!({
        "iss": "https://accounts.google.com", "aud": "https://crm.example/push", "sub": "1", "azp": "1",
        "email": "pusher@project.iam.gserviceaccount.com", "email_verified": true, "iat": NOW - 10, "exp": NOW + 3_590,
    })
}

fn public(key: TestKey) -> PublicKey {
    let jwk = key.jwk();
    let part = |name: &str| BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap();
    PublicKey { n: part("n"), e: part("e") }
}

fn check(text: &str) -> Result<(), Forged> {
    let token = Token::parse(text)?;
    token.check_claims(&EXPECTED, Timestamp::from_micros(NOW * 1_000_000).unwrap())?;
    token.check_signature(&public(TestKey::FirstSigning))
}

/// A genuine token with other claims; `Null` leaves one out.
fn with(changes: &[(&str, Value)]) -> String {
    let mut claims = claims();
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    signed(TestKey::FirstSigning, &claims)
}

#[test]
fn a_genuine_token_is_believed() {
    assert_eq!(check(&with(&[])), Ok(()));
    assert_eq!(check(&with(&[("iss", json!("accounts.google.com"))])), Ok(()));
    assert_eq!(check(&with(&[("aud", json!(["https://other.example", "https://crm.example/push"]))])), Ok(()));
    assert_eq!(check(&with(&[("exp", json!(NOW as f64 + 1.5))])), Ok(()));
    assert_eq!(Token::parse(&with(&[])).map(|token| token.key_id().to_owned()), Ok("test-only-first".to_owned()));
}

#[test]
fn every_claim_is_looked_at() {
    for (changes, why) in [
        (("iss", json!("https://accounts.google.com.evil.example")), Forged::Issuer),
        (("iss", Value::Null), Forged::Issuer),
        (("iss", json!(["https://accounts.google.com"])), Forged::Issuer),
        (("aud", json!("https://crm.example/push/")), Forged::Audience),
        (("aud", json!([])), Forged::Audience),
        (("aud", Value::Null), Forged::Audience),
        (("email", json!("pusher@other.iam.gserviceaccount.com")), Forged::Email),
        (("email", Value::Null), Forged::Email),
        (("email_verified", json!(false)), Forged::Unverified),
        (("email_verified", json!("true")), Forged::Unverified),
        (("email_verified", Value::Null), Forged::Unverified),
        (("exp", json!(NOW - 61)), Forged::Expired),
        (("exp", Value::Null), Forged::Expired),
        (("exp", json!("soon")), Forged::Malformed),
        (("iat", Value::Null), Forged::Expired),
        (("iat", json!(NOW + 61)), Forged::NotYet),
        (("nbf", json!(NOW + 61)), Forged::NotYet),
    ] {
        assert_eq!(check(&with(std::slice::from_ref(&changes))), Err(why), "{changes:?}");
    }
}

#[test]
fn clocks_may_be_a_little_apart() {
    assert_eq!(check(&with(&[("exp", json!(NOW - 59))])), Ok(()));
    assert_eq!(check(&with(&[("iat", json!(NOW + 59))])), Ok(()));
}

#[test]
fn only_the_signature_of_the_published_key_counts() {
    // The foreign key claims the id of the first.
    assert_eq!(check(&signed(TestKey::Foreign, &claims())), Err(Forged::Signature));
    let genuine = with(&[]);
    let (head, rest) = genuine.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let others = BASE64URL_NOPAD.encode(claims().to_string().replace("\"sub\":\"1\"", "\"sub\":\"2\"").as_bytes());
    assert_eq!(check(&format!("{head}.{others}.{signature}")), Err(Forged::Signature));
    assert_eq!(check(&format!("{genuine}AA")), Err(Forged::Signature));
    assert_eq!(check(&genuine[..=genuine.rfind('.').unwrap()]), Err(Forged::Signature));
}

#[test]
fn no_other_way_of_signing_is_known() {
    assert_eq!(check(&unsigned(&claims())), Err(Forged::Algorithm));
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    // The public key as the secret of an HMAC: who trusts the header is deceived.
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &public(TestKey::FirstSigning).n);
    let message = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": "test-only-first"})), encoded(&claims()));
    let tag = hmac::sign(&secret, message.as_bytes());
    assert_eq!(check(&format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))), Err(Forged::Algorithm));
    for head in [
        json!({"alg": "None", "kid": "test-only-first"}),
        json!({"alg": "rs256", "kid": "test-only-first"}),
        json!({"alg": "RS256", "kid": "test-only-first", "crit": ["b64"], "b64": false}),
    ] {
        assert_eq!(check(&format!("{}.{}.AAAA", encoded(&head), encoded(&claims()))), Err(Forged::Algorithm), "{head}");
    }
    let no_key = format!("{}.{}.AAAA", encoded(&json!({"alg": "RS256"})), encoded(&claims()));
    assert_eq!(check(&no_key), Err(Forged::UnknownKey));
}

#[test]
fn junk_is_no_token() {
    let genuine = with(&[]);
    for junk in
        ["", ".", "..", "a.b", "a.b.c", "Bearer x", "eyJhbGciOiJSUzI1NiJ9", &format!("{genuine}="), &"a".repeat(9_000)]
    {
        assert_eq!(check(junk), Err(Forged::Malformed), "{junk}");
    }
    assert_eq!(check(&format!("{genuine}.{genuine}")), Err(Forged::Malformed));
}
