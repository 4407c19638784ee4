//! Tells others what changed of mails.

use std::collections::BTreeMap;

use diesel::QueryResult;

use super::model::Fields;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::EmailId;

/// Mails changed here; belongs into the transaction of the change.
pub(super) async fn updated(_tx: &mut DbConn, mails: &BTreeMap<EmailId, Fields>, _now: Timestamp) -> QueryResult<()> {
    for (email, fields) in mails {
        tracing::trace!(email.id = %email, fields = ?fields.names(), "a mail changed");
    }
    Ok(())
}
