//! A connection to either database, and the macros that write a query once for both.

use diesel::QueryResult;
use diesel::connection::AnsiTransactionManager;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager};

use super::sqlite::Lite;

/// One connection, taken from a pool and given back when dropped.
#[expect(
    clippy::large_enum_variant,
    reason = "a connection lives on the stack for one query; a box would cost more than the bytes"
)]
pub enum DbConn {
    /// A connection to the embedded SQLite file.
    Sqlite(Object<Lite>),
    /// A connection to the PostgreSQL server.
    Postgres(Object<AsyncPgConnection>),
}

type LiteTransactions = <Object<Lite> as AsyncConnection>::TransactionManager;
type PgTransactions = <Object<AsyncPgConnection> as AsyncConnection>::TransactionManager;

impl DbConn {
    /// Runs the closure in one transaction: all of it is stored, or nothing when it answers an error.
    ///
    /// SQLite begins `IMMEDIATE`, so that two writers never deadlock. Never wait for the network inside.
    /// A transaction inside a transaction is not meant to be: pass the connection down instead.
    pub async fn transaction<R, E>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<R, E>) -> Result<R, E>
    where
        E: From<diesel::result::Error>,
    {
        self.begin().await?;
        match work(self).await {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // A failed roll-back leaves the connection marked as broken, and the pool drops it.
                if let Err(rollback) = self.rollback().await {
                    tracing::warn!(error = %rollback, "a transaction could not be rolled back");
                }
                Err(error)
            }
        }
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => c.batch_execute("SELECT 1").await,
            Self::Postgres(c) => c.batch_execute("SELECT 1").await,
        }
    }

    async fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => {
                c.spawn_blocking(|c| AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")).await
            }
            Self::Postgres(c) => PgTransactions::begin_transaction(c).await,
        }
    }

    async fn commit(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => LiteTransactions::commit_transaction(c).await,
            Self::Postgres(c) => PgTransactions::commit_transaction(c).await,
        }
    }

    async fn rollback(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => LiteTransactions::rollback_transaction(c).await,
            Self::Postgres(c) => PgTransactions::rollback_transaction(c).await,
        }
    }
}

/// Compiles one query for each database: `on_conn!(conn, |c| emails::table.count().get_result::<i64>(c).await)`.
#[macro_export]
macro_rules! on_conn {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::db::DbConn::Sqlite($c) => $body,
            $crate::db::DbConn::Postgres($c) => $body,
        }
    };
}

/// Inserts many rows: in one statement per chunk on PostgreSQL, in one blocking hop on SQLite. Answers their number.
///
/// diesel-async cannot run a batch insert on SQLite; row by row with a cached statement is as fast there. The rows must
/// derive `Insertable` with `treat_none_as_default_value = false`. An optional last part finishes the statement:
/// `insert_rows!(conn, emails::table, rows, |q| q.on_conflict_do_nothing())`.
#[macro_export]
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {
        $crate::insert_rows!($conn, $table, $rows, |q| q)
    };
    ($conn:expr, $table:expr, $rows:expr, |$q:ident| $finish:expr) => {{
        let rows = $rows;
        match $conn {
            $crate::db::DbConn::Postgres(c) => {
                let mut inserted = 0;
                // 65,535 binds a statement; the widest table has 64 columns.
                for chunk in rows.chunks(500) {
                    let $q = diesel::insert_into($table).values(chunk);
                    inserted += diesel_async::RunQueryDsl::execute($finish, c).await?;
                }
                Ok::<usize, diesel::result::Error>(inserted)
            }
            $crate::db::DbConn::Sqlite(c) => {
                c.spawn_blocking(move |c| {
                    let mut inserted = 0;
                    for row in &rows {
                        let $q = diesel::insert_into($table).values(row);
                        inserted += diesel::RunQueryDsl::execute($finish, c)?;
                    }
                    Ok(inserted)
                })
                .await
            }
        }
    }};
}
