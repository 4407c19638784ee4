//! The middleware around every POST that carries a key.

use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::Holder;
use super::store::{self, Claim, Known};
use crate::access::Access;
use crate::clock::Clock;
use crate::db::Db;
use crate::db::types::Json;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::ids::UserId;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an answer is kept.
const KEPT: chrono::Duration = chrono::Duration::hours(24);

/// A request that has not been answered for so long died with its process.
const DEAD: chrono::Duration = chrono::Duration::seconds(90);

/// How long a second request waits for the answer of the first.
const WAIT: Duration = Duration::from_secs(30);

/// Headers that belong to an answer.
const HEADERS: [&str; 4] = ["content-type", "location", "etag", "duplex-operation-id"];

/// Stands among the kept headers when the answer itself is not kept.
const TOLD_ONCE: &str = "told-once";

type BoxedStream = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// Answers a POST that was answered before with its first answer; wrap it inside the authentication.
///
/// # Errors
/// Only those of the services within; a refusal is an answer.
pub async fn replay<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let user = request.extensions().get::<Access>().map(|access| access.user);
    let key = request.headers().get(KEY).cloned();
    let (Some(user), Some(key), &Method::POST, true) = (user, key, request.method(), is_json(request.headers())) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let once = match Once::begin(&mut request, user, &key).await {
        Ok(Begun::First(once)) => once,
        Ok(Begun::Answered(response)) => return Ok(request.into_response(response).map_into_right_body()),
        Err(refusal) => return Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    };
    let response = next.call(request).await?;
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let body = match to_bytes(body).await {
        Ok(body) => body,
        Err(_) => Bytes::new(),
    };
    once.end(response.status(), response.headers(), &body).await;
    let response = response.set_body(BoxBody::new(body));
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}

/// Bodies that are no JSON are uploads: repeated, they only make another file.
fn is_json(headers: &HeaderMap) -> bool {
    match headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        Some(value) => value.contains("json"),
        None => true,
    }
}

/// A request that is carried out once.
struct Once {
    db: web::Data<Db>,
    user: UserId,
    key: String,
}

enum Begun {
    First(Once),
    Answered(HttpResponse),
}

impl Once {
    /// Takes the key, or finds the answer that was given under it.
    async fn begin(request: &mut ServiceRequest, user: UserId, key: &HeaderValue) -> ApiResult<Begun> {
        let key = checked(key)?;
        let (Some(db), Some(clock), Some(holder)) = (
            request.app_data::<web::Data<Db>>().cloned(),
            request.app_data::<web::Data<Clock>>().cloned(),
            request.app_data::<web::Data<Holder>>().cloned(),
        ) else {
            return Err(ApiError::internal("the replay middleware lacks its handles"));
        };
        let body = request.extract::<Bytes>().await.map_err(|_| {
            ApiError::new(ErrorCode::PayloadTooLarge, "The body is too large, or ended early. Send it again.")
        })?;
        let path = request.uri().to_string();
        let hash = digest(&SHA256, &[path.as_bytes(), b"\n", &body].concat());
        let whole: BoxedStream = Box::pin(stream::once(async move { Ok(body) }));
        request.set_payload(Payload::from(whole));
        let now = clock.now();
        let claim = Claim {
            user_id: user,
            key: &key,
            method: "POST",
            path: &path,
            request_hash: hash.as_ref(),
            created_at: now,
            expires_at: now + KEPT,
            held_by: &holder.0,
        };
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            let mut conn = db.write().await?;
            let free = conn.transaction(async |tx| store::claim(tx, &claim, now - DEAD).await).await?;
            let known = if free { None } else { store::find(&mut conn, user, &key).await? };
            drop(conn);
            if free {
                return Ok(Begun::First(Self { db, user, key }));
            }
            if let Some(response) = known.map(|known| answer(known, hash.as_ref())).transpose()?.flatten() {
                return Ok(Begun::Answered(response));
            }
            if tokio::time::Instant::now() >= deadline {
                let detail =
                    "The first request with this Idempotency-Key is still being carried out. Ask again in a moment.";
                return Err(ApiError::new(ErrorCode::Conflict, detail).with_retry_after(5));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Keeps the answer; one that says "try again" frees the key instead.
    async fn end(self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let again = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let (headers, body) = match status.is_success() && tells_a_secret(headers) {
            true => (Json(json!({ TOLD_ONCE: true })), &[][..]),
            false => (kept_headers(headers), body),
        };
        let saved = async {
            let mut conn = self.db.write().await?;
            if again {
                return store::forget(&mut conn, self.user, &self.key).await;
            }
            store::keep(&mut conn, self.user, &self.key, i32::from(status.as_u16()), headers, body).await
        };
        if let Err(error) = saved.await {
            tracing::warn!(error = %error, "an answer could not be kept for its Idempotency-Key");
        }
    }
}

fn checked(key: &HeaderValue) -> ApiResult<String> {
    let text = key.to_str().ok().map(str::trim).filter(|text| (1..=255).contains(&text.len()));
    text.map(str::to_owned)
        .ok_or_else(|| ApiError::invalid("Idempotency-Key", "give 1 to 255 printable ASCII characters, such as a UUID"))
}

/// The first answer; nothing while it is not there yet.
fn answer(known: Known, hash: &[u8]) -> ApiResult<Option<HttpResponse>> {
    if known.request_hash != hash {
        let detail = "This Idempotency-Key was used with another request. Take a new key for a new request.";
        return Err(ApiError::new(ErrorCode::IdempotencyKeyReused, detail));
    }
    let Some(status) = known.status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok()) else {
        return Ok(None);
    };
    let mut response = HttpResponse::build(status);
    if let Some(Json(Value::Object(headers))) = known.headers {
        if headers.contains_key(TOLD_ONCE) {
            let detail = "This was done before, and its answer held a secret that is told once. Delete what was made, \
                          then make it anew under another key.";
            return Err(ApiError::new(ErrorCode::Conflict, detail));
        }
        for (name, value) in headers {
            if let Some(value) = value.as_str() {
                response.insert_header((name, value.to_owned()));
            }
        }
    }
    Ok(Some(response.body(known.response.unwrap_or_default())))
}

/// A new API key or a link with a token: such an answer says `no-store`, and our database is a store like any other.
fn tells_a_secret(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains("no-store"))
}

fn kept_headers(headers: &HeaderMap) -> Json {
    let mut kept = Map::new();
    for name in HEADERS {
        if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
            kept.insert(name.to_owned(), value.into());
        }
    }
    Json(Value::Object(kept))
}
