//! The outbox: facts that others are told of, written with the change that makes them true.
//!
//! [`record`] writes facts unnumbered inside the caller's transaction, so that a fact exists exactly when its change does.
//! After the commit the caller publishes [`Event::FactsRecorded`](crate::events::Event::FactsRecorded).

mod model;
mod store;

pub use model::Fact;
pub use store::record;
