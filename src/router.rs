//! All routes of the server, in one list, and the wrapping that each request passes.

mod assets;
mod fallback;
mod observe;
mod operations;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App as Web, Error, web};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::{accounts, http, identity, messages, outbox, realtime, replay, sending};

/// The routes of the API; each feature lists its own.
fn api(config: &mut ServiceConfig) {
    identity::configure(config);
    accounts::configure(config);
    messages::configure(config);
    sending::configure(config);
    outbox::configure(config);
    realtime::configure(config);
    operations::configure(config);
}

/// Builds the service of one worker.
pub fn service(
    app: App,
) -> Web<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let (service, document) =
        Web::new().into_utoipa_app().openapi(ApiDocument::openapi()).configure(api).split_for_parts();
    let https = app.public_url.starts_with("https://");
    service
        .app_data(web::Data::new(app.db.clone()))
        .app_data(web::Data::new(app.clock.clone()))
        .app_data(web::Data::new(app.events.clone()))
        .app_data(web::Data::new(app.storage.clone()))
        .app_data(web::Data::new(app.identity.clone()))
        .app_data(web::Data::new(app.accounts.clone()))
        .app_data(web::Data::new(app.messages.clone()))
        .app_data(web::Data::new(app.sending.clone()))
        .app_data(web::Data::new(app.outbox.clone()))
        .app_data(web::Data::new(app.holder.clone()))
        .app_data(web::Data::from(app.metrics.clone()))
        .app_data(web::Data::new(app.proxies.clone()))
        .app_data(web::Data::new(fallback::Methods::of(&document)))
        .app_data(web::Data::new(document))
        .configure(http::body_config)
        .default_service(web::to(fallback::answer))
        .wrap(from_fn(replay::replay))
        .wrap(from_fn(identity::authenticate))
        .wrap(cors(&app.cors_allowed_origins))
        .wrap(http::harden(https))
        .wrap(Compress::default())
        .wrap(from_fn(observe::observe))
}

/// The OpenAPI document of all routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Web::new().into_utoipa_app().openapi(ApiDocument::openapi()).configure(api).split_for_parts().1
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::HeaderName::from_static("idempotency-key"),
            header::HeaderName::from_static("x-act-as"),
        ])
        .expose_headers([header::ETAG, header::HeaderName::from_static("duplex-operation-id")])
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Duplex", description = "Two-way e-mail sync for a CRM.", license(name = "MIT OR Apache-2.0")),
    modifiers(&Security),
    security(("session" = []), ("key" = []))
)]
struct ApiDocument;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Default::default);
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("duplex_session")));
        components.add_security_scheme("session", session);
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}
