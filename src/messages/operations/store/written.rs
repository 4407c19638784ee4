//! The places of mails that are written here: the folder that a copy is to come to, and the ones that old copies leave.

use diesel::{ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::super::model::Number;
use super::places::{self, Location};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_folders, email_locations, emails};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::written::LOCAL;
use crate::on_conn;

/// Shows a mail in a folder that its provider is still to get it in; once, however often it is called.
pub async fn expect_in(
    tx: &mut DbConn,
    (email, account, received_at): (EmailId, AccountId, Timestamp),
    folder: FolderId,
    now: Timestamp,
) -> QueryResult<()> {
    let query = email_locations::table
        .filter(email_locations::email_id.eq(email))
        .filter(email_locations::folder_id.eq(folder))
        .count();
    let there: i64 = on_conn!(tx, |c| query.get_result(c).await)?;
    if there > 0 {
        return Ok(());
    }
    let row = Location::expected((email, account, received_at), folder, (true, false), now);
    places::insert_locations(tx, vec![row]).await
}

/// Takes a mail out of all its places; the provider's copies are to be removed ([`leftovers`]).
pub async fn withdraw(tx: &mut DbConn, email: EmailId, now: Timestamp) -> QueryResult<()> {
    let rows = places::locations(tx, &[email]).await?;
    let ids: Vec<LocationId> = rows.iter().map(|row| row.id).collect();
    places::insert_departures(tx, rows.iter().filter_map(|row| row.leave(now)).collect()).await?;
    places::delete_locations(tx, &ids).await
}

/// A copy of a mail that its provider is to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its id, for [`removed_leftover`].
    pub id: LocationId,
    /// The provider's name of its folder; IMAP: the raw name.
    pub folder_name: String,
    /// Its number.
    pub number: Number,
}

/// The copies of a mail that its provider is to remove.
pub async fn leftovers(conn: &mut DbConn, email: EmailId) -> QueryResult<Vec<Leftover>> {
    let query = email_departures::table
        .inner_join(email_folders::table)
        .filter(email_departures::email_id.eq(email))
        .order(email_departures::id);
    let rows: Vec<(places::Departure, String)> =
        on_conn!(conn, |c| query.select((places::Departure::as_select(), email_folders::external_id)).load(c).await)?;
    let leftover = |(row, folder_name): (places::Departure, String)| {
        Some(Leftover { id: row.id, folder_name, number: row.number()? })
    };
    Ok(rows.into_iter().filter_map(leftover).collect())
}

/// The provider has removed a copy.
pub async fn removed_leftover(tx: &mut DbConn, id: LocationId) -> QueryResult<()> {
    places::delete_departures(tx, &[id]).await
}

/// Where the provider has a new version of a draft: the old copy leaves, the new one takes its place.
///
/// Without a number (the server told none) the next look into the folder finds it.
pub async fn replaced(
    tx: &mut DbConn,
    (email, account, received_at): (EmailId, AccountId, Timestamp),
    folder: FolderId,
    number: Option<Number>,
    now: Timestamp,
) -> QueryResult<()> {
    places::lock_for(tx, email).await?;
    let rows = places::locations(tx, &[email]).await?;
    let old: Vec<&Location> = rows.iter().filter(|row| row.uid.is_some() && row.number() != number).collect();
    let ids: Vec<LocationId> = old.iter().map(|row| row.id).collect();
    places::insert_departures(tx, old.iter().filter_map(|row| row.leave(now)).collect()).await?;
    places::delete_locations(tx, &ids).await?;
    expect_in(tx, (email, account, received_at), folder, now).await?;
    // The new version has another identity, which is known when it is read back; sync may have been faster.
    if !rows.iter().any(|row| row.uid.is_some() && row.number() == number) {
        let query = diesel::update(emails::table.find(email))
            .set((emails::external_id.eq(format!("{LOCAL}{email}")), emails::raw_ref.eq(None::<String>)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    super::outcomes::arrived(tx, email, folder, number, now).await
}
