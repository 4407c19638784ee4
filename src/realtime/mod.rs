//! The WebSocket: news as it happens, for the people who may see it.
//!
//! Each connection listens to the process's bells, asks the database for what the bell is about, and sends one JSON object a
//! frame. Nothing is promised here: a client that was away reads the lists again.

mod frame;
mod socket;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(socket::open);
}
