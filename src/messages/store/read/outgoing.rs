//! How a mail that is written here goes out.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_outgoing, email_recipients};
use crate::db::types::Json;
use crate::ids::EmailId;
use crate::on_conn;

/// What is kept of a mail that is written here.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_outgoing)]
pub(crate) struct OutgoingRow {
    pub revision: i64,
    pub action: Option<String>,
    pub source_email_id: Option<EmailId>,
    pub options: Json,
    pub due_at: Option<Timestamp>,
    pub attempts: i32,
    pub error_code: Option<String>,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_recipients)]
pub(crate) struct DeliveryRow {
    pub recipient_type: String,
    pub email_address: String,
    pub delivery: Option<String>,
    pub smtp_code: Option<i32>,
    pub smtp_reply: Option<String>,
}

/// How a mail goes out; nothing for one that was not written here.
pub(crate) async fn outgoing(conn: &mut DbConn, id: EmailId) -> QueryResult<Option<(OutgoingRow, Vec<DeliveryRow>)>> {
    let query = email_outgoing::table.find(id);
    let row: Option<OutgoingRow> =
        on_conn!(conn, |c| query.select(OutgoingRow::as_select()).first(c).await.optional())?;
    let Some(row) = row else { return Ok(None) };
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq(id))
        .order((email_recipients::recipient_type.desc(), email_recipients::position));
    let people = on_conn!(conn, |c| query.select(DeliveryRow::as_select()).load(c).await)?;
    Ok(Some((row, people)))
}
