//! Routes of the outbox.

use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::dto::{EventDto, EventParams};
use super::service::Outbox;
use crate::access::Access;
use crate::error::{ApiResult, Problem};
use crate::http::{Page, QueryParams};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(list);
}

/// Reads what happened, oldest first: the same events as on the WebSocket, for whoever missed some.
#[utoipa::path(tag = "realtime", operation_id = "list_events", params(EventParams), responses(
    (status = 200, body = Page<EventDto>),
    (status = 410, description = "Events after this number are not kept any more; `earliest_seq` is the first that is.", body = Problem),
))]
#[get("/api/events")]
async fn list(
    outbox: web::Data<Outbox>,
    access: Access,
    QueryParams(params): QueryParams<EventParams>,
) -> ApiResult<HttpResponse> {
    let page = outbox.list(&access, &params).await?;
    Ok(HttpResponse::Ok().json(page))
}
