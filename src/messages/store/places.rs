//! Where mails lie.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, TextExpressionMethods};
use diesel_async::RunQueryDsl;

use super::arrivals::{self, Arrival};
use super::own;
use super::refresh;
use super::threads::{self, IDS};
use super::told;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, emails};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::model::{FlagChange, Intake, KnownCopy, Mailbox, Removed};
use crate::messages::written::LOCAL;
use crate::on_conn;

/// Takes over the flags that the provider reports for mails of a folder; unknown UIDs are passed over.
///
/// Answers the mails whose flags as a whole became others.
pub async fn update_flags(
    tx: &mut DbConn,
    owner: &Mailbox,
    folder: FolderId,
    uid_validity: u32,
    changes: &[FlagChange],
    intake: &Intake,
) -> QueryResult<Vec<EmailId>> {
    threads::lock(tx, owner.org).await?;
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
    arrivals::take_over(tx, owner.account, arrivals, &HashSet::new(), intake).await?;
    let mut changed = refresh::answered(tx, &answered, true, intake.now).await?;
    changed.extend(refresh::answered(tx, &unanswered, false, intake.now).await?);
    changed.extend(refresh::refresh(tx, &emails, intake.now).await?);
    told::updated(tx, owner, &changed, intake).await?;
    Ok(changed.into_iter().collect())
}

/// Takes mails out of a folder. One that lies nowhere any more counts as deleted, until it comes back.
///
/// Those that lie elsewhere are told as changed, the others as deleted.
pub async fn remove_locations(
    tx: &mut DbConn,
    owner: &Mailbox,
    folder: FolderId,
    uid_validity: u32,
    uids: &[u32],
    intake: &Intake,
) -> QueryResult<Removed> {
    threads::lock(tx, owner.org).await?;
    let uids: Vec<i64> = uids.iter().map(|uid| i64::from(*uid)).collect();
    let found = at(tx, folder, uid_validity, &uids).await?;
    for chunk in uids.chunks(IDS) {
        let shown = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_locations::uid.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(shown).execute(c).await)?;
        let leaving = email_departures::table
            .filter(email_departures::folder_id.eq(folder))
            .filter(email_departures::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_departures::uid.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(leaving).execute(c).await)?;
    }
    settle(tx, owner, found.into_iter().map(|(_, email, _)| email).collect(), intake).await
}

/// Brings mails that left a place in step, and tells of it.
async fn settle(tx: &mut DbConn, owner: &Mailbox, emails: BTreeSet<EmailId>, intake: &Intake) -> QueryResult<Removed> {
    let gone = refresh::refresh(tx, &emails, intake.now).await?.gone;
    own::forget_mirrors(tx, &emails.iter().copied().collect::<Vec<_>>(), intake.now).await?;
    let dead: BTreeSet<EmailId> = gone.iter().copied().collect();
    let left: BTreeSet<EmailId> = emails.difference(&dead).copied().collect();
    told::updated(tx, owner, &left, intake).await?;
    told::deleted(tx, owner, &dead, intake).await?;
    Ok(Removed { left: left.into_iter().collect(), gone })
}

/// Takes up to `limit` mails out of a folder whose places are of another generation than `current`; without one, of any.
/// Places that a person's change makes us expect stay.
///
/// Answers how many places were removed: call it again until that is 0, in a transaction each.
pub async fn remove_stale_locations(
    tx: &mut DbConn,
    owner: &Mailbox,
    folder: FolderId,
    current: Option<u32>,
    limit: u32,
    intake: &Intake,
) -> QueryResult<(usize, Removed)> {
    threads::lock(tx, owner.org).await?;
    let generation = current.map_or(-1, i64::from);
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.ne(generation))
        .limit(limit.into())
        .select((email_locations::id, email_locations::email_id));
    let stale: Vec<(LocationId, EmailId)> = on_conn!(tx, |c| query.load(c).await)?;
    let (ids, emails): (Vec<LocationId>, BTreeSet<EmailId>) = stale.into_iter().unzip();
    for chunk in ids.chunks(IDS) {
        let query = email_locations::table.filter(email_locations::id.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(query).execute(c).await)?;
    }
    let leaving = email_departures::table
        .filter(email_departures::folder_id.eq(folder))
        .filter(email_departures::uid_validity.ne(generation));
    on_conn!(tx, |c| diesel::delete(leaving).execute(c).await)?;
    let removed = settle(tx, owner, emails, intake).await?;
    Ok((ids.len(), removed))
}

/// Takes out places that a change of ours was to bring about and that a look into the folder did not find: the provider
/// confirmed them before `before`, so they would have been there.
pub async fn forget_unfound(
    tx: &mut DbConn,
    owner: &Mailbox,
    folder: FolderId,
    before: Timestamp,
    intake: &Intake,
) -> QueryResult<()> {
    let query = email_locations::table
        .filter(email_locations::account_id.eq(owner.account))
        .filter(email_locations::uid.is_null())
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::settled_at.lt(before))
        .select((email_locations::id, email_locations::email_id));
    let mut unfound: Vec<(LocationId, EmailId)> = on_conn!(tx, |c| query.load(c).await)?;
    // What is still to be brought there cannot have been found.
    let awaited = own::awaited(tx, &unfound.iter().map(|(_, email)| *email).collect::<Vec<_>>()).await?;
    unfound.retain(|(_, email)| !awaited.contains(email));
    if unfound.is_empty() {
        return Ok(());
    }
    threads::lock(tx, owner.org).await?;
    let (ids, emails): (Vec<LocationId>, BTreeSet<EmailId>) = unfound.into_iter().unzip();
    let query = diesel::delete(email_locations::table.filter(email_locations::id.eq_any(ids)));
    on_conn!(tx, |c| query.execute(c).await)?;
    settle(tx, owner, emails, intake).await?;
    Ok(())
}

/// The UIDs of a folder from `start` on that are stored, ascending; those that mails are to leave count too.
pub async fn stored_uids(conn: &mut DbConn, folder: FolderId, uid_validity: u32, start: u32) -> QueryResult<Vec<u32>> {
    let shown = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .filter(email_locations::uid.ge(i64::from(start)))
        .select(email_locations::uid.assume_not_null());
    let mut uids: Vec<i64> = on_conn!(conn, |c| shown.load(c).await)?;
    let leaving = email_departures::table
        .filter(email_departures::folder_id.eq(folder))
        .filter(email_departures::uid_validity.eq(i64::from(uid_validity)))
        .filter(email_departures::uid.ge(i64::from(start)))
        .select(email_departures::uid);
    let leaving: Vec<i64> = on_conn!(conn, |c| leaving.load(c).await)?;
    uids.extend(leaving);
    uids.sort_unstable();
    Ok(uids.into_iter().filter_map(|uid| u32::try_from(uid).ok()).collect())
}

/// The UIDs of a folder from `start` on where copies of ours lie that were not read back so far.
pub async fn unread_uids(conn: &mut DbConn, folder: FolderId, uid_validity: u32, start: u32) -> QueryResult<Vec<u32>> {
    let query = email_locations::table
        .inner_join(emails::table)
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .filter(email_locations::uid.ge(i64::from(start)))
        .filter(emails::external_id.like(format!("{LOCAL}%")))
        .select(email_locations::uid.assume_not_null());
    let uids: Vec<i64> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(uids.into_iter().filter_map(|uid| u32::try_from(uid).ok()).collect())
}

/// The newest mails of a folder: their UIDs and their identities within the mailbox.
pub async fn newest_external_ids(
    conn: &mut DbConn,
    folder: FolderId,
    uid_validity: u32,
    count: usize,
) -> QueryResult<Vec<(u32, String)>> {
    let query = email_locations::table
        .inner_join(emails::table)
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .order(email_locations::uid.desc())
        .limit(i64::try_from(count).unwrap_or(i64::MAX))
        .select((email_locations::uid.assume_not_null(), emails::external_id));
    let rows: Vec<(i64, String)> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(rows.into_iter().filter_map(|(uid, id)| Some((u32::try_from(uid).ok()?, id))).collect())
}

/// The flags of the mails of a folder as the provider told them last, by ascending UID, from `first` to `last`.
pub async fn stored_flags(
    conn: &mut DbConn,
    account: AccountId,
    folder: FolderId,
    uid_validity: u32,
    (first, last): (u32, u32),
) -> QueryResult<Vec<FlagChange>> {
    let uids = (i64::from(first), i64::from(last));
    let answered = answered_uids(conn, account, folder, uid_validity, uids).await?;
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .filter(email_locations::uid.between(uids.0, uids.1))
        .order(email_locations::uid)
        .select((
            email_locations::uid.assume_not_null(),
            email_locations::is_read,
            email_locations::is_starred,
            email_locations::server_read,
            email_locations::server_starred,
        ));
    type Row = (i64, bool, bool, Option<bool>, Option<bool>);
    let rows: Vec<Row> = on_conn!(conn, |c| query.load(c).await)?;
    let told = |(uid, read, starred, server_read, server_starred): Row| FlagChange {
        uid: u32::try_from(uid).unwrap_or_default(),
        is_read: server_read.unwrap_or(read),
        is_starred: server_starred.unwrap_or(starred),
        is_answered: answered.contains(&uid),
        mod_seq: None,
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Which mails of a folder are answered. They are few, and have an index of their own: looking into every mail for the mark
/// would cost more than all the rest of a comparison.
async fn answered_uids(
    conn: &mut DbConn,
    account: AccountId,
    folder: FolderId,
    uid_validity: u32,
    (first, last): (i64, i64),
) -> QueryResult<HashSet<i64>> {
    let query = email_locations::table
        .inner_join(emails::table)
        .filter(emails::account_id.eq(account))
        .filter(emails::is_answered)
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
        .filter(email_locations::uid.between(first, last))
        .select(email_locations::uid.assume_not_null());
    let rows: Vec<i64> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(rows.into_iter().collect())
}

/// The mails at these UIDs, those that are to leave included.
async fn at(
    tx: &mut DbConn,
    folder: FolderId,
    uid_validity: u32,
    uids: &[i64],
) -> QueryResult<Vec<(i64, EmailId, Timestamp)>> {
    let mut found = Vec::with_capacity(uids.len());
    for chunk in uids.chunks(IDS) {
        let shown = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_locations::uid.eq_any(chunk))
            .select((email_locations::uid.assume_not_null(), email_locations::email_id, email_locations::received_at));
        let rows: Vec<(i64, EmailId, Timestamp)> = on_conn!(tx, |c| shown.load(c).await)?;
        found.extend(rows);
        let leaving = email_departures::table
            .inner_join(emails::table)
            .filter(email_departures::folder_id.eq(folder))
            .filter(email_departures::uid_validity.eq(i64::from(uid_validity)))
            .filter(email_departures::uid.eq_any(chunk))
            .select((email_departures::uid, email_departures::email_id, emails::received_at));
        let rows: Vec<(i64, EmailId, Timestamp)> = on_conn!(tx, |c| leaving.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}
