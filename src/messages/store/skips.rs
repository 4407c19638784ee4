//! Mails that were not stored, each with its reason and never with its body.

use diesel::dsl::count_star;
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::threads::IDS;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::skipped_messages;
use crate::ids::{AccountId, FolderId, SkipId};
use crate::messages::model::{DueSkip, Skip};
use crate::{insert_rows, on_conn};

/// Longest text about a skip, in characters.
const MAX_DETAIL: usize = 500;

#[derive(Insertable)]
#[diesel(table_name = skipped_messages, treat_none_as_default_value = false)]
struct NewSkip {
    id: SkipId,
    account_id: AccountId,
    folder_id: Option<FolderId>,
    external_id: Option<String>,
    message_id: Option<String>,
    uid: Option<i64>,
    uid_validity: Option<i64>,
    reason: String,
    detail: Option<String>,
    size: Option<i64>,
    attempts: i32,
    next_attempt_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Notes why mails were not stored; for one that is noted already, one more attempt.
pub async fn record_skips(tx: &mut DbConn, skips: Vec<Skip>, now: Timestamp) -> QueryResult<()> {
    let mut seen = std::collections::BTreeSet::new();
    let rows: Vec<NewSkip> = skips
        .into_iter()
        .filter(|skip| seen.insert((skip.folder, skip.uid_validity, skip.uid)))
        .map(|skip| NewSkip {
            id: SkipId::new(),
            account_id: skip.account,
            folder_id: Some(skip.folder),
            external_id: skip.external_id,
            message_id: skip.message_id,
            uid: Some(skip.uid.into()),
            uid_validity: Some(skip.uid_validity.into()),
            reason: skip.reason,
            // PostgreSQL refuses NUL, and what a server said may hold one.
            detail: skip.detail.map(|text| text.chars().filter(|c| *c != '\0').take(MAX_DETAIL).collect()),
            size: skip.size.and_then(|size| i64::try_from(size).ok()),
            attempts: 1,
            next_attempt_at: skip.next_attempt_at,
            created_at: now,
            updated_at: now,
        })
        .collect();
    insert_rows!(tx, skipped_messages::table, rows, |q| q
        .on_conflict((skipped_messages::folder_id, skipped_messages::uid_validity, skipped_messages::uid))
        .do_update()
        .set((
            skipped_messages::reason.eq(excluded(skipped_messages::reason)),
            skipped_messages::detail.eq(excluded(skipped_messages::detail)),
            skipped_messages::attempts.eq(skipped_messages::attempts + 1),
            skipped_messages::next_attempt_at.eq(excluded(skipped_messages::next_attempt_at)),
            skipped_messages::updated_at.eq(excluded(skipped_messages::updated_at)),
        )))?;
    Ok(())
}

/// Forgets skips of mails that were stored after all, or are gone.
pub async fn forget_skips(tx: &mut DbConn, folder: FolderId, uid_validity: u32, uids: &[u32]) -> QueryResult<usize> {
    let uids: Vec<i64> = uids.iter().map(|uid| i64::from(*uid)).collect();
    let mut forgotten = 0;
    for chunk in uids.chunks(IDS) {
        let query = skipped_messages::table
            .filter(skipped_messages::folder_id.eq(folder))
            .filter(skipped_messages::uid_validity.eq(i64::from(uid_validity)))
            .filter(skipped_messages::uid.eq_any(chunk));
        forgotten += on_conn!(tx, |c| diesel::delete(query).execute(c).await)?;
    }
    Ok(forgotten)
}

/// Forgets the skips of a folder that are of another generation of UIDs; without one, all of them.
pub async fn forget_stale_skips(tx: &mut DbConn, folder: FolderId, current: Option<u32>) -> QueryResult<usize> {
    let query = skipped_messages::table
        .filter(skipped_messages::folder_id.eq(folder))
        .filter(skipped_messages::uid_validity.ne(current.map_or(-1, i64::from)));
    on_conn!(tx, |c| diesel::delete(query).execute(c).await)
}

/// The skipped mails of a mailbox that are to be tried again by now.
pub async fn due_skips(conn: &mut DbConn, account: AccountId, now: Timestamp) -> QueryResult<Vec<DueSkip>> {
    let query = skipped_messages::table
        .filter(skipped_messages::account_id.eq(account))
        .filter(skipped_messages::next_attempt_at.le(now))
        .order((skipped_messages::folder_id, skipped_messages::uid))
        .limit(1_000)
        .select((
            skipped_messages::folder_id,
            skipped_messages::uid,
            skipped_messages::uid_validity,
            skipped_messages::attempts,
        ));
    type Row = (Option<FolderId>, Option<i64>, Option<i64>, i32);
    let rows: Vec<Row> = on_conn!(conn, |c| query.load(c).await)?;
    let due = |(folder, uid, validity, attempts): Row| {
        Some(DueSkip {
            folder: folder?,
            uid: u32::try_from(uid?).ok()?,
            uid_validity: u32::try_from(validity?).ok()?,
            attempts: u32::try_from(attempts).ok()?,
        })
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

/// The UIDs of a folder that were skipped, ascending.
pub async fn skipped_uids(conn: &mut DbConn, folder: FolderId, uid_validity: u32) -> QueryResult<Vec<u32>> {
    let query = skipped_messages::table
        .filter(skipped_messages::folder_id.eq(folder))
        .filter(skipped_messages::uid_validity.eq(i64::from(uid_validity)))
        .order(skipped_messages::uid)
        .select(skipped_messages::uid);
    let uids: Vec<Option<i64>> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(uids.into_iter().flatten().filter_map(|uid| u32::try_from(uid).ok()).collect())
}

/// How many mails of a mailbox were set aside, by folder and reason.
pub async fn skip_reasons(conn: &mut DbConn, account: AccountId) -> QueryResult<Vec<(FolderId, String, u64)>> {
    let query = skipped_messages::table
        .filter(skipped_messages::account_id.eq(account))
        .group_by((skipped_messages::folder_id, skipped_messages::reason))
        .select((skipped_messages::folder_id, skipped_messages::reason, count_star()));
    let rows: Vec<(Option<FolderId>, String, i64)> = on_conn!(conn, |c| query.load(c).await)?;
    let known = |(folder, reason, count): (Option<FolderId>, String, i64)| {
        Some((folder?, reason, u64::try_from(count).unwrap_or_default()))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}
