//! The sync engine: keeps the database and the providers' mailboxes in step, both ways.
//!
//! Inbound, which most of this folder is about: what lies at the providers comes into the database, by one arm for each kind
//! of provider (`imap`, `gmail`); `outbound` carries people's changes the other way. What all arms share stands beside them:
//! the engine, the ground that a pass stands on, reading and keeping mails.
//!
//! The work list is the table of mailboxes (`next_sync_at`); bells and the cron only say "look now". A mailbox that is due
//! gets one pass at a time, under a lease. Fetching (network), preparing (parsing, hashing, compressing, storing files) and
//! applying (one transaction a batch, which also moves the cursor) run side by side, so a kill at any moment loses nothing
//! and doubles nothing.

mod engine;
mod erase;
mod error;
mod gate;
mod gmail;
mod ground;
mod imap;
mod keep;
mod outbound;
mod pace;
mod presence;
mod times;

pub use engine::{Bell, Engine, EngineParts};
pub use gate::Gate;
pub use times::SyncTimes;
