use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::{Bytes, BytesMut};

use crate::access::Access;
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::http::QueryParams;
use crate::sending::Sending;
use crate::sending::dto::{UploadDto, UploadParams};

/// What a file is whose type was not said.
const UNKNOWN: &str = "application/octet-stream";

/// Brings in a file for a mail to be written: the bare body with `file_name`, or a form with the field `file`.
#[utoipa::path(tag = "sending", operation_id = "upload_attachment", params(UploadParams),
    request_body(content = [u8], content_type = "application/octet-stream"), responses(
    (status = 201, body = UploadDto), (status = 413, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/attachments")]
pub(super) async fn upload(
    request: HttpRequest,
    access: Access,
    sending: web::Data<Sending>,
    params: QueryParams<UploadParams>,
    body: Result<Bytes, actix_web::Error>,
) -> ApiResult<HttpResponse> {
    let body = body.map_err(|error| match error.as_response_error().status_code() {
        actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ApiError::new(ErrorCode::InvalidJson, "The file ended early; send it again."),
    })?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(UNKNOWN);
    let file = if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        of_form(kind, &body)?
    } else {
        let name = params.file_name.clone();
        let name = name.ok_or_else(|| ApiError::invalid("file_name", "name the file: ?file_name=…"))?;
        File { name, kind: essence(kind), content: body }
    };
    let kept = sending.upload(&access, &file.name, &file.kind, file.content).await?;
    Ok(HttpResponse::Created().json(kept))
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::PayloadTooLarge, "A file may be 35 MiB at most. Share a link to it instead.")
}

struct File {
    name: String,
    kind: String,
    content: Bytes,
}

/// A media type without its parameters, where it is one.
fn essence(kind: &str) -> String {
    let bare = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let valid = bare.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    let plain = bare.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'(' | b')' | b'<' | b'>'));
    if valid && plain && bare.len() <= 100 { bare } else { UNKNOWN.to_owned() }
}

/// The field `file` of a form (RFC 7578). A form is a MIME entity, so the reader of mails reads it.
fn of_form(kind: &str, body: &Bytes) -> ApiResult<File> {
    let unreadable = || ApiError::invalid("file", "the form cannot be read; it needs a field `file` with the file");
    let mut entity = BytesMut::with_capacity(body.len() + kind.len() + 20);
    entity.extend_from_slice(format!("Content-Type: {kind}\r\n\r\n").as_bytes());
    entity.extend_from_slice(body);
    let form = mailparse::parse_mail(&entity).map_err(|_| unreadable())?;
    let field = form.subparts.iter().find(|part| {
        let disposition = part.get_content_disposition();
        disposition.params.get("name").is_some_and(|name| name == "file")
    });
    let field = field.ok_or_else(unreadable)?;
    let name = field.get_content_disposition().params.get("filename").cloned();
    let name = name.ok_or_else(|| ApiError::invalid("file", "the field carries no file name"))?;
    let kind = if field.headers.iter().any(|header| header.get_key_ref().eq_ignore_ascii_case("content-type")) {
        essence(&field.ctype.mimetype)
    } else {
        UNKNOWN.to_owned()
    };
    Ok(File { name, kind, content: Bytes::from(field_content(field.raw_bytes)) })
}

/// The content of a field as it is: forms know no transfer encodings (RFC 7578 §4.7).
fn field_content(raw: &[u8]) -> Vec<u8> {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let content = end.and_then(|end| raw.get(end + 4..)).unwrap_or_default();
    content.strip_suffix(b"\r\n").unwrap_or(content).to_vec()
}
