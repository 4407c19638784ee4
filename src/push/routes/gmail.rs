//! Pub/Sub's pushes.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};

use super::read;
use crate::error::{ApiError, Problem};
use crate::push::Push;
use crate::push::gmail::Answer;

/// Hears a push of Pub/Sub that tells of news in a Gmail mailbox.
///
/// The bearer token must be Google's, for this server and of the service account that pushes. Whatever comes is answered
/// with 204: every other answer would bring it again, so that is kept for what is worth it (503).
#[utoipa::path(tag = "webhooks", operation_id = "gmail_push", security(()), request_body = Value, responses(
    (status = 204), (status = 503, body = Problem)))]
#[post("/api/email/webhooks/gmail")]
pub(super) async fn push(push: web::Data<Push>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    let answer = match read(payload).await {
        Some(body) => push.hear_gmail(token, &body).await,
        None => Answer::Done,
    };
    match answer {
        Answer::Done => HttpResponse::NoContent().finish(),
        Answer::Again => actix_web::ResponseError::error_response(&ApiError::unavailable()),
    }
}

/// The token of an `Authorization` header (RFC 6750 §2.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
