//! Cloud Pub/Sub as far as Gmail's notifications need it: topics, push and pull subscriptions.

mod deliver;
mod model;
mod pull;
mod push;

pub use deliver::deliver;
pub use model::{Delivery, Forgery, PubSub, PushConfig, PushFaults, Queued, Subscription, Topic};
pub use pull::{PubSubCall, acknowledge, modify_deadline, pull};
pub use push::{Job, delivered, due, token_for};
