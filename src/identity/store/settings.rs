//! The set-up token's hashes among the settings.

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::settings;
use crate::db::types::Json;
use crate::on_conn;

const SETUP_TOKENS: &str = "setup_tokens";

/// The hashes of the set-up tokens that count, as hexadecimal digits.
pub async fn setup_tokens(conn: &mut DbConn) -> QueryResult<Vec<String>> {
    let stored: Option<Json> =
        on_conn!(conn, |c| { settings::table.find(SETUP_TOKENS).select(settings::value).first(c).await.optional() })?;
    Ok(stored.and_then(|Json(value)| serde_json::from_value(value).ok()).unwrap_or_default())
}

pub async fn put_setup_tokens(tx: &mut DbConn, hashes: &[String], now: Timestamp) -> QueryResult<()> {
    let row = (
        settings::key.eq(SETUP_TOKENS),
        settings::value.eq(Json(serde_json::json!(hashes))),
        settings::updated_at.eq(now),
    );
    on_conn!(tx, |c| {
        diesel::insert_into(settings::table)
            .values(row)
            .on_conflict(settings::key)
            .do_update()
            .set((
                settings::value.eq(excluded(settings::value)),
                settings::updated_at.eq(excluded(settings::updated_at)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Takes all tokens away; of several callers at once only one is told that there were any.
pub async fn take_setup_tokens(tx: &mut DbConn) -> QueryResult<bool> {
    let taken = on_conn!(tx, |c| diesel::delete(settings::table.find(SETUP_TOKENS)).execute(c).await)?;
    Ok(taken == 1)
}
