//! Erases the mail of a mailbox, some hundred mails at a time.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::threads;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{
    email_attachments, email_folders, emails, skipped_messages, threads as threads_table, uploads,
};
use crate::ids::{AccountId, EmailId, OrgId, ThreadId};
use crate::messages::model::Erased;
use crate::on_conn;

/// Erases up to `limit` mails of a mailbox with all that hangs on them, and its folders with the last.
///
/// Call it again, in a transaction each, until `done`. Afterwards delete the attachments that it names from the storage,
/// and the mailbox's raw mail ([`crate::storage::Storage::delete_raw`]).
pub async fn erase_account_mail(
    tx: &mut DbConn,
    org: OrgId,
    account: AccountId,
    limit: u32,
    now: Timestamp,
) -> QueryResult<Erased> {
    threads::lock(tx, org).await?;
    let query = emails::table
        .filter(emails::account_id.eq(account))
        .filter(emails::organization_id.eq(org))
        .limit(limit.min(5_000).into())
        .select((emails::id, emails::thread_id));
    let mails: Vec<(EmailId, Option<ThreadId>)> = on_conn!(tx, |c| query.load(c).await)?;
    let ids: Vec<EmailId> = mails.iter().map(|(id, _)| *id).collect();
    if ids.is_empty() {
        on_conn!(tx, |c| {
            diesel::delete(skipped_messages::table.filter(skipped_messages::account_id.eq(account))).execute(c).await?;
            diesel::delete(email_folders::table.filter(email_folders::account_id.eq(account))).execute(c).await
        })?;
        return Ok(Erased { done: true, ..Erased::default() });
    }
    let paths = email_attachments::table
        .filter(email_attachments::email_id.eq_any(&ids))
        .select(email_attachments::storage_path)
        .distinct();
    let paths: Vec<String> = on_conn!(tx, |c| paths.load(c).await)?;
    on_conn!(tx, |c| diesel::delete(emails::table.filter(emails::id.eq_any(&ids))).execute(c).await)?;
    let attachments = unreferenced(tx, org, paths).await?;
    tidy_threads(tx, mails.into_iter().filter_map(|(_, thread)| thread).collect(), now).await?;
    Ok(Erased { emails: ids.len(), attachments, done: false })
}

/// Which of these contents no mail and no upload refers to any more.
pub async fn unreferenced(tx: &mut DbConn, org: OrgId, paths: Vec<String>) -> QueryResult<Vec<String>> {
    let mut left: BTreeSet<String> = paths.into_iter().collect();
    let list: Vec<&String> = left.iter().collect();
    let used = email_attachments::table
        .filter(email_attachments::organization_id.eq(org))
        .filter(email_attachments::storage_path.eq_any(&list))
        .select(email_attachments::storage_path)
        .distinct();
    let mut used: Vec<String> = on_conn!(tx, |c| used.load(c).await)?;
    let waiting = uploads::table
        .filter(uploads::organization_id.eq(org))
        .filter(uploads::storage_path.eq_any(&list))
        .select(uploads::storage_path)
        .distinct();
    let waiting: Vec<String> = on_conn!(tx, |c| waiting.load(c).await)?;
    used.extend(waiting);
    for path in used {
        left.remove(&path);
    }
    Ok(left.into_iter().collect())
}

/// Deletes threads that have no mail left, and computes the others anew.
pub(super) async fn tidy_threads(tx: &mut DbConn, ids: BTreeSet<ThreadId>, now: Timestamp) -> QueryResult<()> {
    let list: Vec<ThreadId> = ids.iter().copied().collect();
    let alive =
        emails::table.filter(emails::thread_id.eq_any(&list)).select(emails::thread_id.assume_not_null()).distinct();
    let alive: Vec<ThreadId> = on_conn!(tx, |c| alive.load(c).await)?;
    let alive: BTreeSet<ThreadId> = alive.into_iter().collect();
    let dead: Vec<ThreadId> = ids.difference(&alive).copied().collect();
    on_conn!(tx, |c| diesel::delete(threads_table::table.filter(threads_table::id.eq_any(dead))).execute(c).await)?;
    if alive.is_empty() {
        return Ok(());
    }
    threads::rebuild(tx, &alive, now).await
}
