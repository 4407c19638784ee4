//! Mail protocols: one folder a provider, none of them knows the database or the HTTP server.

pub mod discover;
pub mod imap;
mod security;
pub mod smtp;

pub use security::Security;
