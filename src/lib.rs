//! Duplex joins mailboxes and a CRM: two-way e-mail sync in one process.
//!
//! The modules stand on floors and imports point down only; `docs/ARCHITECTURE.md` draws them.

#[macro_use]
pub mod ids;

pub mod access;
pub mod accounts;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod events;
pub mod http;
pub mod identity;
pub mod instance;
pub mod mail;
pub mod messages;
pub mod net;
pub mod outbox;
pub mod providers;
pub mod realtime;
pub mod replay;
pub mod router;
pub mod schedule;
pub mod secret;
pub mod sending;
pub mod startup;
pub mod storage;
pub mod sync;
pub mod telemetry;
