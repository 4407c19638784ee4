//! Mail protocols: one folder a provider, none of them knows the database or the HTTP server.

pub mod discover;
mod error;
pub mod gmail;
pub mod imap;
pub mod oauth;
pub mod oidc;
mod security;
pub mod smtp;

pub use error::{ProviderError, ProviderErrorKind};
pub use security::Security;
