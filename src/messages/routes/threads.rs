use actix_web::{get, web};

use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Page, PathId, QueryParams};
use crate::ids::ThreadId;
use crate::messages::dto::{ThreadDto, ThreadParams};
use crate::messages::service::Messages;

/// Lists conversations, newest first.
#[utoipa::path(tag = "mail", operation_id = "list_threads", params(ThreadParams), responses(
    (status = 200, body = Page<ThreadDto>), (status = 422, body = Problem)))]
#[get("/api/email/threads")]
pub(super) async fn list(
    access: Access,
    messages: web::Data<Messages>,
    params: QueryParams<ThreadParams>,
) -> ApiResult<web::Json<Page<ThreadDto>>> {
    Ok(web::Json(messages.threads(&access, &params).await?))
}

/// Reads a conversation with its mails, oldest first; of a very long one the newest 500.
#[utoipa::path(tag = "mail", operation_id = "read_thread", params(("id" = ThreadId, Path)), responses(
    (status = 200, body = ThreadDto), (status = 404, body = Problem)))]
#[get("/api/email/threads/{id}")]
pub(super) async fn read(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<ThreadId>,
) -> ApiResult<web::Json<ThreadDto>> {
    Ok(web::Json(messages.thread(&access, id.0).await?))
}
