//! Emulators of mail providers, for tests and for the demo.
//!
//! They are strict rather than kind: what the real service refuses, they refuse, and what it does only
//! sometimes, they do often. State lives in memory, time can be moved, and every fault a network or a
//! provider can have is made to order. Nothing here is shared with Duplex itself, so that a mistake in
//! one cannot hide the same mistake in the other.

pub mod gmail;
pub mod graph;
pub mod shared;

pub use gmail::GmailEmulator;
pub use graph::GraphEmulator;
