//! The tables as both databases really have them after the migrations.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use duplex::db::{DatabaseUrl, Db, DbConn, DbOptions};
use duplex::secret::Secret;
use tempfile::TempDir;

use crate::support::{Backend, TestDatabase};

/// A foreign key: a deleted parent takes the child along, or is forgotten by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct ForeignKey {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    col: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Bool)]
    indexed: bool,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const SQLITE: &str = "
    SELECT t.name AS child, f.\"from\" AS col, f.\"table\" AS parent, lower(f.on_delete) AS action,
           EXISTS (SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c
                   WHERE c.seqno = 0 AND c.name = f.\"from\") AS indexed
    FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";

const POSTGRES: &str = "
    SELECT c.conrelid::regclass::text AS child, a.attname::text AS col, c.confrelid::regclass::text AS parent,
           CASE c.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE c.confdeltype::text END AS action,
           EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]) AS indexed
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f'";

async fn open(backend: Backend, dir: &TempDir) -> (TestDatabase, Db) {
    let database = TestDatabase::create(backend).await;
    let url = match database.url() {
        Some(url) => DatabaseUrl::Postgres(Secret::new(url)),
        None => DatabaseUrl::Sqlite(dir.path().join("duplex.db")),
    };
    let db = Db::open(&DbOptions { url, tls: None }).await.unwrap();
    (database, db)
}

async fn foreign_keys(db: &Db) -> Vec<ForeignKey> {
    let mut conn = db.read().await.unwrap();
    let query = if matches!(conn, DbConn::Sqlite(_)) { SQLITE } else { POSTGRES };
    let conn = &mut conn;
    let found = duplex::on_conn!(conn, |c| diesel_async::RunQueryDsl::load(diesel::sql_query(query), c).await);
    let mut found: Vec<ForeignKey> = found.unwrap();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_foreign_keys_each_with_an_index() {
    let dir = TempDir::new().unwrap();
    let (_lite, lite) = open(Backend::Sqlite, &dir).await;
    let (_server, server) = open(Backend::Postgres, &dir).await;
    let found = foreign_keys(&lite).await;
    assert!(found.len() > 50, "{found:?}");
    assert_eq!(found, foreign_keys(&server).await);
    for key in &found {
        assert!(key.indexed, "no index begins with {}.{}", key.child, key.col);
        assert!(["cascade", "set null"].contains(&key.action.as_str()), "{key:?}");
    }
}

/// Puts one row into every table. Every binary column holds the same sixteen bytes, so every reference fits.
fn fill(conn: &mut SqliteConnection) {
    let tables = "SELECT name, '' AS kind FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' \
                  AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE 'sqlite%'";
    let tables: Vec<Column> = diesel::sql_query(tables).load(conn).unwrap();
    for table in tables {
        let columns = format!("SELECT name, type AS kind FROM pragma_table_info('{}')", table.name);
        let columns: Vec<Column> = diesel::sql_query(columns).load(conn).unwrap();
        let values = columns.iter().map(|column| match column.kind.as_str() {
            "BLOB" => "x'0123456789abcdef0123456789abcdef'",
            "TEXT" => "'[]'",
            _ => "1",
        });
        let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let values: Vec<_> = values.collect();
        let insert = format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), values.join(", "));
        conn.batch_execute(&insert).unwrap_or_else(|error| panic!("{insert}: {error}"));
    }
}

fn count(conn: &mut SqliteConnection, table: &str, condition: &str) -> i64 {
    let query = format!("SELECT count(*) AS count FROM {table} WHERE {condition}");
    diesel::sql_query(query).get_result::<Count>(conn).unwrap().count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_foreign_key_does_what_it_says() {
    let dir = TempDir::new().unwrap();
    let (_lite, lite) = open(Backend::Sqlite, &dir).await;
    let found = foreign_keys(&lite).await;
    let path = dir.path().join("duplex.db");
    tokio::task::spawn_blocking(move || {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute(
            "PRAGMA busy_timeout = 30000; PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = ON",
        )
        .unwrap();
        // A row that is its own parent proves nothing.
        for key in found.iter().filter(|key| key.child != key.parent) {
            conn.test_transaction::<_, diesel::result::Error, _>(|conn| {
                conn.batch_execute("PRAGMA defer_foreign_keys = ON")?;
                fill(conn);
                conn.batch_execute("PRAGMA defer_foreign_keys = OFF")?;
                conn.batch_execute(&format!("DELETE FROM {}", key.parent))?;
                assert_eq!(count(conn, &key.child, &format!("\"{}\" IS NOT NULL", key.col)), 0, "{key:?}");
                let goes = |other: &ForeignKey| {
                    other.child == key.child && other.parent == key.parent && other.action == "cascade"
                };
                let left = i64::from(!found.iter().any(goes));
                assert_eq!(count(conn, &key.child, "TRUE"), left, "{key:?}");
                Ok(())
            });
        }
    })
    .await
    .unwrap();
}
