//! The journal as people read it.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::super::model::OperationState;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{mailbox_operation_items as items, mailbox_operations as operations};
use crate::db::types::Json;
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, EmailId, OperationId, UserId};
use crate::on_conn;

/// An operation.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = operations)]
pub(in crate::messages::operations) struct OperationRow {
    pub id: OperationId,
    pub created_by: Option<UserId>,
    pub kind: String,
    pub changes: Json,
    pub state: String,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
}

/// One mail's part of an operation.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = items)]
pub(in crate::messages::operations) struct ItemRow {
    pub operation_id: OperationId,
    pub email_id: EmailId,
    pub state: String,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

/// Which operations to list.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::messages::operations) struct Filter {
    pub account: Option<AccountId>,
    pub state: Option<OperationState>,
    pub cursor: Option<Keyset>,
    pub limit: Limit,
}

/// A page of a person's operations and one more, newest first.
pub(in crate::messages::operations) async fn list(
    conn: &mut DbConn,
    access: &Access,
    filter: &Filter,
) -> QueryResult<Vec<OperationRow>> {
    on_conn!(conn, |c| {
        let mut query = operations::table
            .filter(operations::organization_id.eq(access.org))
            .filter(operations::created_by.eq(access.user))
            .order(operations::id.desc())
            .limit(filter.limit.probe())
            .select(OperationRow::as_select())
            .into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(operations::state.eq(state.as_str()));
        }
        if let Some(account) = filter.account {
            let of_it =
                items::table.filter(items::operation_id.eq(operations::id)).filter(items::account_id.eq(account));
            query = query.filter(exists(of_it));
        }
        if let Some(key) = filter.cursor {
            query = query.filter(operations::id.lt(OperationId::from_uuid(key.id)));
        }
        query.load(c).await
    })
}

/// One operation of a person.
pub(in crate::messages::operations) async fn find(
    conn: &mut DbConn,
    access: &Access,
    id: OperationId,
) -> QueryResult<OperationRow> {
    let query = operations::table
        .find(id)
        .filter(operations::organization_id.eq(access.org))
        .filter(operations::created_by.eq(access.user));
    on_conn!(conn, |c| query.select(OperationRow::as_select()).first(c).await)
}

/// The items of these operations.
pub(in crate::messages::operations) async fn items_of(
    conn: &mut DbConn,
    ids: &[OperationId],
) -> QueryResult<HashMap<OperationId, Vec<ItemRow>>> {
    let query = items::table.filter(items::operation_id.eq_any(ids)).order((items::operation_id, items::email_id));
    let rows: Vec<ItemRow> = on_conn!(conn, |c| query.select(ItemRow::as_select()).load(c).await)?;
    let mut found: HashMap<OperationId, Vec<ItemRow>> = HashMap::new();
    for row in rows {
        found.entry(row.operation_id).or_default().push(row);
    }
    Ok(found)
}
