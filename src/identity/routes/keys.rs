//! API keys.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, patch, post, web};

use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, ClientIp, Keyset, Page, PathId, QueryParams};
use crate::identity::dto::{ApiKey, ApiKeyCreate, ApiKeyPatch, ListParams};
use crate::identity::service::{KeyChange, NewKey};
use crate::identity::{Actor, Identity};
use crate::ids::ApiKeyId;

/// Lists the API keys; a member sees only its own.
#[utoipa::path(tag = "identity", operation_id = "list_api_keys", params(ListParams), responses((status = 200, body = Page<ApiKey>)))]
#[get("/api/api-keys")]
pub(super) async fn list(
    identity: web::Data<Identity>,
    access: Access,
    query: QueryParams<ListParams>,
) -> ApiResult<HttpResponse> {
    let after = query.cursor.map(|key| ApiKeyId::from_uuid(key.id));
    let keys = identity.keys(&access, after, query.limit.probe()).await?;
    let page = Page::cut(keys, query.limit, |key| Keyset { at: key.created_at, id: key.id.uuid() });
    Ok(HttpResponse::Ok().json(page.map(|key| ApiKey::of(key, None))))
}

/// Makes an API key for the caller; the answer is the only one that holds the key itself.
#[utoipa::path(tag = "identity", operation_id = "create_api_key", request_body = ApiKeyCreate, responses(
    (status = 201, body = ApiKey),
    (status = 403, body = Problem),
))]
#[post("/api/api-keys")]
pub(super) async fn create(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    Body(create): Body<ApiKeyCreate>,
) -> ApiResult<HttpResponse> {
    let ApiKeyCreate { name, scopes, expires_at } = create;
    let order = NewKey { name, scopes, expires_at };
    let (stored, key) = identity.create_key(&access, &Actor::of(&access, Some(ip.0)), order).await?;
    Ok(HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(ApiKey::of(stored, Some(key))))
}

/// Tells about one API key.
#[utoipa::path(tag = "identity", operation_id = "read_api_key", params(("id" = ApiKeyId, Path)), responses(
    (status = 200, body = ApiKey),
    (status = 404, body = Problem),
))]
#[get("/api/api-keys/{id}")]
pub(super) async fn get(
    identity: web::Data<Identity>,
    access: Access,
    id: PathId<ApiKeyId>,
) -> ApiResult<HttpResponse> {
    let key = identity.key(&access, id.0).await?;
    Ok(HttpResponse::Ok().json(ApiKey::of(key, None)))
}

/// Changes an API key's name, scopes or expiry.
#[utoipa::path(tag = "identity", operation_id = "update_api_key", params(("id" = ApiKeyId, Path)), request_body = ApiKeyPatch, responses(
    (status = 200, body = ApiKey),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
))]
#[patch("/api/api-keys/{id}")]
pub(super) async fn change(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<ApiKeyId>,
    Body(patch): Body<ApiKeyPatch>,
) -> ApiResult<HttpResponse> {
    let ApiKeyPatch { name, scopes, expires_at } = patch;
    let change = KeyChange { name, scopes, expires_at };
    let key = identity.change_key(&access, &Actor::of(&access, Some(ip.0)), id.0, change).await?;
    Ok(HttpResponse::Ok().json(ApiKey::of(key, None)))
}

/// Revokes an API key at once.
#[utoipa::path(tag = "identity", operation_id = "revoke_api_key", params(("id" = ApiKeyId, Path)), responses((status = 204), (status = 404, body = Problem)))]
#[delete("/api/api-keys/{id}")]
pub(super) async fn revoke(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<ApiKeyId>,
) -> ApiResult<HttpResponse> {
    identity.revoke_key(&access, &Actor::of(&access, Some(ip.0)), id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
