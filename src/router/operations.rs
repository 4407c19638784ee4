//! Health, figures and the API's own description.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::assets;
use crate::db::Db;
use crate::error::{ApiError, ApiResult, Problem};
use crate::storage::Storage;
use crate::telemetry::Metrics;

/// Adds the routes.
pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(healthz).service(readyz).service(metrics).service(document).service(docs);
}

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    /// The version of Duplex.
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Says that the process is alive.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Health)))]
#[get("/healthz")]
async fn healthz() -> web::Json<Health> {
    web::Json(OK)
}

/// Says whether requests can be served: database and storage answer.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Health), (status = 503, body = Problem)))]
#[get("/readyz")]
async fn readyz(db: web::Data<Db>, storage: web::Data<Storage>) -> ApiResult<web::Json<Health>> {
    let checks = async { Ok::<_, ApiError>((db.ping().await?, storage.check().await?)) };
    match tokio::time::timeout(std::time::Duration::from_secs(4), checks).await {
        Ok(checked) => checked?,
        Err(_) => return Err(ApiError::unavailable()),
    };
    Ok(web::Json(OK))
}

/// Figures for Prometheus.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/metrics")]
async fn metrics(metrics: web::Data<Metrics>) -> ApiResult<HttpResponse> {
    let text = metrics.encode().map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}

/// This document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, content_type = "application/json")))]
#[get("/api/openapi.json")]
async fn document(document: web::Data<utoipa::openapi::OpenApi>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-cache")).json(document.as_ref())
}

/// The document above, to be read by people.
#[utoipa::path(tag = "operations", operation_id = "show_docs", security(()), responses((status = 200, body = String, content_type = "text/html")))]
#[get("/api/docs")]
async fn docs(request: HttpRequest) -> HttpResponse {
    assets::page(&request, "docs.html")
}
