//! What the executor reads: which items are due, and where the two sides differ.

use diesel::QueryResult;

use super::super::model::{DueItem, MailDiff};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::{AccountId, EmailId};

/// The items of a mailbox that are to be carried out by now, in the order in which people asked for them.
pub async fn due_items(
    _conn: &mut DbConn,
    _account: AccountId,
    _now: Timestamp,
    _limit: u32,
) -> QueryResult<Vec<DueItem>> {
    Ok(Vec::new())
}

/// The places of these mails on both sides.
pub async fn differences(_conn: &mut DbConn, _emails: &[EmailId]) -> QueryResult<Vec<MailDiff>> {
    Ok(Vec::new())
}
