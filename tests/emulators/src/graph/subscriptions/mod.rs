//! Subscriptions: who is told of changes, how they prove themselves, and how they are told.

mod deliver;
mod model;
mod routes;

pub use deliver::{client, run};
pub use model::{Delivery, Lifecycle, PushFaults, Subscription, Subscriptions};
pub use routes::{carry_out, place, validated};
