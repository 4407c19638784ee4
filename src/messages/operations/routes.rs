//! The HTTP routes that change mails, and those of the journal.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::dto::{
    BatchAnswer, BatchRequest, LabelsRequest, MessagePatch, MoveRequest, OperationDetail, OperationDto,
    OperationParams, ThreadPatch,
};
use super::model::Change;
use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, Page, PathId, QueryParams};
use crate::ids::{EmailId, OperationId, ThreadId};
use crate::messages::dto::{MessageDto, ThreadDto};
use crate::messages::service::Messages;

/// Adds the routes.
pub(in crate::messages) fn configure(config: &mut ServiceConfig) {
    config
        .service(batch)
        .service(update)
        .service(move_to)
        .service(labels)
        .service(trash)
        .service(change_thread)
        .service(list)
        .service(read)
        .service(undo);
}

/// An answer that names the operation that the request became.
fn answer(operation: OperationId, body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Duplex-Operation-Id", operation.to_string())).json(body)
}

/// Changes a mail; it is done here at once and carried to the provider.
#[utoipa::path(tag = "mail", operation_id = "update_message", params(("id" = EmailId, Path)), request_body = MessagePatch, responses(
    (status = 200, body = MessageDto, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/api/email/messages/{id}")]
async fn update(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<EmailId>,
    body: Body<MessagePatch>,
) -> ApiResult<HttpResponse> {
    let (operation, message) = messages.change_one(&access, id.0, body.0.into()).await?;
    Ok(answer(operation, message))
}

/// Moves a mail to a folder of its mailbox.
#[utoipa::path(tag = "mail", operation_id = "move_message", params(("id" = EmailId, Path)), request_body = MoveRequest, responses(
    (status = 200, body = MessageDto, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/messages/{id}/move")]
async fn move_to(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<EmailId>,
    body: Body<MoveRequest>,
) -> ApiResult<HttpResponse> {
    let (operation, message) = messages.change_one(&access, id.0, body.0.into()).await?;
    Ok(answer(operation, message))
}

/// Adds labels to a mail and removes others; on IMAP a label is a copy in the folder of its name.
#[utoipa::path(tag = "mail", operation_id = "label_message", params(("id" = EmailId, Path)), request_body = LabelsRequest, responses(
    (status = 200, body = MessageDto, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/messages/{id}/labels")]
async fn labels(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<EmailId>,
    body: Body<LabelsRequest>,
) -> ApiResult<HttpResponse> {
    let (operation, message) = messages.change_one(&access, id.0, body.0.into()).await?;
    Ok(answer(operation, message))
}

/// Moves a mail to the trash.
#[utoipa::path(tag = "mail", operation_id = "trash_message", params(("id" = EmailId, Path)), responses(
    (status = 200, body = MessageDto, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
#[delete("/api/email/messages/{id}")]
async fn trash(access: Access, messages: web::Data<Messages>, id: PathId<EmailId>) -> ApiResult<HttpResponse> {
    let change = Change { trash: Some(true), ..Change::default() };
    let (operation, message) = messages.change_one(&access, id.0, change).await?;
    Ok(answer(operation, message))
}

/// Changes up to 1,000 mails in one operation, all or none.
#[utoipa::path(tag = "mail", operation_id = "change_messages", request_body = BatchRequest, responses(
    (status = 200, body = BatchAnswer, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/api/email/messages/batch")]
async fn batch(access: Access, messages: web::Data<Messages>, body: Body<BatchRequest>) -> ApiResult<HttpResponse> {
    let (ids, change) = body.0.into_parts();
    let operation_id = messages.change_many(&access, ids, change).await?;
    Ok(answer(operation_id, BatchAnswer { operation_id }))
}

/// Changes all the caller's mails of a conversation in one operation.
#[utoipa::path(tag = "mail", operation_id = "update_thread", params(("id" = ThreadId, Path)), request_body = ThreadPatch, responses(
    (status = 200, body = ThreadDto, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/api/email/threads/{id}")]
async fn change_thread(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<ThreadId>,
    body: Body<ThreadPatch>,
) -> ApiResult<HttpResponse> {
    let (operation, thread) = messages.change_thread(&access, id.0, body.0.into()).await?;
    Ok(answer(operation, thread))
}

/// Lists what the caller changed, newest first, each with its outcome at the provider.
#[utoipa::path(tag = "mail", operation_id = "list_operations", params(OperationParams), responses(
    (status = 200, body = Page<OperationDto>), (status = 422, body = Problem)))]
#[get("/api/email/operations")]
async fn list(
    access: Access,
    messages: web::Data<Messages>,
    params: QueryParams<OperationParams>,
) -> ApiResult<web::Json<Page<OperationDto>>> {
    Ok(web::Json(messages.operations(&access, &params).await?))
}

/// Reads an operation with its outcome for each mail.
#[utoipa::path(tag = "mail", operation_id = "read_operation", params(("id" = OperationId, Path)), responses(
    (status = 200, body = OperationDetail), (status = 404, body = Problem)))]
#[get("/api/email/operations/{id}")]
async fn read(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<OperationId>,
) -> ApiResult<web::Json<OperationDetail>> {
    Ok(web::Json(messages.operation(&access, id.0).await?))
}

/// Takes an operation back: each mail gets its own former state again. Answers the operation that does so.
#[utoipa::path(tag = "mail", operation_id = "undo_operation", params(("id" = OperationId, Path)), responses(
    (status = 200, body = OperationDetail, headers(("Duplex-Operation-Id" = String))), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "it was taken back already, failed, or later changes took its place")))]
#[post("/api/email/operations/{id}/undo")]
async fn undo(access: Access, messages: web::Data<Messages>, id: PathId<OperationId>) -> ApiResult<HttpResponse> {
    let undo = messages.undo(&access, id.0).await?;
    Ok(answer(undo.operation.id, undo))
}
