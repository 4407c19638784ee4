//! JSON Web Tokens signed with RS256.

use super::keys::TestKey;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// A signed token with these claims.
pub fn signed(key: TestKey, claims: &Value) -> String {
    let head = json!({"alg": "RS256", "kid": key.id(), "typ": "JWT"});
    let message = format!("{}.{}", encoded(&head), encoded(claims));
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// A token that claims to need no signature.
pub fn unsigned(claims: &Value) -> String {
    format!("{}.{}.", encoded(&json!({"alg": "none", "typ": "JWT"})), encoded(claims))
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// A token taken apart.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its header.
    pub head: Value,
    /// Its claims, not to be believed before the signature is checked.
    pub claims: Value,
    message: String,
    signature: Vec<u8>,
}

impl Token {
    /// Takes a token apart.
    pub fn parse(text: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (head, claims) = message.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok();
        Some(Self {
            head: json(head)?,
            claims: json(claims)?,
            message: message.to_owned(),
            signature: BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?,
        })
    }

    /// Whether this key signed it with RS256.
    pub fn is_signed_by(&self, key: TestKey) -> bool {
        self.head.get("alg").and_then(Value::as_str) == Some("RS256")
            && key.verifies(self.message.as_bytes(), &self.signature)
    }

    /// A claim that is text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A claim that is a number.
    pub fn number(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim).and_then(Value::as_i64)
    }
}
