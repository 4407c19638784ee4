//! The API, tested from outside, on both databases and with real servers.

#[macro_use]
#[allow(dead_code, unused_imports, reason = "a toolbox: not every tool is in use at every time")]
mod support;

mod accounts;
mod backfill;
mod crash;
mod events;
mod faults;
mod first_start;
mod harness;
mod identity;
mod imap_verbs;
mod mailbox;
mod messages;
mod operations;
mod schema;
mod sending;
mod smtp_verbs;
mod two_way;
