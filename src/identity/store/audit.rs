//! Rows of the audit log.

use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{audit_log, organizations};
use crate::db::types::Json;
use crate::ids::{ApiKeyId, AuditId, OrgId, UserId};
use crate::on_conn;

/// How many entries are read at a time when the chain is checked.
const PAGE: i64 = 1000;

/// One entry.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
pub struct Entry {
    pub id: AuditId,
    pub organization_id: OrgId,
    pub seq: i64,
    pub actor_kind: String,
    pub actor_user_id: Option<UserId>,
    pub actor_key_id: Option<ApiKeyId>,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<String>,
    pub detail: Json,
    pub ip_address: Option<String>,
    pub created_at: Timestamp,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

/// What a list of entries is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub actor: Option<UserId>,
    pub action: Option<String>,
    pub object_type: Option<String>,
    pub object_id: Option<String>,
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
    /// Only entries older than this one.
    pub below: Option<i64>,
}

/// Lets one transaction at a time write about an organization: numbers stay gapless and the chain straight.
///
/// An update that changes nothing takes the row's lock on PostgreSQL; on SQLite there is one writer anyway.
pub async fn lock(tx: &mut DbConn, org: OrgId) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(organizations::table.find(org)).set(organizations::name.eq(organizations::name)).execute(c).await
    })?;
    Ok(())
}

/// The number and hash of the last entry.
pub async fn head(conn: &mut DbConn, org: OrgId) -> QueryResult<Option<(i64, Vec<u8>)>> {
    on_conn!(conn, |c| {
        audit_log::table
            .filter(audit_log::organization_id.eq(org))
            .order(audit_log::seq.desc())
            .select((audit_log::seq, audit_log::hash))
            .first(c)
            .await
            .optional()
    })
}

/// The number of an entry.
pub async fn seq_of(conn: &mut DbConn, org: OrgId, id: AuditId) -> QueryResult<i64> {
    on_conn!(conn, |c| {
        audit_log::table
            .filter(audit_log::organization_id.eq(org))
            .filter(audit_log::id.eq(id))
            .select(audit_log::seq)
            .first(c)
            .await
    })
}

pub async fn insert(tx: &mut DbConn, entry: Entry) -> QueryResult<()> {
    on_conn!(tx, |c| diesel::insert_into(audit_log::table).values(&entry).execute(c).await)?;
    Ok(())
}

/// The entries that follow a number, oldest first.
pub async fn after(conn: &mut DbConn, org: OrgId, seq: i64) -> QueryResult<Vec<Entry>> {
    on_conn!(conn, |c| {
        audit_log::table
            .filter(audit_log::organization_id.eq(org))
            .filter(audit_log::seq.gt(seq))
            .order(audit_log::seq)
            .limit(PAGE)
            .select(Entry::as_select())
            .load(c)
            .await
    })
}

/// A page of entries, newest first.
pub async fn list(conn: &mut DbConn, org: OrgId, filter: &Filter, limit: i64) -> QueryResult<Vec<Entry>> {
    on_conn!(conn, |c| {
        let mut query = audit_log::table
            .filter(audit_log::organization_id.eq(org))
            .order(audit_log::seq.desc())
            .limit(limit)
            .select(Entry::as_select())
            .into_boxed();
        if let Some(actor) = filter.actor {
            query = query.filter(audit_log::actor_user_id.eq(actor));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_log::action.eq(action));
        }
        if let Some(object_type) = &filter.object_type {
            query = query.filter(audit_log::object_type.eq(object_type));
        }
        if let Some(object_id) = &filter.object_id {
            query = query.filter(audit_log::object_id.eq(object_id));
        }
        if let Some(after) = filter.after {
            query = query.filter(audit_log::created_at.ge(after));
        }
        if let Some(before) = filter.before {
            query = query.filter(audit_log::created_at.lt(before));
        }
        if let Some(below) = filter.below {
            query = query.filter(audit_log::seq.lt(below));
        }
        query.load(c).await
    })
}
