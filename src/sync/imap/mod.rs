//! Mailboxes that are spoken to in IMAP: folders, windows of the first import, changes by QRESYNC, CONDSTORE or comparison,
//! what vanished, the daily sweep, and listening (IDLE).
//!
//! A pass lists the folders, then visits each that changed. The first import walks every folder from its newest mail down,
//! round and round in windows, so that recent mail of all folders comes first.

mod apply;
mod changes;
mod fetch;
mod folders;
mod large;
mod news;
mod pass;
mod plan;
mod prepare;
mod renames;
mod settle;
mod sweep;
mod visit;
pub(super) mod watch;

pub(super) use pass::{Pass, Scope};
