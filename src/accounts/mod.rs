//! Mailboxes: connecting them, their sealed credentials, their health, and who syncs them when.
//!
//! A mailbox is `active`, in `error` (it heals by itself: the cron still tries it) or `disconnected` (it waits for a person
//! and is never tried). Its phase says whether the first import runs (`backfill`), is done (`live`) or is `paused`.
//! Credentials are sealed with AES-256-GCM, bound to their row and column, and leave this module only through
//! [`Accounts::imap_settings`] and [`Accounts::smtp_settings`].

mod connect;
mod dto;
mod keyring;
mod model;
mod rates;
mod routes;
mod service;
mod store;
mod vault;

pub use connect::{ImapServer, NewImapAccount, SmtpServer};
pub use dto::{FolderProgressDto, Progress};
pub use keyring::{check_keys, rotate_keys};
pub use model::{Account, AccountSettings, Phase, Provider, Status};
pub use rates::Rates;
pub use routes::configure;
pub use service::Accounts;
pub use store::claims::{Carrier, Mailer};
pub use store::lease::{Lease, Outcome, Pass};
pub use vault::{SealError, Vault};
