//! The sync engine: keeps the database and the providers' mailboxes in step, both ways.
//!
//! Inbound, which most of this folder is about: what lies at the providers comes into the database. `watch` listens, so that
//! news come at once; `outbound` carries people's changes the other way; `sweep` proves once a day that nothing is missing.
//!
//! The work list is the table of mailboxes (`next_sync_at`); bells and the cron only say "look now". A mailbox that is due
//! gets one pass at a time, under a lease: list the folders, then visit each that changed. The first import walks every
//! folder from its newest mail down, round and round in windows, so that recent mail of all folders comes first. Fetching
//! (network), preparing (parsing, hashing, compressing, storing files) and applying (one transaction a batch, which also
//! moves the cursor) run side by side, so a kill at any moment loses nothing and doubles nothing.

mod apply;
mod changes;
mod engine;
mod erase;
mod error;
mod fetch;
mod folders;
mod gate;
mod large;
mod news;
mod outbound;
mod pass;
mod plan;
mod prepare;
mod renames;
mod settle;
mod sweep;
mod times;
mod visit;
mod watch;

pub use engine::{Bell, Engine, EngineParts};
pub use gate::Gate;
pub use times::SyncTimes;
