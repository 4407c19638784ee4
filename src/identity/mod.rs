//! Who may do what: organizations, their people, how these sign in, and what they did.
//!
//! A person signs in with an e-mail address and a password and gets a session cookie; a program sends an API key. The
//! middleware [`authenticate`] turns either into an [`Access`](crate::access::Access), by the one table of rules in
//! `gate.rs`. Passwords are kept as Argon2id, every other secret that we only need to recognise (session tokens, API keys,
//! links) as SHA-256 of 256 random bits. Whatever changes who may do what is written to the audit log ([`audit`]) in the
//! same transaction.

mod address;
mod audit_log;
mod cache;
mod dto;
mod error;
mod gate;
mod limits;
mod middleware;
mod model;
mod password;
mod routes;
mod service;
mod store;
mod token;

pub use audit_log::{Actor, ChainReport, Record, audit};
pub use error::IdentityError;
pub use middleware::authenticate;
pub use model::{Organization, User};
pub use routes::configure;
pub use service::{Identity, KeyOrder, UserOrder};
