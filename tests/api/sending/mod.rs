//! Mail on its way out, and what comes back of it.

mod answers;
mod campaign;
mod desk;
mod drafts;
mod inbound;
mod never_twice;
mod refusals;
mod servers;
mod soak;
mod submit;
mod timing;

use diesel_async::RunQueryDsl;
use duplex::db::DbConn;
use duplex::on_conn;

/// Changes rows behind the application's back.
async fn run_sql(conn: &mut DbConn, sql: &str) {
    on_conn!(conn, |c| diesel::sql_query(sql).execute(c).await).unwrap();
}
