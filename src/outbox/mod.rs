//! The outbox: facts that others are told of, written with the change that makes them true.
//!
//! [`record`] writes facts unnumbered inside the caller's transaction, so that a fact exists exactly when its change does.
//! After the commit the caller publishes [`Event::FactsRecorded`](crate::events::Event::FactsRecorded); the [`Sequencer`]
//! gives the facts their numbers, per organization and without gaps, and publishes
//! [`Event::FactsNumbered`](crate::events::Event::FactsNumbered). Readers remember the last number they saw and ask for what
//! follows; a reader sees what happened to mailboxes of its own and what concerns the whole organization.

mod dto;
mod model;
mod routes;
mod sequencer;
mod service;
mod store;

pub use dto::{After, EventDto};
pub use model::Fact;
pub use routes::configure;
pub use sequencer::Sequencer;
pub use service::{Listening, Outbox};
pub use store::record;
