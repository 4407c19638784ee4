//! The database: one set of queries for embedded SQLite and for PostgreSQL.
//!
//! [`Db`] hands out connections, [`DbConn`] is one of them, and `on_conn!` writes a diesel query once and compiles it for
//! each backend. Every failure, also of the pool, is a `diesel::result::Error`, so that a store has one error type;
//! [`crate::error::is_unavailable`] tells a database that is away from a query that is wrong.
//!
//! On SQLite all writes go through one connection (`BEGIN IMMEDIATE`); [`Db::write_background`] lets what a person does
//! overtake a backfill: of all background writers only one at a time stands in the queue.

mod blocking;
mod conn;
mod migrate;
mod postgres;
pub mod schema;
mod sqlite;
pub mod types;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed;
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use tokio::sync::Semaphore;

pub use blocking::Blocking;
pub use conn::DbConn;
pub use sqlite::Lite;

/// How long a request waits for a connection before the database counts as away.
const WAIT: Duration = Duration::from_secs(45);

/// Where the database lies and how it is reached.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// The backend with its address.
    pub url: DatabaseUrl,
    /// TLS settings for PostgreSQL (`sslmode=require`).
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// The address of the database, parsed at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An embedded SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, as a `postgres://` URL (it may hold a password: never log it).
    Postgres(crate::secret::Secret),
}

/// Which of the two databases is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// The database: hands out connections for reading and writing.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    background: Arc<Semaphore>,
}

#[derive(Clone)]
enum Pools {
    Sqlite { read: Pool<Lite>, write: Pool<Lite> },
    Postgres(Pool<AsyncPgConnection>),
}

impl Db {
    /// Brings the schema up to date and opens the pools.
    ///
    /// # Errors
    /// When the database cannot be reached, or was written by a newer version of Duplex.
    pub async fn open(options: &DbOptions) -> anyhow::Result<Self> {
        let (pools, background) = match &options.url {
            DatabaseUrl::Sqlite(path) => {
                sqlite::migrate(path.clone()).await?;
                (
                    Pools::Sqlite {
                        read: sqlite::pool(path, sqlite::Access::Read)?,
                        write: sqlite::pool(path, sqlite::Access::Write)?,
                    },
                    1,
                )
            }
            DatabaseUrl::Postgres(url) => {
                let pool = postgres::pool(url.expose(), options.tls.clone())?;
                postgres::migrate(&pool).await?;
                (Pools::Postgres(pool), 6)
            }
        };
        Ok(Self { pools, background: Arc::new(Semaphore::new(background)) })
    }

    /// Which backend this is.
    pub fn backend(&self) -> Backend {
        match self.pools {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::Postgres(_) => Backend::Postgres,
        }
    }

    /// A connection for reading; on SQLite it refuses to write.
    pub async fn read(&self) -> QueryResult<DbConn> {
        match &self.pools {
            Pools::Sqlite { read, .. } => Ok(DbConn::Sqlite(checkout(read).await?)),
            Pools::Postgres(pool) => Ok(DbConn::Postgres(checkout(pool).await?)),
        }
    }

    /// A connection for what somebody waits for; on SQLite each commit is on disk before it returns.
    pub async fn write(&self) -> QueryResult<DbConn> {
        match &self.pools {
            Pools::Sqlite { write, .. } => {
                let mut conn = checkout(write).await?;
                sqlite::durable(&mut conn, true).await?;
                Ok(DbConn::Sqlite(conn))
            }
            Pools::Postgres(pool) => Ok(DbConn::Postgres(checkout(pool).await?)),
        }
    }

    /// A connection for bulk work that can be done again; lets interactive writers go first.
    ///
    /// The permit that comes with it must live as long as the connection.
    pub async fn write_background(&self) -> QueryResult<(DbConn, tokio::sync::OwnedSemaphorePermit)> {
        let permit =
            self.background.clone().acquire_owned().await.map_err(|_| unavailable("the database is being closed"))?;
        let conn = match &self.pools {
            Pools::Sqlite { write, .. } => {
                let mut conn = checkout(write).await?;
                sqlite::durable(&mut conn, false).await?;
                DbConn::Sqlite(conn)
            }
            Pools::Postgres(pool) => DbConn::Postgres(checkout(pool).await?),
        };
        Ok((conn, permit))
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> QueryResult<()> {
        self.read().await?.ping().await
    }
}

async fn checkout<M, W>(pool: &managed::Pool<M, W>) -> QueryResult<W>
where
    M: managed::Manager<Error = diesel_async::pooled_connection::PoolError>,
    W: From<managed::Object<M>>,
{
    match tokio::time::timeout(WAIT, pool.get()).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(error)) => Err(unavailable(&error.to_string())),
        Err(_) => Err(unavailable("no connection became free")),
    }
}

fn unavailable(why: &str) -> Error {
    Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(why.to_owned()))
}

/// An error for a column that holds a value this program never writes.
pub fn is_corrupt(table: &str, column: &str) -> Error {
    Error::DeserializationError(format!("{table}.{column} holds an unknown value").into())
}
