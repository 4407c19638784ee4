//! Writes what a provider has done with mails as a whole, for all of them in a handful of statements; belongs into the
//! transaction of the executor.

use std::collections::{BTreeSet, HashMap};

use diesel::upsert::excluded;
use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::carried::{Books, Settled, settle};
use super::super::model::{Carried, Number};
use super::journal;
use super::places::{self, Departure, Location};
use crate::accounts::take_numbers;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations};
use crate::ids::{AccountId, EmailId};
use crate::messages::store::GENERATION;
use crate::messages::store::refresh::refresh;
use crate::messages::store::threads::IDS;
use crate::{insert_rows, on_conn};

/// The provider has done this with mails of a mailbox. What it says of them that is older does not count.
pub async fn carried(tx: &mut DbConn, account: AccountId, done: &[Carried], now: Timestamp) -> QueryResult<()> {
    let Some(first) = done.first() else { return Ok(()) };
    places::lock_for(tx, first.email).await?;
    let mails: Vec<EmailId> = done.iter().map(|mail| mail.email).collect();
    let mut here: HashMap<EmailId, Vec<Location>> = HashMap::new();
    for row in places::locations(tx, &mails).await? {
        here.entry(row.email_id).or_default().push(row);
    }
    let mut leaving: HashMap<EmailId, Vec<Departure>> = HashMap::new();
    for row in places::departures(tx, &mails).await? {
        leaving.entry(row.email_id).or_default().push(row);
    }
    let pending = journal::pending_fields(tx, &mails).await?;
    let (mut all, mut shown) = (Settled::default(), BTreeSet::new());
    for mail in done {
        let here = here.remove(&mail.email).unwrap_or_default();
        let leaving = leaving.remove(&mail.email).unwrap_or_default();
        let number = match number(&here, &leaving) {
            Some(number) => number,
            None => take_numbers(tx, account, 1).await?,
        };
        let number = Number { uid_validity: GENERATION, uid: number };
        let pending = pending.get(&mail.email).copied().unwrap_or_default();
        let settled = settle(Books { account, number, here, leaving, pending }, mail, now);
        shown.extend(settled.shows.then_some(mail.email));
        all.add(settled);
    }
    places::delete_locations(tx, &all.dead).await?;
    places::delete_departures(tx, &all.left).await?;
    save_locations(tx, all.rows).await?;
    save_departures(tx, all.departures).await?;
    for chunk in mails.chunks(IDS) {
        let those = email_locations::table
            .filter(email_locations::email_id.eq_any(chunk))
            .filter(email_locations::uid.is_not_null());
        let query = diesel::update(those).set(email_locations::settled_at.eq(Some(now)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    refresh(tx, &shown, now).await?;
    Ok(())
}

/// The number of a mail; of a draft of which a new version came, the new one.
fn number(here: &[Location], leaving: &[Departure]) -> Option<u32> {
    let numbers = here.iter().filter_map(|row| row.uid).chain(leaving.iter().map(|row| row.uid));
    numbers.max().and_then(|uid| u32::try_from(uid).ok())
}

async fn save_locations(tx: &mut DbConn, rows: Vec<Location>) -> QueryResult<()> {
    insert_rows!(tx, email_locations::table, rows, |q| q.on_conflict(email_locations::id).do_update().set((
        email_locations::uid.eq(excluded(email_locations::uid)),
        email_locations::uid_validity.eq(excluded(email_locations::uid_validity)),
        email_locations::mod_seq.eq(excluded(email_locations::mod_seq)),
        email_locations::is_read.eq(excluded(email_locations::is_read)),
        email_locations::is_starred.eq(excluded(email_locations::is_starred)),
        email_locations::server_read.eq(excluded(email_locations::server_read)),
        email_locations::server_starred.eq(excluded(email_locations::server_starred)),
        email_locations::settled_at.eq(excluded(email_locations::settled_at)),
    )))?;
    Ok(())
}

async fn save_departures(tx: &mut DbConn, rows: Vec<Departure>) -> QueryResult<()> {
    insert_rows!(tx, email_departures::table, rows, |q| q.on_conflict(email_departures::id).do_update().set((
        email_departures::is_read.eq(excluded(email_departures::is_read)),
        email_departures::is_starred.eq(excluded(email_departures::is_starred)),
    )))?;
    Ok(())
}
