//! The embedded SQLite database: its pragmas, pools and migration.

use std::path::{Path, PathBuf};

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::AsyncConnection;
use diesel_async::SimpleAsyncConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures_util::FutureExt;

use super::blocking::Blocking;
use super::migrate;

/// An asynchronous SQLite connection.
pub type Lite = SyncConnectionWrapper<SqliteConnection, Blocking>;

/// What a pool's connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Access {
    /// A reader's cache is small: what it misses is in the system's, and there are several readers.
    const fn pragmas(self) -> &'static str {
        match self {
            Self::Read => "PRAGMA query_only = ON; PRAGMA cache_size = -2000;",
            Self::Write => "PRAGMA cache_size = -8000;",
        }
    }
}

/// `busy_timeout` comes first: switching to WAL takes a lock itself.
const PRAGMAS: &str = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;";

const READERS: usize = 4;

/// Opens a pool: one connection for writing, several that refuse to write for reading.
pub(super) fn pool(path: &Path, access: Access) -> anyhow::Result<Pool<Lite>> {
    let mut config = ManagerConfig::<Lite>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let url = url.to_owned();
        async move {
            let mut conn = Lite::establish(&url).await?;
            conn.batch_execute(&format!("{PRAGMAS} {}", access.pragmas()))
                .await
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
        .boxed()
    });
    let path = path.to_str().context("the path of the database is not UTF-8")?;
    let manager = AsyncDieselConnectionManager::<Lite>::new_with_config(path, config);
    let size = if access == Access::Write { 1 } else { READERS };
    Ok(Pool::builder(manager).max_size(size).build()?)
}

/// Chooses between "on disk before the commit returns" and "can be fetched again after a power cut".
///
/// Inside a transaction SQLite refuses the pragma, so it is set when a connection is taken.
pub(super) async fn durable(conn: &mut Object<Lite>, full: bool) -> QueryResult<()> {
    conn.batch_execute(if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" }).await
}

/// Creates the file when absent and brings the schema up to date.
pub(super) async fn migrate(path: PathBuf) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || {
        let url = path.to_str().context("the path of the database is not UTF-8")?;
        let mut conn =
            SqliteConnection::establish(url).with_context(|| format!("cannot open the database {}", path.display()))?;
        conn.batch_execute(PRAGMAS).with_context(|| format!("{} is not a usable SQLite database", path.display()))?;
        migrate::run(&mut conn, migrate::SQLITE)
    })
    .await?
}
