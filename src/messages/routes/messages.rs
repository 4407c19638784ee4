use actix_web::http::header;
use actix_web::{HttpResponse, get, web};

use crate::access::Access;
use crate::error::{ApiError, ApiResult, Problem};
use crate::http::{Page, PathId, QueryParams};
use crate::ids::EmailId;
use crate::messages::dto::{BodyParams, Images, LookupAnswer, LookupParams, MessageDetail, MessageDto, MessageParams};
use crate::messages::service::Messages;

/// Lists mails, newest first, without their bodies.
#[utoipa::path(tag = "mail", operation_id = "list_messages", params(MessageParams), responses(
    (status = 200, body = Page<MessageDto>), (status = 422, body = Problem)))]
#[get("/api/email/messages")]
pub(super) async fn list(
    access: Access,
    messages: web::Data<Messages>,
    params: QueryParams<MessageParams>,
) -> ApiResult<web::Json<Page<MessageDto>>> {
    Ok(web::Json(messages.list(&access, &params).await?))
}

/// Says where the mail with a Message-ID is, or why it was not stored.
#[utoipa::path(tag = "mail", operation_id = "look_up_message", params(LookupParams), responses(
    (status = 200, body = LookupAnswer), (status = 404, body = Problem)))]
#[get("/api/email/messages/lookup")]
pub(super) async fn lookup(
    access: Access,
    messages: web::Data<Messages>,
    params: QueryParams<LookupParams>,
) -> ApiResult<web::Json<LookupAnswer>> {
    Ok(web::Json(messages.lookup(&access, &params).await?))
}

/// Reads a mail with its bodies.
#[utoipa::path(tag = "mail", operation_id = "read_message", params(("id" = EmailId, Path)), responses(
    (status = 200, body = MessageDetail), (status = 404, body = Problem)))]
#[get("/api/email/messages/{id}")]
pub(super) async fn read(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<EmailId>,
) -> ApiResult<HttpResponse> {
    let message = messages.detail(&access, id.0).await?;
    let mut response = HttpResponse::Ok();
    if let Some(etag) = message.etag() {
        response.insert_header((header::ETAG, etag));
    }
    Ok(response.json(message))
}

/// Shows a mail as a page of its own, sanitised, for a sandboxed frame.
#[utoipa::path(tag = "mail", operation_id = "show_message", params(("id" = EmailId, Path), BodyParams), responses(
    (status = 200, body = String, content_type = "text/html"), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/api/email/messages/{id}/body")]
pub(super) async fn body(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<EmailId>,
    params: QueryParams<BodyParams>,
) -> ApiResult<HttpResponse> {
    if params.images == Images::Proxied {
        return Err(ApiError::invalid("images", "images from elsewhere cannot be loaded yet; ask for `blocked`"));
    }
    let page = messages.page(&access, id.0).await?;
    // The header counts even for somebody who opens the address outside of the frame.
    let policy = format!(
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
         img-src {}/mail-img/ data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
        messages.public_url
    );
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "private"))
        .content_type("text/html; charset=utf-8")
        .body(page))
}
