//! Applications, people's consent, tokens: OAuth 2.0 as Microsoft's identity platform runs it.

mod authorize;
mod clients;
mod model;
pub mod scopes;
mod token;

pub use authorize::{authorize, decide};
pub use model::{Access, Client, Code, Consent, Death, Grant, OAuth, RefreshToken, Secret, Tokens};
pub use token::{configuration, issue, keys, start_grant, token};

use crate::shared::http::Request;

/// The calls of the sign-in pages by path: the organisation, and what is wanted of it.
pub fn place(request: &Request) -> Option<(String, &'static str)> {
    let pieces = request.segments();
    let words: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match (request.method.as_str(), words.as_slice()) {
        ("GET" | "POST", [tenant, "oauth2", "v2.0", "authorize"]) => Some(((*tenant).to_owned(), "oauth.authorize")),
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => Some(((*tenant).to_owned(), "oauth.token")),
        ("GET", [tenant, "discovery", "v2.0", "keys"]) => Some(((*tenant).to_owned(), "oauth.keys")),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            Some(((*tenant).to_owned(), "oauth.configuration"))
        }
        _ => None,
    }
}
