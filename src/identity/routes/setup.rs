//! The first run.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::{visitor, welcome};
use crate::error::{ApiResult, Problem};
use crate::http::Body;
use crate::identity::Identity;
use crate::identity::dto::{Me, Setup, SetupState};
use crate::identity::service::FirstRun;

/// Tells whether the first run is still to come.
#[utoipa::path(tag = "identity", operation_id = "read_setup", responses((status = 200, body = SetupState)), security(()))]
#[get("/api/setup")]
pub(super) async fn state(identity: web::Data<Identity>) -> ApiResult<HttpResponse> {
    let needed = identity.setup_needed().await?;
    Ok(HttpResponse::Ok().json(SetupState { needed }))
}

/// Makes the first organization and its owner with the token from the log, and signs the owner in.
#[utoipa::path(tag = "identity", operation_id = "run_setup", request_body = Setup, security(()), responses(
    (status = 201, body = Me),
    (status = 409, body = Problem, description = "setup_done"),
    (status = 422, body = Problem, description = "invalid_token, validation_failed"),
))]
#[post("/api/setup")]
pub(super) async fn run(
    identity: web::Data<Identity>,
    request: HttpRequest,
    Body(setup): Body<Setup>,
) -> ApiResult<HttpResponse> {
    let Setup { token, organization, name, email, password } = setup;
    let first = FirstRun { token, organization, name, email, password };
    let signed_in = identity.set_up(first, visitor(&request)).await?;
    Ok(welcome(&identity, StatusCode::CREATED, signed_in))
}
