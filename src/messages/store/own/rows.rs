//! Mails of a mailbox by their Message-ID, with what is known of their way out.

use std::collections::HashMap;

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_locations, email_outgoing, emails};
use crate::ids::{AccountId, EmailId, FolderId, ThreadId};
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// A mail that may have come back under another identity.
#[derive(Debug, Clone, Queryable)]
pub(super) struct OwnMail {
    pub id: EmailId,
    pub external_id: String,
    pub message_id: Option<String>,
    pub status: String,
    pub thread: Option<ThreadId>,
    pub received_at: Timestamp,
    /// What is known of it when it was written here.
    pub outgoing: Option<Outgoing>,
}

/// How far a mail that was written here is.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Outgoing {
    pub revision: i64,
    pub mirrored_revision: Option<i64>,
    pub handed_at: Option<Timestamp>,
    pub file_due_at: Option<Timestamp>,
}

impl OwnMail {
    /// Whether the provider never told an identity of it.
    pub fn is_local(&self) -> bool {
        self.external_id.starts_with("local-")
    }
}

macro_rules! own {
    ($account:expr) => {
        emails::table.left_join(email_outgoing::table).filter(emails::account_id.eq($account)).select((
            emails::id,
            emails::external_id,
            emails::message_id,
            emails::status,
            emails::thread_id,
            emails::received_at,
            (
                email_outgoing::revision,
                email_outgoing::mirrored_revision,
                email_outgoing::handed_at,
                email_outgoing::file_due_at,
            )
                .nullable(),
        ))
    };
}

/// The mails of a mailbox with these Message-IDs.
pub(super) async fn by_message_ids(tx: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<Vec<OwnMail>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(IDS) {
        let query = own!(account).filter(emails::message_id.eq_any(chunk));
        let rows: Vec<OwnMail> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The mails of a mailbox with these ids.
pub(super) async fn by_ids(tx: &mut DbConn, account: AccountId, ids: &[EmailId]) -> QueryResult<Vec<OwnMail>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(IDS) {
        let query = own!(account).filter(emails::id.eq_any(chunk));
        let rows: Vec<OwnMail> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The numbers that mails have in a folder: generation and UID.
pub(super) async fn numbers(
    tx: &mut DbConn,
    folder: FolderId,
    ids: &[EmailId],
) -> QueryResult<HashMap<EmailId, Vec<(i64, i64)>>> {
    let mut found: HashMap<EmailId, Vec<(i64, i64)>> = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = email_locations::table
            .filter(email_locations::email_id.eq_any(chunk))
            .filter(email_locations::folder_id.eq(folder))
            .select((email_locations::email_id, email_locations::uid_validity, email_locations::uid));
        let rows: Vec<(EmailId, Option<i64>, Option<i64>)> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, validity, uid) in rows {
            if let (Some(validity), Some(uid)) = (validity, uid) {
                found.entry(email).or_default().push((validity, uid));
            }
        }
    }
    Ok(found)
}
