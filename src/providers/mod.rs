//! Mail protocols: one folder a provider, none of them knows the database or the HTTP server.

pub mod imap;
pub mod smtp;
