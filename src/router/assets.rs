//! The web UI, embedded in the binary.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;
use rust_embed::Embed;

use crate::error::ApiError;
use crate::http::CONTENT_SECURITY_POLICY;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Static;

/// Answers a file of the UI; every page that is no file is the UI itself, so that each view has its address.
pub(super) fn serve(request: &HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    let name = if Static::get(path).is_some() { path } else { "index.html" };
    // A lost script must not come back as a page.
    if name != path && path.starts_with("assets/") {
        return actix_web::ResponseError::error_response(&ApiError::not_found());
    }
    page(request, name)
}

/// Answers one file, whatever the address.
pub(super) fn page(request: &HttpRequest, name: &str) -> HttpResponse {
    let Some(file) = Static::get(name) else {
        return actix_web::ResponseError::error_response(&ApiError::not_found());
    };
    let etag = format!("\"{}\"", HEXLOWER.encode(&file.metadata.sha256_hash()));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.contains(etag.as_str())) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    HttpResponse::Ok()
        .content_type(file.metadata.mimetype())
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .body(file.data.into_owned())
}
