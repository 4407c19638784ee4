//! Gmail mailboxes: what comes in, and in which state.

mod crash;
mod import;
mod news;
mod recovery;
