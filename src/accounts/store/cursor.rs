//! How far a mailbox is whose provider counts the changes of all of it (Gmail), and the numbers that its mails get here.

use diesel::QueryResult;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use super::super::service::Accounts;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::email_accounts;
use crate::ids::AccountId;
use crate::on_conn;

/// How far a mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The place in the provider's history up to which every change is known (Gmail's `historyId`).
    pub history_id: Option<u64>,
    /// When its folders were last listed.
    pub folders_listed_at: Option<Timestamp>,
}

impl Accounts {
    /// Reads how far a mailbox is.
    pub async fn cursor(&self, id: AccountId) -> QueryResult<Cursor> {
        let mut conn = self.db.read().await?;
        let query =
            email_accounts::table.find(id).select((email_accounts::history_id, email_accounts::folders_listed_at));
        let (history_id, folders_listed_at): (Option<i64>, Option<Timestamp>) =
            on_conn!(&mut conn, |c| query.first(c).await)?;
        Ok(Cursor { history_id: history_id.and_then(|id| u64::try_from(id).ok()), folders_listed_at })
    }

    /// Saves the place in the history; belongs into the transaction that stores what it covers.
    pub async fn save_history_id(&self, tx: &mut DbConn, id: AccountId, history_id: u64) -> QueryResult<()> {
        let history_id = i64::try_from(history_id).unwrap_or(i64::MAX);
        let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::history_id.eq(Some(history_id)));
        on_conn!(tx, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Lets the next pass list the folders of a mailbox anew: they are not what they were thought to be.
    pub async fn forget_folders_listed(&self, id: AccountId) -> QueryResult<()> {
        let mut conn = self.db.write().await?;
        let query =
            diesel::update(email_accounts::table.find(id)).set(email_accounts::folders_listed_at.eq(None::<Timestamp>));
        on_conn!(&mut conn, |c| query.execute(c).await)?;
        Ok(())
    }

    /// Notes that the folders of a mailbox were listed.
    pub async fn note_folders_listed(&self, tx: &mut DbConn, id: AccountId, at: Timestamp) -> QueryResult<()> {
        let query = diesel::update(email_accounts::table.find(id)).set(email_accounts::folders_listed_at.eq(Some(at)));
        on_conn!(tx, |c| query.execute(c).await)?;
        Ok(())
    }
}

/// Takes the next numbers for mails of a mailbox whose provider has none; answers the first of them.
///
/// The numbers stand where IMAP's UIDs stand (RFC 3501 §2.3.1.1): ascending in the order in which mails were first seen.
pub async fn take_numbers(tx: &mut DbConn, id: AccountId, count: u32) -> QueryResult<u32> {
    if count == 0 {
        return Ok(1);
    }
    let query = diesel::update(email_accounts::table.find(id))
        .set(email_accounts::last_number.eq(email_accounts::last_number + i64::from(count)))
        .returning(email_accounts::last_number);
    let last: i64 = on_conn!(tx, |c| query.get_result(c).await)?;
    Ok(u32::try_from(last).unwrap_or(u32::MAX).saturating_sub(count).saturating_add(1))
}
