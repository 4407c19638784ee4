//! What is answered where no route fits: the UI for pages, 405 for a known path with another method, else 404.

use std::collections::BTreeSet;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::openapi::path::PathItem;

use super::assets;
use crate::error::{ApiError, ErrorCode};

/// The methods of each path pattern, from the OpenAPI document.
#[derive(Clone)]
pub(super) struct Methods(Vec<(Vec<String>, BTreeSet<&'static str>)>);

impl Methods {
    pub(super) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let segments = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect();
        Self(document.paths.paths.iter().map(|(path, item)| (segments(path), methods(item))).collect())
    }

    /// The methods that a path knows.
    fn allowed(&self, path: &str) -> BTreeSet<&'static str> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |pattern: &[String]| {
            let same = |(wanted, found): (&String, &&str)| wanted.starts_with('{') || wanted == found;
            pattern.len() == segments.len() && pattern.iter().zip(&segments).all(same)
        };
        self.0.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, methods)| methods.iter().copied()).collect()
    }
}

fn methods(item: &PathItem) -> BTreeSet<&'static str> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect()
}

/// Answers a request that no route took.
pub(super) async fn answer(request: HttpRequest, methods: web::Data<Methods>) -> HttpResponse {
    let path = request.path();
    let allowed = methods.allowed(path);
    if !allowed.is_empty() && !allowed.contains(request.method().as_str()) {
        let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!("This address takes {allowed}.");
        let mut response = ApiError::new(ErrorCode::MethodNotAllowed, detail).error_response();
        if let Ok(value) = header::HeaderValue::from_str(&allowed) {
            response.headers_mut().insert(header::ALLOW, value);
        }
        return response;
    }
    let page = !["/api", "/mail-img", "/email/callback"].iter().any(|prefix| path.starts_with(prefix));
    match *request.method() {
        Method::GET | Method::HEAD if page => assets::serve(&request),
        _ => ApiError::not_found().error_response(),
    }
}
