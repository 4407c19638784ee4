//! The HTTP routes of mails, threads, folders and files.

mod files;
mod folders;
mod messages;
mod threads;

use utoipa_actix_web::service_config::ServiceConfig;

use super::operations;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(messages::list)
        // Before the route with an id, which would take it.
        .service(messages::lookup)
        .service(messages::read)
        .service(files::raw)
        .service(messages::body)
        .service(threads::list)
        .service(threads::read)
        .service(files::attachment)
        .service(files::embedded)
        .service(folders::list)
        .service(folders::update)
        .service(folders::completeness)
        .configure(operations::configure);
}
