//! The parts of a running server, wired together.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::db::Db;
use crate::events::Events;
use crate::http::Proxies;
use crate::identity::Identity;
use crate::messages::Messages;
use crate::outbox::Outbox;
use crate::replay::Holder;
use crate::sending::Sending;
use crate::storage::Storage;
use crate::telemetry::Metrics;

/// Everything that routes and workers are made of; cheap to clone. Features take their handles from it, never the whole.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The bells.
    pub events: Events,
    /// Files and raw mails.
    pub storage: Storage,
    /// Who may do what.
    pub identity: Identity,
    /// Mailboxes.
    pub accounts: Accounts,
    /// Mails.
    pub messages: Messages,
    /// What is written and sent.
    pub sending: Sending,
    /// Facts.
    pub outbox: Outbox,
    /// Whose requests are carried out here.
    pub holder: Holder,
    /// Figures for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Where people reach the server.
    pub public_url: Arc<str>,
    /// Origins that may call the API from a browser.
    pub cors_allowed_origins: Arc<[String]>,
    /// Proxies that are trusted.
    pub proxies: Proxies,
}
