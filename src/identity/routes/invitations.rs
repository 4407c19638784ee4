//! Invitations.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};

use super::{visitor, welcome};
use crate::access::Access;
use crate::error::{ApiError, ApiResult, Problem};
use crate::http::{Body, ClientIp, Keyset, Page, QueryParams};
use crate::identity::dto::{Invitation, InvitationAccept, InvitationCreate, InvitationView, ListParams, Me};
use crate::identity::service::NewGuest;
use crate::identity::{Actor, Identity};
use crate::ids::InvitationId;
use crate::secret::Secret;

/// Lists the invitations that nobody has followed yet.
#[utoipa::path(tag = "identity", operation_id = "list_invitations", params(ListParams), responses((status = 200, body = Page<Invitation>)))]
#[get("/api/invitations")]
pub(super) async fn list(
    identity: web::Data<Identity>,
    access: Access,
    query: QueryParams<ListParams>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let after = query.cursor.map(|key| InvitationId::from_uuid(key.id));
    let open = identity.invitations(&access, after, query.limit.probe()).await?;
    let page = Page::cut(open, query.limit, |one| Keyset { at: one.created_at, id: one.id.uuid() });
    Ok(HttpResponse::Ok().json(page.map(|one| Invitation::of(one, None))))
}

/// Invites somebody; the answer holds the link, to be handed on by you.
#[utoipa::path(tag = "identity", operation_id = "create_invitation", request_body = InvitationCreate, responses(
    (status = 201, body = Invitation),
    (status = 403, body = Problem),
    (status = 409, body = Problem, description = "email_taken"),
))]
#[post("/api/invitations")]
pub(super) async fn create(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    Body(create): Body<InvitationCreate>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let InvitationCreate { email, name, role } = create;
    let actor = Actor::of(&access, Some(ip.0));
    let (invitation, link) = identity.invite(&access, &actor, NewGuest { email, name, role }).await?;
    let invitation = Invitation::of(invitation, Some(link));
    Ok(HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(invitation))
}

/// Shows the invited person what the link is for.
#[utoipa::path(tag = "identity", operation_id = "view_invitation", security(()), params(("invitation" = String, Path, description = "the token of the link")),
    responses((status = 200, body = InvitationView), (status = 422, body = Problem, description = "invalid_token")))]
#[get("/api/invitations/{invitation}")]
pub(super) async fn view(identity: web::Data<Identity>, token: web::Path<String>) -> ApiResult<HttpResponse> {
    let (invitation, organization) = identity.invitation(&Secret::new(token.into_inner())).await?;
    Ok(HttpResponse::Ok().json(InvitationView {
        organization: organization.name,
        email: invitation.email,
        name: invitation.name,
        role: invitation.role,
        expires_at: invitation.expires_at,
    }))
}

/// Follows an invitation: makes the user and signs in.
#[utoipa::path(tag = "identity", operation_id = "accept_invitation", security(()), params(("invitation" = String, Path, description = "the token of the link")),
    request_body = InvitationAccept, responses(
        (status = 201, body = Me),
        (status = 409, body = Problem, description = "email_taken"),
        (status = 422, body = Problem, description = "invalid_token, validation_failed"),
))]
#[post("/api/invitations/{invitation}")]
pub(super) async fn accept(
    identity: web::Data<Identity>,
    request: HttpRequest,
    token: web::Path<String>,
    Body(accept): Body<InvitationAccept>,
) -> ApiResult<HttpResponse> {
    let token = Secret::new(token.into_inner());
    let signed_in = identity.accept(&token, accept.password, accept.name, visitor(&request)).await?;
    Ok(welcome(&identity, StatusCode::CREATED, signed_in))
}

/// Withdraws an invitation.
#[utoipa::path(tag = "identity", operation_id = "withdraw_invitation", params(("invitation" = String, Path, description = "the invitation's id")),
    responses((status = 204), (status = 404, body = Problem)))]
#[delete("/api/invitations/{invitation}")]
pub(super) async fn withdraw(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let id = id.parse().map_err(|_| ApiError::not_found())?;
    identity.withdraw(&access, &Actor::of(&access, Some(ip.0)), id).await?;
    Ok(HttpResponse::NoContent().finish())
}
