//! Counts and logs each request: its route's pattern, never its path, query or body.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use uuid::Uuid;

use crate::telemetry::{Metrics, RequestLabels};

/// Wraps the handling of one request.
pub(super) async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let start = Instant::now();
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let method = request.method().to_string();
    let id = Uuid::now_v7();
    let mut response = next.call(request).await?;
    let route = response.request().match_pattern().unwrap_or_else(|| "other".to_owned());
    let (status, took) = (response.status().as_u16(), start.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if let Some(metrics) = metrics {
        let labels = RequestLabels { method: method.clone(), route: route.clone(), status };
        metrics.requests.get_or_create(&labels).inc();
        metrics.request_seconds.observe(took.as_secs_f64());
    }
    if status >= 500 {
        tracing::warn!(request.id = %id, http.method = method, http.route = route, http.status = status, "answered");
    } else {
        tracing::debug!(request.id = %id, http.method = method, http.route = route, http.status = status, took.ms = took.as_millis() as u64, "answered");
    }
    Ok(response)
}
