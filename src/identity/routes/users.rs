//! The people of an organization.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, patch, post, web};

use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, ClientIp, Keyset, Page, PathId, QueryParams};
use crate::identity::dto::{Link, ListParams, User, UserCreate, UserPatch};
use crate::identity::service::{NewPerson, PersonChange};
use crate::identity::{Actor, Identity};
use crate::ids::UserId;

/// Lists the people of the organization; a member sees only itself.
#[utoipa::path(tag = "identity", operation_id = "list_users", params(ListParams), responses((status = 200, body = Page<User>)))]
#[get("/api/users")]
pub(super) async fn list(
    identity: web::Data<Identity>,
    access: Access,
    query: QueryParams<ListParams>,
) -> ApiResult<HttpResponse> {
    let after = query.cursor.map(|key| UserId::from_uuid(key.id));
    let users = identity.users(&access, after, query.limit.probe()).await?;
    let page = Page::cut(users, query.limit, |user| Keyset { at: user.created_at, id: user.id.uuid() });
    Ok(HttpResponse::Ok().json(page.map(User::from)))
}

/// Adds a person.
#[utoipa::path(tag = "identity", operation_id = "create_user", request_body = UserCreate, responses(
    (status = 201, body = User),
    (status = 403, body = Problem),
    (status = 409, body = Problem, description = "email_taken, conflict"),
))]
#[post("/api/users")]
pub(super) async fn create(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    Body(create): Body<UserCreate>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let UserCreate { email, name, role, password, external_id } = create;
    let person = NewPerson { email, name, role, password, external_id };
    let user = identity.create_user(&access, &Actor::of(&access, Some(ip.0)), person).await?;
    Ok(HttpResponse::Created().json(User::from(user)))
}

/// Tells about one person; a member finds only itself.
#[utoipa::path(tag = "identity", operation_id = "read_user", params(("id" = UserId, Path)), responses(
    (status = 200, body = User),
    (status = 404, body = Problem),
))]
#[get("/api/users/{id}")]
pub(super) async fn get(identity: web::Data<Identity>, access: Access, id: PathId<UserId>) -> ApiResult<HttpResponse> {
    let user = identity.user(&access, id.0).await?;
    Ok(HttpResponse::Ok().json(User::from(user)))
}

/// Changes a person; members may change their own name.
#[utoipa::path(tag = "identity", operation_id = "update_user", params(("id" = UserId, Path)), request_body = UserPatch, responses(
    (status = 200, body = User),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "last_owner, email_taken, conflict"),
))]
#[patch("/api/users/{id}")]
pub(super) async fn change(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<UserId>,
    Body(patch): Body<UserPatch>,
) -> ApiResult<HttpResponse> {
    let UserPatch { email, name, role, external_id, disabled } = patch;
    let change = PersonChange { email, name, role, external_id, disabled };
    let user = identity.change_user(&access, &Actor::of(&access, Some(ip.0)), id.0, change).await?;
    Ok(HttpResponse::Ok().json(User::from(user)))
}

/// Removes a person, with the person's mailboxes, keys and sessions.
#[utoipa::path(tag = "identity", operation_id = "delete_user", params(("id" = UserId, Path)), responses(
    (status = 204),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "last_owner"),
))]
#[delete("/api/users/{id}")]
pub(super) async fn delete(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<UserId>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    identity.delete_user(&access, &Actor::of(&access, Some(ip.0)), id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a link with which a person can set a new password; hand it on yourself.
#[utoipa::path(tag = "identity", operation_id = "create_password_reset", params(("id" = UserId, Path)), responses(
    (status = 201, body = Link),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
))]
#[post("/api/users/{id}/password-reset")]
pub(super) async fn password_reset(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<UserId>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let (link, expires_at) = identity.reset_link(&access, &Actor::of(&access, Some(ip.0)), id.0).await?;
    Ok(HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(Link { link, expires_at }))
}
