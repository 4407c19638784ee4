//! All SQL on `idempotency_keys`.

use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable};
use diesel::{OptionalExtension, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::idempotency_keys;
use crate::db::types::Json;
use crate::ids::UserId;
use crate::on_conn;

/// A request that was made under a key.
#[derive(Insertable)]
#[diesel(table_name = idempotency_keys)]
pub(super) struct Claim<'a> {
    pub user_id: UserId,
    pub key: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub request_hash: &'a [u8],
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub held_by: &'a str,
}

/// What is known of a key.
#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(super) struct Known {
    pub request_hash: Vec<u8>,
    pub status: Option<i32>,
    pub headers: Option<Json>,
    pub response: Option<Vec<u8>>,
}

/// Takes the key; answers whether it was free. One that is over, or whose request died before its answer, is free again.
pub(super) async fn claim(tx: &mut DbConn, claim: &Claim<'_>, dead_before: Timestamp) -> QueryResult<bool> {
    let over = idempotency_keys::expires_at
        .le(claim.created_at)
        .or(idempotency_keys::status.is_null().and(idempotency_keys::created_at.lt(dead_before)));
    let inserted = on_conn!(tx, |c| {
        let mine = idempotency_keys::table
            .filter(idempotency_keys::user_id.eq(claim.user_id))
            .filter(idempotency_keys::key.eq(claim.key));
        diesel::delete(mine.filter(over)).execute(c).await?;
        diesel::insert_into(idempotency_keys::table).values(claim).on_conflict_do_nothing().execute(c).await
    })?;
    Ok(inserted == 1)
}

/// Frees the keys of requests that a process of this name had not answered when it died. Answers how many there were.
pub(super) async fn release(conn: &mut DbConn, holder: &str) -> QueryResult<usize> {
    on_conn!(conn, |c| {
        let left = idempotency_keys::table
            .filter(idempotency_keys::held_by.eq(holder))
            .filter(idempotency_keys::status.is_null());
        diesel::delete(left).execute(c).await
    })
}

/// Reads a key.
pub(super) async fn find(conn: &mut DbConn, user: UserId, key: &str) -> QueryResult<Option<Known>> {
    on_conn!(conn, |c| idempotency_keys::table.find((user, key)).select(Known::as_select()).first(c).await.optional())
}

/// Keeps the answer.
pub(super) async fn keep(
    conn: &mut DbConn,
    user: UserId,
    key: &str,
    status: i32,
    headers: Json,
    response: &[u8],
) -> QueryResult<()> {
    on_conn!(conn, |c| {
        diesel::update(idempotency_keys::table.find((user, key)))
            .set((
                idempotency_keys::status.eq(status),
                idempotency_keys::headers.eq(&headers),
                idempotency_keys::response.eq(response),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Forgets a key whose request should be made again.
pub(super) async fn forget(conn: &mut DbConn, user: UserId, key: &str) -> QueryResult<()> {
    on_conn!(conn, |c| diesel::delete(idempotency_keys::table.find((user, key))).execute(c).await)?;
    Ok(())
}
