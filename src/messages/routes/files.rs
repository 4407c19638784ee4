use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::access::{Access, Scope};
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::http::PathId;
use crate::ids::{AttachmentId, EmailId};
use crate::messages::files::{self, Wanted};
use crate::messages::service::Messages;
use crate::messages::store::read;

/// Downloads the raw mail.
#[utoipa::path(tag = "mail", operation_id = "download_message", params(("id" = EmailId, Path)), responses(
    (status = 200, body = [u8], content_type = "message/rfc822"), (status = 404, body = Problem), (status = 410, body = Problem)))]
#[get("/api/email/messages/{id}/raw")]
pub(super) async fn raw(access: Access, messages: web::Data<Messages>, id: PathId<EmailId>) -> ApiResult<HttpResponse> {
    access.require(Scope::Read)?;
    let raw_ref = read::raw_ref(&mut messages.db.read().await?, &access, id.0).await?;
    let Some(raw_ref) = raw_ref else {
        return Err(ApiError::new(
            ErrorCode::RawNotKept,
            "The original is not kept for this mail. Its text and files are still here.",
        ));
    };
    let content = messages.storage.raw(&raw_ref).await?;
    Ok(files::answer(StatusCode::OK)
        .insert_header((header::CONTENT_DISPOSITION, files::disposition(&format!("{}.eml", id.0))))
        .content_type("message/rfc822")
        .streaming(content))
}

/// Downloads a file of a mail, or a range of its bytes.
#[utoipa::path(tag = "mail", operation_id = "download_attachment", params(("id" = AttachmentId, Path)), responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"), (status = 206, body = [u8], content_type = "application/octet-stream"),
    (status = 304), (status = 404, body = Problem), (status = 416)))]
#[get("/api/email/attachments/{id}")]
pub(super) async fn attachment(
    request: HttpRequest,
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<AttachmentId>,
) -> ApiResult<HttpResponse> {
    access.require(Scope::Read)?;
    let file = read::attachment(&mut messages.db.read().await?, &access, id.0).await?;
    let etag = etag(&file);
    if files::is_known(request.headers(), &etag) {
        return Ok(files::answer(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    let path = &file.storage_path;
    let size = messages.storage.attachment_size(access.org, path).await?;
    let (status, range) = match files::wanted(request.headers(), &etag, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            return Ok(files::answer(StatusCode::RANGE_NOT_SATISFIABLE)
                .insert_header((header::CONTENT_RANGE, format!("bytes */{size}")))
                .finish());
        }
    };
    let mut response = files::answer(status);
    if status == StatusCode::PARTIAL_CONTENT {
        let shown = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        response.insert_header((header::CONTENT_RANGE, shown));
    }
    let length = range.end - range.start;
    let part = (status == StatusCode::PARTIAL_CONTENT).then_some(range);
    let content = messages.storage.attachment(access.org, path, part).await?;
    Ok(response
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, etag))
        .insert_header((header::CONTENT_DISPOSITION, files::disposition(&file.file_name)))
        .content_type(files::safe_type(file.mime_type.as_deref()))
        .no_chunking(length)
        .streaming(content))
}

/// Shows an image that a mail brings along, to somebody who may see the mail.
#[utoipa::path(tag = "mail", operation_id = "show_embedded_image", params(("id" = AttachmentId, Path)), responses(
    (status = 200, body = [u8], content_type = "image/png"), (status = 304), (status = 404, body = Problem)))]
#[get("/mail-img/cid/{id}")]
pub(super) async fn embedded(
    request: HttpRequest,
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<AttachmentId>,
) -> ApiResult<HttpResponse> {
    access.require(Scope::Read)?;
    let file = read::attachment(&mut messages.db.read().await?, &access, id.0).await?;
    if !files::is_raster(file.mime_type.as_deref()) {
        return Err(ApiError::not_found());
    }
    let etag = etag(&file);
    if files::is_known(request.headers(), &etag) {
        return Ok(files::answer(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    let content = messages.storage.attachment(access.org, &file.storage_path, None).await?;
    Ok(files::answer(StatusCode::OK)
        .insert_header((header::ETAG, etag))
        .content_type(files::safe_type(file.mime_type.as_deref()))
        .streaming(content))
}

/// The digest of the content names its version.
fn etag(file: &read::AttachmentRow) -> String {
    format!("\"{}\"", file.storage_path.trim_start_matches("sha256/"))
}
