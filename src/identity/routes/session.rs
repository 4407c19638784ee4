//! Signing in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};

use super::{visitor, welcome};
use crate::access::Access;
use crate::error::{ApiError, ApiResult, Problem};
use crate::http::{Body, ClientIp, Page, PathId};
use crate::identity::dto::{Me, Session, SignIn};
use crate::identity::middleware::session_cookie;
use crate::identity::{Actor, Identity};
use crate::ids::SessionId;
use crate::secret::Secret;

/// Signs in with address and password.
#[utoipa::path(tag = "identity", request_body = SignIn, security(()), responses(
    (status = 200, body = Me),
    (status = 401, body = Problem, description = "invalid_credentials"),
    (status = 429, body = Problem, description = "rate_limited"),
))]
#[post("/api/session")]
pub(super) async fn sign_in(
    identity: web::Data<Identity>,
    request: HttpRequest,
    Body(sign_in): Body<SignIn>,
) -> ApiResult<HttpResponse> {
    let signed_in = identity.sign_in(&sign_in.email, sign_in.password, visitor(&request)).await?;
    Ok(welcome(&identity, StatusCode::OK, signed_in))
}

/// Signs out.
#[utoipa::path(tag = "identity", responses((status = 204)))]
#[delete("/api/session")]
pub(super) async fn sign_out(identity: web::Data<Identity>, access: Access, ip: ClientIp) -> ApiResult<HttpResponse> {
    let id = access.session.ok_or_else(|| ApiError::forbidden("An API key has no session; revoke the key instead."))?;
    match identity.end_session(&access, &Actor::of(&access, Some(ip.0)), id).await.map_err(ApiError::from) {
        // It ended a moment ago elsewhere, which is what the caller wants.
        Ok(()) | Err(ApiError { code: crate::error::ErrorCode::NotFound, .. }) => {}
        Err(error) => return Err(error),
    }
    let gone = session_cookie(&Secret::new(""), 0, identity.https());
    Ok(HttpResponse::NoContent().insert_header((SET_COOKIE, gone)).finish())
}

/// Lists where the caller is signed in, the session used last first.
#[utoipa::path(tag = "identity", operation_id = "list_sessions", responses((status = 200, body = Page<Session>)))]
#[get("/api/sessions")]
pub(super) async fn list(identity: web::Data<Identity>, access: Access) -> ApiResult<HttpResponse> {
    let sessions = identity.sessions(&access).await?;
    let items = sessions.into_iter().map(|session| Session::of(session, &access)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(tag = "identity", operation_id = "end_session", params(("id" = SessionId, Path)), responses((status = 204), (status = 404, body = Problem)))]
#[delete("/api/sessions/{id}")]
pub(super) async fn end(
    identity: web::Data<Identity>,
    access: Access,
    ip: ClientIp,
    id: PathId<SessionId>,
) -> ApiResult<HttpResponse> {
    identity.end_session(&access, &Actor::of(&access, Some(ip.0)), id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
