use actix_web::{get, patch, web};

use crate::access::Access;
use crate::error::{ApiError, ApiResult, Problem};
use crate::http::{Body, Page, PathId};
use crate::ids::{AccountId, FolderId};
use crate::messages::completeness::Completeness;
use crate::messages::dto::{FolderDto, FolderPatch};
use crate::messages::service::Messages;

/// Lists the folders of a mailbox, by name.
#[utoipa::path(tag = "mail", operation_id = "list_folders", params(("id" = AccountId, Path)), responses(
    (status = 200, body = Page<FolderDto>), (status = 404, body = Problem)))]
#[get("/api/email/accounts/{id}/folders")]
pub(super) async fn list(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<AccountId>,
) -> ApiResult<web::Json<Page<FolderDto>>> {
    Ok(web::Json(messages.folders(&access, id.0).await?))
}

/// Compares what is stored of a mailbox with what the provider holds, folder by folder.
#[utoipa::path(tag = "mail", operation_id = "check_completeness", params(("id" = AccountId, Path)), responses(
    (status = 200, body = Completeness), (status = 404, body = Problem)))]
#[get("/api/email/accounts/{id}/completeness")]
pub(super) async fn completeness(
    access: Access,
    messages: web::Data<Messages>,
    id: PathId<AccountId>,
) -> ApiResult<web::Json<Completeness>> {
    Ok(web::Json(messages.completeness(&access, id.0).await?))
}

/// Says whether the mail of a folder is stored.
#[utoipa::path(tag = "mail", operation_id = "update_folder", request_body = FolderPatch,
    params(("id" = AccountId, Path), ("folder_id" = FolderId, Path)), responses(
    (status = 200, body = FolderDto), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[patch("/api/email/accounts/{id}/folders/{folder_id}")]
pub(super) async fn update(
    access: Access,
    messages: web::Data<Messages>,
    path: web::Path<(String, String)>,
    patch: Body<FolderPatch>,
) -> ApiResult<web::Json<FolderDto>> {
    let (account, folder) = path.into_inner();
    let (Ok(account), Ok(folder)) = (account.parse(), folder.parse()) else {
        return Err(ApiError::not_found());
    };
    Ok(web::Json(messages.patch_folder(&access, account, folder, &patch).await?))
}
