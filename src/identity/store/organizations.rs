//! Rows of organizations.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::organizations;
use crate::identity::model::Organization;
use crate::ids::OrgId;
use crate::on_conn;

pub async fn insert(tx: &mut DbConn, name: &str, now: Timestamp) -> QueryResult<OrgId> {
    let id = OrgId::new();
    on_conn!(tx, |c| {
        diesel::insert_into(organizations::table)
            .values((
                organizations::id.eq(id),
                organizations::name.eq(name),
                organizations::created_at.eq(now),
                organizations::updated_at.eq(now),
            ))
            .execute(c)
            .await
    })?;
    Ok(id)
}

pub async fn get(conn: &mut DbConn, id: OrgId) -> QueryResult<Organization> {
    on_conn!(conn, |c| organizations::table.find(id).select(Organization::as_select()).first(c).await)
}

/// All of them, oldest first; an installation has few.
pub async fn all(conn: &mut DbConn) -> QueryResult<Vec<Organization>> {
    on_conn!(conn, |c| {
        organizations::table.order(organizations::id).select(Organization::as_select()).load(c).await
    })
}

pub async fn rename(tx: &mut DbConn, id: OrgId, name: &str, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(organizations::table.find(id))
            .set((organizations::name.eq(name), organizations::updated_at.eq(now)))
            .execute(c)
            .await
    })?;
    Ok(())
}
