use actix_web::{HttpRequest, HttpResponse, post, web};

use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, PathId};
use crate::ids::EmailId;
use crate::messages::MessageDto;
use crate::sending::Sending;
use crate::sending::dto::MailInput;

/// Sends a mail: now, after the time to call it back, or when it is scheduled.
#[utoipa::path(tag = "sending", operation_id = "send_message", request_body = MailInput, responses(
    (status = 202, body = MessageDto), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/messages")]
pub(super) async fn submit(
    request: HttpRequest,
    access: Access,
    sending: web::Data<Sending>,
    input: Body<MailInput>,
) -> ApiResult<HttpResponse> {
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    Ok(HttpResponse::Accepted().json(sending.submit(&access, input.0, key).await?))
}

/// Calls a mail back before it leaves.
#[utoipa::path(tag = "sending", operation_id = "cancel_message", params(("id" = EmailId, Path)), responses(
    (status = 200, body = MessageDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/messages/{id}/cancel")]
pub(super) async fn cancel(
    access: Access,
    sending: web::Data<Sending>,
    id: PathId<EmailId>,
) -> ApiResult<web::Json<MessageDto>> {
    Ok(web::Json(sending.cancel(&access, id.0).await?))
}

/// Tries a mail again that failed, or that may have been sent; then it may arrive twice.
#[utoipa::path(tag = "sending", operation_id = "retry_message", params(("id" = EmailId, Path)), responses(
    (status = 200, body = MessageDto), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[post("/api/email/messages/{id}/retry")]
pub(super) async fn retry(
    access: Access,
    sending: web::Data<Sending>,
    id: PathId<EmailId>,
) -> ApiResult<web::Json<MessageDto>> {
    Ok(web::Json(sending.retry(&access, id.0).await?))
}
