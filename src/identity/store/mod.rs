//! All SQL about identities.

pub mod audit;
pub mod invitations;
pub mod keys;
pub mod organizations;
pub mod sessions;
pub mod settings;
pub mod users;
