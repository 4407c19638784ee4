//! The audit log.

use actix_web::{HttpResponse, get, web};

use crate::access::Access;
use crate::error::{ApiError, ApiResult, Problem};
use crate::http::{Keyset, Page, QueryParams};
use crate::identity::dto::{AuditCheck, AuditEntry, AuditParams};
use crate::identity::store::audit::Filter;
use crate::identity::{Identity, IdentityError};
use crate::ids::AuditId;

/// Lists who did what, newest first.
#[utoipa::path(tag = "identity", operation_id = "list_audit", params(AuditParams), responses(
    (status = 200, body = Page<AuditEntry>),
    (status = 403, body = Problem),
))]
#[get("/api/audit")]
pub(super) async fn list(
    identity: web::Data<Identity>,
    access: Access,
    QueryParams(query): QueryParams<AuditParams>,
) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let AuditParams { limit, cursor, actor_id, action, object_type, object_id, after, before } = query;
    let filter = Filter { actor: actor_id, action, object_type, object_id, after, before, below: None };
    let last = cursor.map(|key| AuditId::from_uuid(key.id));
    let entries = match identity.audit_entries(&access, filter, last, limit.probe()).await {
        Err(IdentityError::Database(diesel::result::Error::NotFound)) => {
            return Err(ApiError::invalid("cursor", "is not one that this list gave out"));
        }
        entries => entries?,
    };
    let page = Page::cut(entries, limit, |entry| Keyset { at: entry.created_at, id: entry.id.uuid() });
    Ok(HttpResponse::Ok().json(page.map(AuditEntry::from)))
}

/// Checks that nothing in the middle of the audit log was changed or removed.
#[utoipa::path(tag = "identity", operation_id = "check_audit", responses((status = 200, body = AuditCheck), (status = 403, body = Problem)))]
#[get("/api/audit/check")]
pub(super) async fn check(identity: web::Data<Identity>, access: Access) -> ApiResult<HttpResponse> {
    access.require_admin()?;
    let report = identity.check_audit(&access).await?;
    Ok(HttpResponse::Ok().json(AuditCheck::from(report)))
}
