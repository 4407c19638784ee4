use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, delete, post, put, web};

use crate::access::Access;
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::http::{Body, PathId};
use crate::ids::EmailId;
use crate::messages::{MessageDetail, MessageDto};
use crate::sending::Sending;
use crate::sending::dto::{MailInput, SendDraftInput};

/// Keeps a draft; it shows in the provider's drafts too.
#[utoipa::path(tag = "sending", operation_id = "create_draft", request_body = MailInput, responses(
    (status = 201, body = MessageDetail), (status = 422, body = Problem)))]
#[post("/api/email/drafts")]
pub(super) async fn create(
    access: Access,
    sending: web::Data<Sending>,
    input: Body<MailInput>,
) -> ApiResult<HttpResponse> {
    Ok(answer(HttpResponse::Created(), sending.create_draft(&access, input.0).await?))
}

/// Writes a draft anew; with `If-Match` only over the version that was read.
#[utoipa::path(tag = "sending", operation_id = "save_draft", params(("id" = EmailId, Path)), request_body = MailInput, responses(
    (status = 200, body = MessageDetail), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[put("/api/email/drafts/{id}")]
pub(super) async fn save(
    request: HttpRequest,
    access: Access,
    sending: web::Data<Sending>,
    id: PathId<EmailId>,
    input: Body<MailInput>,
) -> ApiResult<HttpResponse> {
    let expected = expected(&request)?;
    Ok(answer(HttpResponse::Ok(), sending.save_draft(&access, id.0, expected, input.0).await?))
}

/// Discards a draft, here and at its provider.
#[utoipa::path(tag = "sending", operation_id = "discard_draft", params(("id" = EmailId, Path)), responses(
    (status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/api/email/drafts/{id}")]
pub(super) async fn discard(
    access: Access,
    sending: web::Data<Sending>,
    id: PathId<EmailId>,
) -> ApiResult<HttpResponse> {
    sending.discard_draft(&access, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a draft, now or at a time.
#[utoipa::path(tag = "sending", operation_id = "send_draft", params(("id" = EmailId, Path)), request_body = SendDraftInput, responses(
    (status = 202, body = MessageDto), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 412, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/drafts/{id}/send")]
pub(super) async fn send(
    access: Access,
    sending: web::Data<Sending>,
    id: PathId<EmailId>,
    input: Option<Body<SendDraftInput>>,
) -> ApiResult<HttpResponse> {
    let scheduled_at = input.and_then(|input| input.0.scheduled_at);
    Ok(HttpResponse::Accepted().json(sending.send_draft(&access, id.0, scheduled_at).await?))
}

/// The version that the writer has read: the number in the ETag.
fn expected(request: &HttpRequest) -> ApiResult<Option<i64>> {
    let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    match text.trim_start_matches("W/").trim_matches('"').parse() {
        Ok(revision) => Ok(Some(revision)),
        Err(_) => Err(ApiError::new(
            ErrorCode::PreconditionFailed,
            "If-Match must be the ETag of the draft as you read it. Read it again, then save.",
        )),
    }
}

fn answer(mut response: HttpResponseBuilder, draft: MessageDetail) -> HttpResponse {
    if let Some(etag) = draft.etag() {
        response.insert_header((header::ETAG, etag));
    }
    response.json(draft)
}
