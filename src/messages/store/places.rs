//! Where mails lie.

use std::collections::{BTreeMap, BTreeSet};

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, NullableExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::refresh;
use super::threads::{self, IDS};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, email_folders, email_locations};
use crate::ids::{AccountId, EmailId, FolderId, LocationId, OrgId};
use crate::messages::model::{FlagChange, KnownCopy};
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = email_locations, treat_none_as_default_value = false)]
struct NewLocation {
    id: LocationId,
    email_id: EmailId,
    folder_id: FolderId,
    account_id: AccountId,
    uid: Option<i64>,
    uid_validity: Option<i64>,
    mod_seq: Option<i64>,
    is_read: bool,
    is_starred: bool,
    /// The mail's own time, so that a folder's list and the list of all mail have one order.
    received_at: Timestamp,
    created_at: Timestamp,
}

/// A copy of a mail that has its row.
pub(super) struct Arrival {
    pub email: EmailId,
    pub received_at: Timestamp,
    pub copy: KnownCopy,
}

/// Adds places; one that is known gets the flags as they are now.
pub(super) async fn insert(
    tx: &mut DbConn,
    account: AccountId,
    arrivals: Vec<Arrival>,
    now: Timestamp,
) -> QueryResult<()> {
    // PostgreSQL refuses to touch a row twice in one statement.
    let mut seen = BTreeSet::new();
    let rows: Vec<NewLocation> = arrivals
        .into_iter()
        .filter(|arrival| seen.insert((arrival.copy.folder, arrival.copy.uid_validity, arrival.copy.uid)))
        .map(|Arrival { email, received_at, copy }| NewLocation {
            id: LocationId::new(),
            email_id: email,
            folder_id: copy.folder,
            account_id: account,
            uid: Some(copy.uid.into()),
            uid_validity: Some(copy.uid_validity.into()),
            mod_seq: mod_seq(copy.mod_seq),
            is_read: copy.is_read,
            is_starred: copy.is_starred,
            received_at,
            created_at: now,
        })
        .collect();
    insert_rows!(tx, email_locations::table, rows, |q| q
        .on_conflict((email_locations::folder_id, email_locations::uid_validity, email_locations::uid))
        .do_update()
        .set((
            email_locations::mod_seq.eq(excluded(email_locations::mod_seq)),
            email_locations::is_read.eq(excluded(email_locations::is_read)),
            email_locations::is_starred.eq(excluded(email_locations::is_starred)),
        )))?;
    Ok(())
}

fn mod_seq(value: Option<u64>) -> Option<i64> {
    value.and_then(|value| i64::try_from(value).ok())
}

/// Takes over the flags that the provider reports for mails of a folder; unknown UIDs are passed over.
///
/// Answers the mails whose flags as a whole became others.
pub async fn update_flags(
    tx: &mut DbConn,
    folder: FolderId,
    uid_validity: u32,
    changes: &[FlagChange],
    now: Timestamp,
) -> QueryResult<Vec<EmailId>> {
    let (org, account) = owner(tx, folder).await?;
    threads::lock(tx, org).await?;
    let by_uid: BTreeMap<i64, &FlagChange> = changes.iter().map(|change| (change.uid.into(), change)).collect();
    let uids: Vec<i64> = by_uid.keys().copied().collect();
    let mut arrivals = Vec::with_capacity(uids.len());
    let (mut answered, mut unanswered) = (Vec::new(), Vec::new());
    for (uid, email, received_at) in at(tx, folder, uid_validity, &uids).await? {
        let Some(change) = by_uid.get(&uid) else { continue };
        if change.is_answered {
            answered.push(email)
        } else {
            unanswered.push(email)
        }
        let copy = KnownCopy {
            folder,
            uid: change.uid,
            uid_validity,
            mod_seq: change.mod_seq,
            is_read: change.is_read,
            is_starred: change.is_starred,
            is_answered: change.is_answered,
            external_id: String::new(),
        };
        arrivals.push(Arrival { email, received_at, copy });
    }
    let emails: BTreeSet<EmailId> = arrivals.iter().map(|arrival| arrival.email).collect();
    insert(tx, account, arrivals, now).await?;
    let mut changed = refresh::answered(tx, &answered, true, now).await?;
    changed.extend(refresh::answered(tx, &unanswered, false, now).await?);
    changed.extend(refresh::refresh(tx, &emails, now).await?);
    Ok(changed.into_iter().collect())
}

/// Takes mails out of a folder. One that lies nowhere any more counts as deleted, until it comes back.
///
/// Answers the mails that are gone.
pub async fn remove_locations(
    tx: &mut DbConn,
    folder: FolderId,
    uid_validity: u32,
    uids: &[u32],
    now: Timestamp,
) -> QueryResult<Vec<EmailId>> {
    let (org, _) = owner(tx, folder).await?;
    threads::lock(tx, org).await?;
    let uids: Vec<i64> = uids.iter().map(|uid| i64::from(*uid)).collect();
    let found = at(tx, folder, uid_validity, &uids).await?;
    for chunk in uids.chunks(IDS) {
        let query = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_locations::uid.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(query).execute(c).await)?;
    }
    let emails = found.into_iter().map(|(_, email, _)| email).collect();
    Ok(refresh::refresh(tx, &emails, now).await?.gone)
}

/// Takes up to `limit` mails out of a folder whose places are of another generation than `current`; without one, of any.
///
/// Answers how many places were removed: call it again until that is 0, in a transaction each.
pub async fn remove_stale_locations(
    tx: &mut DbConn,
    folder: FolderId,
    current: Option<u32>,
    limit: u32,
    now: Timestamp,
) -> QueryResult<usize> {
    let (org, _) = owner(tx, folder).await?;
    threads::lock(tx, org).await?;
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.ne(current.map_or(-1, i64::from)))
        .limit(limit.into())
        .select((email_locations::id, email_locations::email_id));
    let stale: Vec<(LocationId, EmailId)> = on_conn!(tx, |c| query.load(c).await)?;
    let (ids, emails): (Vec<LocationId>, BTreeSet<EmailId>) = stale.into_iter().unzip();
    for chunk in ids.chunks(IDS) {
        let query = email_locations::table.filter(email_locations::id.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(query).execute(c).await)?;
    }
    refresh::refresh(tx, &emails, now).await?;
    Ok(ids.len())
}

/// The UIDs of a folder that are stored, ascending.
pub async fn stored_uids(conn: &mut DbConn, folder: FolderId, uid_validity: u32) -> QueryResult<Vec<u32>> {
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .order(email_locations::uid)
        .select(email_locations::uid);
    let uids: Vec<Option<i64>> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(uids.into_iter().flatten().filter_map(|uid| u32::try_from(uid).ok()).collect())
}

async fn at(
    tx: &mut DbConn,
    folder: FolderId,
    uid_validity: u32,
    uids: &[i64],
) -> QueryResult<Vec<(i64, EmailId, Timestamp)>> {
    let mut found = Vec::with_capacity(uids.len());
    for chunk in uids.chunks(IDS) {
        let query = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_locations::uid.eq_any(chunk))
            .select((email_locations::uid.assume_not_null(), email_locations::email_id, email_locations::received_at));
        let rows: Vec<(i64, EmailId, Timestamp)> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

async fn owner(tx: &mut DbConn, folder: FolderId) -> QueryResult<(OrgId, AccountId)> {
    let query = email_folders::table
        .inner_join(email_accounts::table)
        .filter(email_folders::id.eq(folder))
        .select((email_accounts::organization_id, email_accounts::id));
    on_conn!(tx, |c| query.first(c).await)
}
