//! The routes about identities.

mod audit;
mod invitations;
mod keys;
mod me;
mod session;
mod setup;
mod users;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_actix_web::service_config::ServiceConfig;

use super::dto::Me;
use super::middleware::{session_cookie, session_token};
use super::service::{IDLE, Identity, SignedIn, Visitor};
use crate::http::ClientIp;

/// Registers the routes, and with them their part of the OpenAPI document.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(setup::state)
        .service(setup::run)
        .service(session::sign_in)
        .service(session::sign_out)
        .service(session::list)
        .service(session::end)
        .service(me::get)
        .service(me::change_password)
        .service(me::reset_password)
        .service(me::show_organization)
        .service(me::rename_organization)
        .service(users::list)
        .service(users::create)
        .service(users::get)
        .service(users::change)
        .service(users::delete)
        .service(users::password_reset)
        .service(invitations::list)
        .service(invitations::create)
        .service(invitations::view)
        .service(invitations::accept)
        .service(invitations::withdraw)
        .service(keys::list)
        .service(keys::create)
        .service(keys::get)
        .service(keys::change)
        .service(keys::revoke)
        .service(audit::list)
        .service(audit::check);
}

/// Who is at the other end of a request that signs in.
fn visitor(request: &HttpRequest) -> Visitor {
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Visitor { ip: ClientIp::of(request).0, user_agent, old_token: session_token(request.headers()) }
}

/// The answer to somebody who has just signed in: who they are, with the cookie.
fn welcome(identity: &Identity, status: StatusCode, signed_in: SignedIn) -> HttpResponse {
    let cookie = session_cookie(&signed_in.token, IDLE.num_seconds(), identity.https());
    HttpResponse::build(status)
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(Me::signed_in(signed_in))
}
