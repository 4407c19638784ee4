//! The HTTP routes of sending.

mod drafts;
mod messages;
mod uploads;

use utoipa_actix_web::service_config::ServiceConfig;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(messages::submit)
        .service(messages::cancel)
        .service(messages::retry)
        .service(drafts::create)
        .service(drafts::save)
        .service(drafts::discard)
        .service(drafts::send)
        .service(uploads::upload);
}
