//! The WebSocket: news as it happens, for the people who may see it.
//!
//! Each connection remembers the last fact that it was sent. The bell says that there are more; what they are is read from the
//! outbox, so a lost ring costs time and no fact. How far a sync is comes beside them, from the bell alone.

mod feed;
mod frame;
mod socket;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(socket::open);
}
