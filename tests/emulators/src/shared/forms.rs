//! What the OAuth endpoints of all providers have in common: forms, client credentials, PKCE.

use super::http::Request;
use data_encoding::{BASE64, BASE64URL_NOPAD};

/// The fields of a form or of a query.
#[derive(Clone, Debug)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// A field that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    }

    /// The words of a field.
    pub fn words(&self, name: &str) -> Vec<String> {
        self.get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }
}

/// The client's id and secret: by HTTP Basic, or else by the form, where the secret may be missing.
pub fn client_credentials(request: &Request, form: &Form) -> Option<(String, String)> {
    let basic = request.headers.get("authorization").and_then(|value| value.strip_prefix("Basic ")).and_then(|text| {
        let decoded = String::from_utf8(BASE64.decode(text.trim().as_bytes()).ok()?).ok()?;
        decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
    });
    let in_form = || Some((form.get("client_id")?.to_owned(), form.get("client_secret").unwrap_or("").to_owned()));
    basic.or_else(in_form)
}

/// Whether a verifier belongs to a challenge of PKCE.
pub fn verifies(challenge: &str, is_sha256: bool, verifier: &str) -> bool {
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let found = if is_sha256 { BASE64URL_NOPAD.encode(digest.as_ref()) } else { verifier.to_owned() };
    found == challenge
}

/// Text made safe for a page.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
