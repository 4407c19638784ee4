//! Takes over what a provider says about the places of mails, beside changes of ours that are under way.
//!
//! A place that was expected, or known by a number of an older generation, is the same place: it gets its number. A flag
//! that a person changed and that is not carried out yet keeps its value; what the provider says of it waits beside.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::location::{Departure, Location};
use super::threads::IDS;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::model::{Intake, KnownCopy};
use crate::{insert_rows, on_conn};

/// A copy of a mail that has its row.
pub(super) struct Arrival {
    pub email: EmailId,
    pub received_at: Timestamp,
    pub copy: KnownCopy,
}

impl Location {
    fn arrived(account: AccountId, arrival: &Arrival, now: Timestamp) -> Self {
        let Arrival { email, received_at, copy } = arrival;
        Self {
            id: LocationId::new(),
            email_id: *email,
            folder_id: copy.folder,
            account_id: account,
            uid: Some(copy.uid.into()),
            uid_validity: Some(copy.uid_validity.into()),
            mod_seq: mod_seq(copy.mod_seq),
            is_read: copy.is_read,
            is_starred: copy.is_starred,
            received_at: *received_at,
            created_at: now,
            server_read: None,
            server_starred: None,
            settled_at: None,
        }
    }

    /// Takes the provider's word over.
    fn take_over(&mut self, copy: &KnownCopy, intake: &Intake) {
        if self.knows_better(copy, intake) {
            return;
        }
        self.uid = Some(copy.uid.into());
        self.uid_validity = Some(copy.uid_validity.into());
        self.mod_seq = mod_seq(copy.mod_seq);
        match &mut self.server_read {
            Some(told) => *told = copy.is_read,
            None => self.is_read = copy.is_read,
        }
        match &mut self.server_starred {
            Some(told) => *told = copy.is_starred,
            None => self.is_starred = copy.is_starred,
        }
    }

    /// Whether this news is older than what is known: it was on its way while a change of ours was confirmed.
    fn knows_better(&self, copy: &KnownCopy, intake: &Intake) -> bool {
        if self.uid != Some(copy.uid.into()) || self.uid_validity != Some(copy.uid_validity.into()) {
            return false;
        }
        match (mod_seq(copy.mod_seq), self.mod_seq) {
            (Some(news), Some(known)) => news < known,
            // Without counted changes the next comparison of flags mends what is passed over here.
            _ => self.settled_at.is_some_and(|at| at > intake.seen_at),
        }
    }
}

/// Adds places; one that is known gets the flags as they are now. Answers the known mails that got another place.
pub(super) async fn take_over(
    tx: &mut DbConn,
    account: AccountId,
    arrivals: Vec<Arrival>,
    fresh: &HashSet<EmailId>,
    intake: &Intake,
) -> QueryResult<BTreeSet<EmailId>> {
    let mut known = Known::load(tx, &arrivals, fresh).await?;
    let mut rows: BTreeMap<LocationId, Location> = BTreeMap::new();
    let mut leaving: BTreeMap<LocationId, Departure> = BTreeMap::new();
    let mut moved = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for arrival in &arrivals {
        let copy = &arrival.copy;
        let key = (copy.folder, i64::from(copy.uid_validity), i64::from(copy.uid));
        if !seen.insert(key) {
            continue;
        }
        if let Some(mut departure) = known.departure(key, arrival.email) {
            departure.take_over(copy);
            leaving.insert(departure.id, departure);
            continue;
        }
        match known.location(key, arrival.email) {
            Some(mut row) => {
                row.take_over(copy, intake);
                rows.insert(row.id, row);
            }
            None => {
                if !fresh.contains(&arrival.email) {
                    moved.insert(arrival.email);
                }
                let row = Location::arrived(account, arrival, intake.now);
                rows.insert(row.id, row);
            }
        }
    }
    save(tx, rows.into_values().collect()).await?;
    save_departures(tx, leaving.into_values().collect()).await?;
    Ok(moved)
}

impl Departure {
    fn take_over(&mut self, copy: &KnownCopy) {
        self.uid = copy.uid.into();
        self.uid_validity = copy.uid_validity.into();
        self.mod_seq = mod_seq(copy.mod_seq);
        self.is_read = copy.is_read;
        self.is_starred = copy.is_starred;
    }
}

type Key = (FolderId, i64, i64);

/// Places that the arrivals may be.
#[derive(Default)]
struct Known {
    by_uid: HashMap<Key, Location>,
    /// Such that have no number of this generation yet.
    unnumbered: HashMap<(FolderId, EmailId), Vec<Location>>,
    leaving_by_uid: HashMap<Key, Departure>,
    leaving_unnumbered: HashMap<(FolderId, EmailId), Vec<Departure>>,
}

impl Known {
    async fn load(tx: &mut DbConn, arrivals: &[Arrival], fresh: &HashSet<EmailId>) -> QueryResult<Self> {
        let mut known = Self::default();
        let Some(first) = arrivals.first() else { return Ok(known) };
        // A batch comes from one folder.
        let (folder, generation) = (first.copy.folder, i64::from(first.copy.uid_validity));
        let uids: Vec<i64> = arrivals.iter().map(|arrival| arrival.copy.uid.into()).collect();
        for chunk in uids.chunks(IDS) {
            known.load_numbered(tx, folder, generation, chunk).await?;
        }
        let emails: Vec<EmailId> =
            arrivals.iter().map(|arrival| arrival.email).filter(|email| !fresh.contains(email)).collect();
        for chunk in emails.chunks(IDS) {
            known.load_unnumbered(tx, folder, generation, chunk).await?;
        }
        Ok(known)
    }

    async fn load_numbered(
        &mut self,
        tx: &mut DbConn,
        folder: FolderId,
        generation: i64,
        uids: &[i64],
    ) -> QueryResult<()> {
        let query = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::uid_validity.eq(generation))
            .filter(email_locations::uid.eq_any(uids));
        let rows: Vec<Location> = on_conn!(tx, |c| query.select(Location::as_select()).load(c).await)?;
        self.by_uid.extend(rows.into_iter().map(|row| ((folder, generation, row.uid.unwrap_or_default()), row)));
        let query = email_departures::table
            .filter(email_departures::folder_id.eq(folder))
            .filter(email_departures::uid_validity.eq(generation))
            .filter(email_departures::uid.eq_any(uids));
        let rows: Vec<Departure> = on_conn!(tx, |c| query.select(Departure::as_select()).load(c).await)?;
        self.leaving_by_uid.extend(rows.into_iter().map(|row| ((folder, generation, row.uid), row)));
        Ok(())
    }

    async fn load_unnumbered(
        &mut self,
        tx: &mut DbConn,
        folder: FolderId,
        generation: i64,
        emails: &[EmailId],
    ) -> QueryResult<()> {
        let query = email_locations::table
            .filter(email_locations::folder_id.eq(folder))
            .filter(email_locations::email_id.eq_any(emails));
        let rows: Vec<Location> = on_conn!(tx, |c| query.select(Location::as_select()).load(c).await)?;
        for row in rows.into_iter().filter(|row| row.uid.is_none() || row.uid_validity != Some(generation)) {
            self.unnumbered.entry((folder, row.email_id)).or_default().push(row);
        }
        let query = email_departures::table
            .filter(email_departures::folder_id.eq(folder))
            .filter(email_departures::uid_validity.ne(generation))
            .filter(email_departures::email_id.eq_any(emails));
        let rows: Vec<Departure> = on_conn!(tx, |c| query.select(Departure::as_select()).load(c).await)?;
        for row in rows {
            self.leaving_unnumbered.entry((folder, row.email_id)).or_default().push(row);
        }
        Ok(())
    }

    fn departure(&mut self, key: Key, email: EmailId) -> Option<Departure> {
        self.leaving_by_uid.remove(&key).or_else(|| self.leaving_unnumbered.get_mut(&(key.0, email))?.pop())
    }

    fn location(&mut self, key: Key, email: EmailId) -> Option<Location> {
        self.by_uid.remove(&key).or_else(|| self.unnumbered.get_mut(&(key.0, email))?.pop())
    }
}

async fn save(tx: &mut DbConn, rows: Vec<Location>) -> QueryResult<()> {
    insert_rows!(tx, email_locations::table, rows, |q| q.on_conflict(email_locations::id).do_update().set((
        email_locations::uid.eq(excluded(email_locations::uid)),
        email_locations::uid_validity.eq(excluded(email_locations::uid_validity)),
        email_locations::mod_seq.eq(excluded(email_locations::mod_seq)),
        email_locations::is_read.eq(excluded(email_locations::is_read)),
        email_locations::is_starred.eq(excluded(email_locations::is_starred)),
        email_locations::server_read.eq(excluded(email_locations::server_read)),
        email_locations::server_starred.eq(excluded(email_locations::server_starred)),
    )))?;
    Ok(())
}

async fn save_departures(tx: &mut DbConn, rows: Vec<Departure>) -> QueryResult<()> {
    insert_rows!(tx, email_departures::table, rows, |q| q.on_conflict(email_departures::id).do_update().set((
        email_departures::uid.eq(excluded(email_departures::uid)),
        email_departures::uid_validity.eq(excluded(email_departures::uid_validity)),
        email_departures::mod_seq.eq(excluded(email_departures::mod_seq)),
        email_departures::is_read.eq(excluded(email_departures::is_read)),
        email_departures::is_starred.eq(excluded(email_departures::is_starred)),
    )))?;
    Ok(())
}

fn mod_seq(value: Option<u64>) -> Option<i64> {
    value.and_then(|value| i64::try_from(value).ok())
}
