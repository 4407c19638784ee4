//! The PostgreSQL server: its pool, TLS and migration.

use std::sync::Arc;

use anyhow::Context;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::migrate;

/// Connections of one process; a PostgreSQL server allows 100 in all by default.
const CONNECTIONS: usize = 16;

/// Guards the migrations of several copies that start at once (any constant will do).
const MIGRATION_LOCK: i64 = 0x6475_706c_6578;

/// Opens the pool; connections are made when they are needed.
pub(super) fn pool(url: &str, tls: Option<Arc<rustls::ClientConfig>>) -> anyhow::Result<Pool<AsyncPgConnection>> {
    let mut config = ManagerConfig::<AsyncPgConnection>::default();
    // A closed connection is noticed before it is handed out, so a restarted server costs no request.
    config.recycling_method = RecyclingMethod::Verified;
    config.custom_setup = Box::new(move |url| {
        let url = url.to_owned();
        let tls = tls.clone();
        async move { connect(&url, tls).await }.boxed()
    });
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
    Ok(Pool::builder(manager).max_size(CONNECTIONS).build()?)
}

async fn connect(url: &str, tls: Option<Arc<rustls::ClientConfig>>) -> ConnectionResult<AsyncPgConnection> {
    let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(error.to_string());
    let mut conn = match tls {
        Some(tls) => {
            let tls = MakeRustlsConnect::new((*tls).clone());
            let (client, connection) = tokio_postgres::connect(url, tls).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        }
        None => {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        }
    };
    conn.batch_execute(
        "SET TIME ZONE 'UTC'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'",
    )
    .await
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Brings the schema up to date; copies that start together take turns.
pub(super) async fn migrate(pool: &Pool<AsyncPgConnection>) -> anyhow::Result<()> {
    let mut conn = pool.get().await.context("cannot reach the PostgreSQL server of DATABASE_URL")?;
    conn.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let migrated = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let result = migrate::run(&mut harness, migrate::POSTGRES);
        (harness.into_inner(), result)
    })
    .await?;
    let (mut conn, result) = migrated;
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK}); SET statement_timeout = '60s'")).await?;
    result
}
