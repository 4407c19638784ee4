//! What the executor writes after the provider has done something, in the transaction of the executor.
//!
//! Between the look at the differences and the outcome a person or the sync may have changed the places. Each function
//! therefore looks again and keeps what is wanted now: the next look at the differences shows what is left to be done.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::{Flag, Number, PlaceRow};
use super::journal;
use super::places::{self, Departure, Flags, Location, differing};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, emails};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::store::refresh::refresh;
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// The provider has stored a flag at these places, which have this state of their flags now.
pub async fn flags_stored(
    tx: &mut DbConn,
    places: &[(LocationId, Option<u64>)],
    flag: Flag,
    value: bool,
    now: Timestamp,
) -> QueryResult<()> {
    let Some((first, _)) = places.first() else { return Ok(()) };
    if let Some(email) = places::email_at(tx, *first).await? {
        places::lock_for(tx, email).await?;
    }
    let mut by_state: HashMap<Option<i64>, Vec<LocationId>> = HashMap::new();
    for (id, mod_seq) in places {
        by_state.entry(mod_seq.and_then(|value| i64::try_from(value).ok())).or_default().push(*id);
    }
    for (mod_seq, ids) in by_state {
        for ids in ids.chunks(IDS) {
            for wanted in [true, false] {
                // Where something else is wanted by now, the provider's word stays beside it.
                store_flag(tx, ids, (flag, wanted), Some(value).filter(|value| *value != wanted)).await?;
            }
            leave_flag(tx, ids, flag, value).await?;
            settle(tx, ids, mod_seq, now).await?;
        }
    }
    Ok(())
}

async fn store_flag(
    tx: &mut DbConn,
    ids: &[LocationId],
    (flag, wanted): (Flag, bool),
    server: Option<bool>,
) -> QueryResult<usize> {
    let those = email_locations::table.filter(email_locations::id.eq_any(ids));
    match flag {
        Flag::Read => {
            let set = email_locations::server_read.eq(server);
            on_conn!(tx, |c| {
                diesel::update(those.filter(email_locations::is_read.eq(wanted))).set(set).execute(c).await
            })
        }
        Flag::Starred => {
            let set = email_locations::server_starred.eq(server);
            on_conn!(tx, |c| {
                diesel::update(those.filter(email_locations::is_starred.eq(wanted))).set(set).execute(c).await
            })
        }
    }
}

async fn leave_flag(tx: &mut DbConn, ids: &[LocationId], flag: Flag, value: bool) -> QueryResult<usize> {
    let those = email_departures::table.filter(email_departures::id.eq_any(ids));
    match flag {
        Flag::Read => {
            on_conn!(tx, |c| diesel::update(those).set(email_departures::is_read.eq(value)).execute(c).await)
        }
        Flag::Starred => {
            on_conn!(tx, |c| diesel::update(those).set(email_departures::is_starred.eq(value)).execute(c).await)
        }
    }
}

/// Notes that older news about these places do not count.
async fn settle(tx: &mut DbConn, ids: &[LocationId], mod_seq: Option<i64>, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        let those = email_locations::table.filter(email_locations::id.eq_any(ids));
        diesel::update(those).set(email_locations::settled_at.eq(now)).execute(c).await?;
        if mod_seq.is_some() {
            let those = email_locations::table.filter(email_locations::id.eq_any(ids));
            diesel::update(those).set(email_locations::mod_seq.eq(mod_seq)).execute(c).await?;
            let those = email_departures::table.filter(email_departures::id.eq_any(ids));
            diesel::update(those).set(email_departures::mod_seq.eq(mod_seq)).execute(c).await?;
        }
        Ok(())
    })
}

/// The provider has moved a mail from a departure (as [`super::differences`] gave it) to a folder; `to` is its number
/// there, where the server says it (COPYUID).
pub async fn moved(
    tx: &mut DbConn,
    from: &PlaceRow,
    folder: FolderId,
    to: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    places::lock_for(tx, from.email).await?;
    let truth = take_away(tx, from).await?;
    arrive(tx, from.email, truth, folder, to, now).await
}

/// The provider has copied a mail from one of its places (location or departure) to a folder.
pub async fn copied(
    tx: &mut DbConn,
    from: &PlaceRow,
    folder: FolderId,
    to: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    places::lock_for(tx, from.email).await?;
    let truth = match (places::location(tx, from.id).await?, places::departure(tx, from.id).await?) {
        // Flags may have been stored there since the differences were read; the copy has them.
        (Some(row), _) => row.truth(),
        (None, Some(row)) => row.truth(),
        (None, None) => (from.server(Flag::Read), from.server(Flag::Starred)),
    };
    arrive(tx, from.email, truth, folder, to, now).await
}

/// A mail was put into a folder of the provider; `to` is its number there, where the server says it (APPENDUID).
pub async fn appended(
    tx: &mut DbConn,
    email: EmailId,
    folder: FolderId,
    to: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    places::lock_for(tx, email).await?;
    arrived(tx, email, folder, to, now).await
}

/// As [`appended`], for who has taken the lock.
pub(super) async fn arrived(
    tx: &mut DbConn,
    email: EmailId,
    folder: FolderId,
    to: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    arrive(tx, email, (true, false), folder, to, now).await
}

/// The provider has taken a mail out of a departure.
pub async fn removed(tx: &mut DbConn, from: &PlaceRow, _now: Timestamp) -> QueryResult<()> {
    places::lock_for(tx, from.email).await?;
    take_away(tx, from).await.map(|_| ())
}

/// The mail is not at this place any more. Answers the flags that the provider had there.
async fn take_away(tx: &mut DbConn, from: &PlaceRow) -> QueryResult<Flags> {
    if let Some(row) = places::departure(tx, from.id).await? {
        if row.number() == from.number {
            places::delete_departures(tx, &[row.id]).await?;
        }
        return Ok(row.truth());
    }
    match places::location(tx, from.id).await? {
        // It was called back meanwhile: the mail is wanted here again, and must be brought back.
        Some(row) if row.number() == from.number => {
            let query = diesel::update(email_locations::table.find(row.id)).set((
                email_locations::uid.eq(None::<i64>),
                email_locations::uid_validity.eq(None::<i64>),
                email_locations::mod_seq.eq(None::<i64>),
                email_locations::server_read.eq(None::<bool>),
                email_locations::server_starred.eq(None::<bool>),
                email_locations::settled_at.eq(None::<Timestamp>),
            ));
            on_conn!(tx, |c| query.execute(c).await)?;
            Ok(row.truth())
        }
        _ => Ok((from.server(Flag::Read), from.server(Flag::Starred))),
    }
}

/// The mail is at another place now, with these flags.
async fn arrive(
    tx: &mut DbConn,
    email: EmailId,
    truth: Flags,
    folder: FolderId,
    to: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    let expected = places::expected_in(tx, email, folder).await?;
    let Some(number) = to else {
        return match expected {
            Some(row) => settle(tx, &[row.id], None, now).await,
            // Nobody waits for it: the next look into the folder finds it.
            None => Ok(()),
        };
    };
    let known = places::location_at(tx, folder, number).await?;
    match (known, expected) {
        (Some(known), expected) => meet(tx, known, expected, now).await,
        (None, Some(row)) => place(tx, &row, number, truth, now).await,
        (None, None) => turn_away(tx, email, truth, folder, number, now).await,
    }
}

/// The sync was faster: the place is known, and what was wanted of the expected one counts for it.
async fn meet(tx: &mut DbConn, known: Location, expected: Option<Location>, now: Timestamp) -> QueryResult<()> {
    if let Some(expected) = expected.filter(|row| row.email_id == known.email_id) {
        places::delete_locations(tx, &[expected.id]).await?;
        write_flags(tx, known.id, expected.wanted(), known.truth()).await?;
        refresh(tx, &[known.email_id].into(), now).await?;
    }
    settle(tx, &[known.id], None, now).await
}

async fn write_flags(tx: &mut DbConn, id: LocationId, wanted: Flags, truth: Flags) -> QueryResult<()> {
    let (server_read, server_starred) = differing(truth, wanted);
    places::set_flag(tx, &[id], Flag::Read, wanted.0, server_read).await?;
    places::set_flag(tx, &[id], Flag::Starred, wanted.1, server_starred).await
}

/// The expected place gets its number. A flag that nobody wants to change follows the provider.
async fn place(tx: &mut DbConn, row: &Location, to: Number, truth: Flags, now: Timestamp) -> QueryResult<()> {
    let mut wanted = row.wanted();
    if wanted != truth {
        let pending = journal::pending_fields(tx, &[row.email_id]).await?.remove(&row.email_id).unwrap_or_default();
        wanted =
            (if pending.is_read { wanted.0 } else { truth.0 }, if pending.is_starred { wanted.1 } else { truth.1 });
    }
    let (server_read, server_starred) = differing(truth, wanted);
    let query = diesel::update(email_locations::table.find(row.id)).set((
        email_locations::uid.eq(Some(i64::from(to.uid))),
        email_locations::uid_validity.eq(Some(i64::from(to.uid_validity))),
        email_locations::mod_seq.eq(None::<i64>),
        email_locations::is_read.eq(wanted.0),
        email_locations::is_starred.eq(wanted.1),
        email_locations::server_read.eq(server_read),
        email_locations::server_starred.eq(server_starred),
        email_locations::settled_at.eq(Some(now)),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    if wanted != row.wanted() {
        refresh(tx, &[row.email_id].into(), now).await?;
    }
    Ok(())
}

/// The mail is not wanted there any more: it is to leave again.
async fn turn_away(
    tx: &mut DbConn,
    email: EmailId,
    truth: Flags,
    folder: FolderId,
    at: Number,
    now: Timestamp,
) -> QueryResult<()> {
    let query = emails::table.find(email).select(emails::account_id);
    let account: AccountId = on_conn!(tx, |c| query.first(c).await)?;
    let row = Departure {
        id: LocationId::new(),
        email_id: email,
        folder_id: folder,
        account_id: account,
        uid: at.uid.into(),
        uid_validity: at.uid_validity.into(),
        mod_seq: None,
        is_read: truth.0,
        is_starred: truth.1,
        created_at: now,
    };
    places::insert_departures(tx, vec![row]).await
}
