//! The note which encryption keys have sealed something in this database (`settings.encryption_keys`).

use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::schema::settings;
use crate::db::types::Json;
use crate::db::{DbConn, is_corrupt};
use crate::on_conn;

const KEY: &str = "encryption_keys";

/// The ids of the keys in use; none in a new database.
pub(in crate::accounts) async fn noted(conn: &mut DbConn) -> QueryResult<Vec<String>> {
    let value: Option<Json> =
        on_conn!(conn, |c| settings::table.find(KEY).select(settings::value).first(c).await.optional())?;
    match value {
        Some(Json(value)) => serde_json::from_value(value).map_err(|_| is_corrupt("settings", KEY)),
        None => Ok(Vec::new()),
    }
}

/// Notes the ids of the keys in use.
pub(in crate::accounts) async fn note(conn: &mut DbConn, ids: &[String], now: Timestamp) -> QueryResult<()> {
    let value = Json(ids.iter().cloned().collect());
    on_conn!(conn, |c| {
        diesel::insert_into(settings::table)
            .values((settings::key.eq(KEY), settings::value.eq(&value), settings::updated_at.eq(now)))
            .on_conflict(settings::key)
            .do_update()
            .set((settings::value.eq(&value), settings::updated_at.eq(now)))
            .execute(c)
            .await
    })?;
    Ok(())
}
