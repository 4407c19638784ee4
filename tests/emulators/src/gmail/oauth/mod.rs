//! Clients, people's consent, tokens: OAuth 2.0 as Google runs it.

mod authorize;
mod model;
mod service_account;
mod token;

pub use authorize::{authorize, decide};
pub use model::{Access, Client, Code, Consent, Death, Grant, OAuth, Publishing, Tokens};
pub use service_account::ServiceAccount;
pub use token::{certificates, configuration, revoke, token};
