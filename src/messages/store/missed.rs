//! Mails that were not stored, of providers that name mails by an id of their own.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::skips::record_skips;
use super::threads::IDS;
use super::whole::GENERATION;
use crate::accounts::take_numbers;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::skipped_messages;
use crate::ids::AccountId;
use crate::messages::model::Skip;
use crate::messages::whole::Missed;
use crate::on_conn;

/// Notes why mails were not stored; for one that is noted already, one more attempt.
pub async fn record_missed(
    tx: &mut DbConn,
    account: AccountId,
    missed: Vec<Missed>,
    now: Timestamp,
) -> QueryResult<()> {
    if missed.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = missed.iter().map(|mail| mail.external_id.as_str()).collect();
    let known = numbers(tx, account, &ids).await?;
    let mut next = take_numbers(tx, account, u32::try_from(missed.len()).unwrap_or(u32::MAX)).await?;
    let skips = missed.into_iter().map(|mail| {
        next += 1;
        Skip {
            account,
            folder: mail.folder,
            uid: known.get(&mail.external_id).copied().unwrap_or(next - 1),
            uid_validity: GENERATION,
            external_id: Some(mail.external_id),
            message_id: mail.message_id,
            reason: mail.reason.to_owned(),
            detail: mail.detail,
            size: mail.size,
            next_attempt_at: mail.next_attempt_at,
        }
    });
    record_skips(tx, skips.collect(), now).await
}

async fn numbers(tx: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<HashMap<String, u32>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = skipped_messages::table
            .filter(skipped_messages::account_id.eq(account))
            .filter(skipped_messages::external_id.eq_any(chunk))
            .select((skipped_messages::external_id, skipped_messages::uid));
        let rows: Vec<(Option<String>, Option<i64>)> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows.into_iter().filter_map(|(id, uid)| Some((id?, u32::try_from(uid?).ok()?))));
    }
    Ok(found)
}

/// Forgets that mails were not stored: they are now, or are gone.
pub async fn forget_missed(tx: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<()> {
    for chunk in ids.chunks(IDS) {
        let query = skipped_messages::table
            .filter(skipped_messages::account_id.eq(account))
            .filter(skipped_messages::external_id.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(query).execute(c).await)?;
    }
    Ok(())
}

/// Those of these mails that were left out with a reason.
pub async fn missed_ids(conn: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<BTreeSet<String>> {
    Ok(numbers(conn, account, ids).await?.into_keys().collect())
}

/// The mails that were left out and are to be tried again by now, with the number of tries.
pub async fn due_missed(conn: &mut DbConn, account: AccountId, now: Timestamp) -> QueryResult<Vec<(String, u32)>> {
    let query = skipped_messages::table
        .filter(skipped_messages::account_id.eq(account))
        .filter(skipped_messages::external_id.is_not_null())
        .filter(skipped_messages::next_attempt_at.le(now))
        .order(skipped_messages::uid)
        .limit(500)
        .select((skipped_messages::external_id, skipped_messages::attempts));
    let rows: Vec<(Option<String>, i32)> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(rows.into_iter().filter_map(|(id, tries)| Some((id?, u32::try_from(tries).unwrap_or_default()))).collect())
}
