//! Rows of API keys.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{api_keys, users};
use crate::db::types::Json;
use crate::identity::model::{ApiKey, User};
use crate::ids::{ApiKeyId, OrgId, UserId};
use crate::on_conn;

/// A key to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct NewKey {
    pub id: ApiKeyId,
    pub organization_id: OrgId,
    pub user_id: UserId,
    pub name: String,
    pub prefix: String,
    pub key_hash: Vec<u8>,
    pub scopes: Option<Json>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What changes of a key; absent fields stay.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = api_keys)]
pub struct KeyChange {
    pub name: Option<String>,
    pub scopes: Option<Option<Json>>,
    pub expires_at: Option<Option<Timestamp>>,
    pub revoked_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

pub async fn insert(tx: &mut DbConn, key: NewKey) -> QueryResult<ApiKey> {
    on_conn!(tx, |c| {
        diesel::insert_into(api_keys::table).values(&key).returning(ApiKey::as_returning()).get_result(c).await
    })
}

/// The key of a hash, with its user.
pub async fn by_hash(conn: &mut DbConn, key_hash: &[u8]) -> QueryResult<Option<(ApiKey, User)>> {
    on_conn!(conn, |c| {
        api_keys::table
            .inner_join(users::table)
            .filter(api_keys::key_hash.eq(key_hash))
            .select((ApiKey::as_select(), User::as_select()))
            .first(c)
            .await
            .optional()
    })
}

/// A key that is not revoked; `owner` narrows it to one user's.
pub async fn get(conn: &mut DbConn, org: OrgId, owner: Option<UserId>, id: ApiKeyId) -> QueryResult<ApiKey> {
    on_conn!(conn, |c| {
        let mut query = api_keys::table
            .filter(api_keys::organization_id.eq(org))
            .filter(api_keys::id.eq(id))
            .filter(api_keys::revoked_at.is_null())
            .select(ApiKey::as_select())
            .into_boxed();
        if let Some(owner) = owner {
            query = query.filter(api_keys::user_id.eq(owner));
        }
        query.first(c).await
    })
}

/// A page of the keys that are not revoked, oldest first.
pub async fn list(
    conn: &mut DbConn,
    org: OrgId,
    owner: Option<UserId>,
    after: Option<ApiKeyId>,
    limit: i64,
) -> QueryResult<Vec<ApiKey>> {
    on_conn!(conn, |c| {
        let mut query = api_keys::table
            .filter(api_keys::organization_id.eq(org))
            .filter(api_keys::revoked_at.is_null())
            .order(api_keys::id)
            .limit(limit)
            .select(ApiKey::as_select())
            .into_boxed();
        if let Some(owner) = owner {
            query = query.filter(api_keys::user_id.eq(owner));
        }
        if let Some(after) = after {
            query = query.filter(api_keys::id.gt(after));
        }
        query.load(c).await
    })
}

pub async fn update(tx: &mut DbConn, org: OrgId, id: ApiKeyId, change: KeyChange) -> QueryResult<ApiKey> {
    on_conn!(tx, |c| {
        diesel::update(api_keys::table.filter(api_keys::organization_id.eq(org)).filter(api_keys::id.eq(id)))
            .set(&change)
            .returning(ApiKey::as_returning())
            .get_result(c)
            .await
    })
}

/// Notes that a key was used.
pub async fn used(tx: &mut DbConn, id: ApiKeyId, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(api_keys::table.find(id)).set(api_keys::last_used_at.eq(now)).execute(c).await
    })?;
    Ok(())
}
