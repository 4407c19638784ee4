//! The caller, the caller's password and organization.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get, patch, post, put, web};

use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Body, ClientIp};
use crate::identity::dto::{Me, Organization, OrganizationPatch, PasswordChange, PasswordReset};
use crate::identity::middleware::CsrfToken;
use crate::identity::{Actor, Identity};

/// Tells who the caller is, with the CSRF token of the session.
#[utoipa::path(tag = "identity", operation_id = "read_me", responses((status = 200, body = Me), (status = 401, body = Problem)))]
#[get("/api/me")]
pub(super) async fn get(
    identity: web::Data<Identity>,
    access: Access,
    csrf: web::ReqData<CsrfToken>,
) -> ApiResult<HttpResponse> {
    let me = Me::of(&access, identity.me(&access).await?, csrf.into_inner().0);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(me))
}

/// Changes the caller's own password and signs the caller out everywhere else.
#[utoipa::path(tag = "identity", request_body = PasswordChange, responses(
    (status = 204),
    (status = 401, body = Problem, description = "invalid_credentials: the present password is wrong"),
    (status = 429, body = Problem, description = "rate_limited"),
))]
#[put("/api/me/password")]
pub(super) async fn change_password(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    Body(change): Body<PasswordChange>,
) -> ApiResult<HttpResponse> {
    identity.change_password(&access, ip.0, change.current_password, change.new_password).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets a new password with the token of a link that an admin made.
#[utoipa::path(tag = "identity", request_body = PasswordReset, security(()), responses(
    (status = 204),
    (status = 422, body = Problem, description = "invalid_token, validation_failed"),
))]
#[post("/api/password-reset")]
pub(super) async fn reset_password(
    identity: web::Data<Identity>,
    ip: ClientIp,
    Body(reset): Body<PasswordReset>,
) -> ApiResult<HttpResponse> {
    identity.reset_password(&reset.token, reset.password, ip.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tells about the caller's organization.
#[utoipa::path(tag = "identity", responses((status = 200, body = Organization)))]
#[get("/api/organization")]
pub(super) async fn show_organization(identity: web::Data<Identity>, access: Access) -> ApiResult<HttpResponse> {
    let (_, organization) = identity.me(&access).await?;
    Ok(HttpResponse::Ok().json(Organization::from(organization)))
}

/// Gives the organization another name.
#[utoipa::path(tag = "identity", request_body = OrganizationPatch, responses(
    (status = 200, body = Organization),
    (status = 403, body = Problem),
))]
#[patch("/api/organization")]
pub(super) async fn rename_organization(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    Body(patch): Body<OrganizationPatch>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let actor = Actor::of(&access, Some(ip.0));
    let organization = identity.rename_organization(&access, &actor, &patch.name).await?;
    Ok(HttpResponse::Ok().json(Organization::from(organization)))
}
