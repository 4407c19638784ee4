//! Places and departures as the journal sees them: wanted on one side, true on the other; read and written whole.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::super::model::{Flag, Number};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, emails};
use crate::ids::{AccountId, EmailId, FolderId, LocationId, OrgId};
pub(in crate::messages::operations) use crate::messages::store::location::{Departure, Location};
use crate::messages::store::threads::{self, IDS};
use crate::{insert_rows, on_conn};

/// Wanted or true flags: read, starred.
pub(in crate::messages::operations) type Flags = (bool, bool);

impl Location {
    /// A place that the mail is to come to.
    pub fn expected(mail: (EmailId, AccountId, Timestamp), folder: FolderId, wanted: Flags, now: Timestamp) -> Self {
        let (email_id, account_id, received_at) = mail;
        Self {
            id: LocationId::new(),
            email_id,
            folder_id: folder,
            account_id,
            uid: None,
            uid_validity: None,
            mod_seq: None,
            is_read: wanted.0,
            is_starred: wanted.1,
            received_at,
            created_at: now,
            server_read: None,
            server_starred: None,
            settled_at: None,
        }
    }

    /// What is wanted.
    pub fn wanted(&self) -> Flags {
        (self.is_read, self.is_starred)
    }

    /// What the provider has.
    pub fn truth(&self) -> Flags {
        (self.server_read.unwrap_or(self.is_read), self.server_starred.unwrap_or(self.is_starred))
    }

    /// The number at the provider.
    pub fn number(&self) -> Option<Number> {
        number(self.uid?, self.uid_validity?)
    }

    /// Turns into a departure; nothing when the provider does not have the mail there.
    pub fn leave(&self, now: Timestamp) -> Option<Departure> {
        let (is_read, is_starred) = self.truth();
        Some(Departure {
            id: self.id,
            email_id: self.email_id,
            folder_id: self.folder_id,
            account_id: self.account_id,
            uid: self.uid?,
            uid_validity: self.uid_validity?,
            mod_seq: self.mod_seq,
            is_read,
            is_starred,
            created_at: now,
        })
    }
}

impl Departure {
    /// What the provider has.
    pub fn truth(&self) -> Flags {
        (self.is_read, self.is_starred)
    }

    /// The number at the provider.
    pub fn number(&self) -> Option<Number> {
        number(self.uid, self.uid_validity)
    }

    /// Becomes a place again.
    pub fn come_back(self, received_at: Timestamp, wanted: Flags) -> Location {
        let (server_read, server_starred) = differing(self.truth(), wanted);
        Location {
            id: self.id,
            email_id: self.email_id,
            folder_id: self.folder_id,
            account_id: self.account_id,
            uid: Some(self.uid),
            uid_validity: Some(self.uid_validity),
            mod_seq: self.mod_seq,
            is_read: wanted.0,
            is_starred: wanted.1,
            received_at,
            created_at: self.created_at,
            server_read,
            server_starred,
            settled_at: None,
        }
    }
}

/// The provider's flags where they are not what is wanted.
pub(super) fn differing(truth: Flags, wanted: Flags) -> (Option<bool>, Option<bool>) {
    (Some(truth.0).filter(|value| *value != wanted.0), Some(truth.1).filter(|value| *value != wanted.1))
}

fn number(uid: i64, uid_validity: i64) -> Option<Number> {
    Some(Number { uid: u32::try_from(uid).ok()?, uid_validity: u32::try_from(uid_validity).ok()? })
}

/// Makes all who write about this mail's organization take turns, as the sync does.
pub(super) async fn lock_for(tx: &mut DbConn, email: EmailId) -> QueryResult<()> {
    let query = emails::table.find(email).select(emails::organization_id);
    let org: Option<OrgId> = on_conn!(tx, |c| query.first(c).await.optional())?;
    match org {
        Some(org) => threads::lock(tx, org).await,
        None => Ok(()),
    }
}

/// The places of these mails, the oldest first.
pub(in crate::messages::operations) async fn locations(
    conn: &mut DbConn,
    emails: &[EmailId],
) -> QueryResult<Vec<Location>> {
    let mut found = Vec::with_capacity(emails.len());
    for chunk in emails.chunks(IDS) {
        let query = email_locations::table.filter(email_locations::email_id.eq_any(chunk)).order(email_locations::id);
        let rows: Vec<Location> = on_conn!(conn, |c| query.select(Location::as_select()).load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The departures of these mails, the oldest first.
pub(in crate::messages::operations) async fn departures(
    conn: &mut DbConn,
    emails: &[EmailId],
) -> QueryResult<Vec<Departure>> {
    let mut found = Vec::new();
    for chunk in emails.chunks(IDS) {
        let query =
            email_departures::table.filter(email_departures::email_id.eq_any(chunk)).order(email_departures::id);
        let rows: Vec<Departure> = on_conn!(conn, |c| query.select(Departure::as_select()).load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// One place by its id.
pub(super) async fn location(tx: &mut DbConn, id: LocationId) -> QueryResult<Option<Location>> {
    let query = email_locations::table.find(id);
    on_conn!(tx, |c| query.select(Location::as_select()).first(c).await.optional())
}

/// One departure by its id.
pub(super) async fn departure(tx: &mut DbConn, id: LocationId) -> QueryResult<Option<Departure>> {
    let query = email_departures::table.find(id);
    on_conn!(tx, |c| query.select(Departure::as_select()).first(c).await.optional())
}

/// The mail of a place or departure.
pub(super) async fn email_at(tx: &mut DbConn, id: LocationId) -> QueryResult<Option<EmailId>> {
    if let Some(row) = location(tx, id).await? {
        return Ok(Some(row.email_id));
    }
    Ok(departure(tx, id).await?.map(|row| row.email_id))
}

/// The place with this number in a folder.
pub(super) async fn location_at(tx: &mut DbConn, folder: FolderId, at: Number) -> QueryResult<Option<Location>> {
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid_validity.eq(i64::from(at.uid_validity)))
        .filter(email_locations::uid.eq(i64::from(at.uid)));
    on_conn!(tx, |c| query.select(Location::as_select()).first(c).await.optional())
}

/// The first place of a mail in a folder that has no number yet.
pub(super) async fn expected_in(tx: &mut DbConn, email: EmailId, folder: FolderId) -> QueryResult<Option<Location>> {
    let query = email_locations::table
        .filter(email_locations::email_id.eq(email))
        .filter(email_locations::folder_id.eq(folder))
        .filter(email_locations::uid.is_null())
        .order((email_locations::settled_at.is_not_null(), email_locations::id));
    on_conn!(tx, |c| query.select(Location::as_select()).first(c).await.optional())
}

/// Adds places. One whose number is known there already is passed over: the mail lies there.
pub(in crate::messages::operations) async fn insert_locations(tx: &mut DbConn, rows: Vec<Location>) -> QueryResult<()> {
    insert_rows!(tx, email_locations::table, rows, |q| q.on_conflict_do_nothing())?;
    Ok(())
}

/// Adds departures.
pub(in crate::messages::operations) async fn insert_departures(
    tx: &mut DbConn,
    rows: Vec<Departure>,
) -> QueryResult<()> {
    insert_rows!(tx, email_departures::table, rows, |q| q.on_conflict_do_nothing())?;
    Ok(())
}

/// Deletes places.
pub(in crate::messages::operations) async fn delete_locations(tx: &mut DbConn, ids: &[LocationId]) -> QueryResult<()> {
    for chunk in ids.chunks(IDS) {
        let query = diesel::delete(email_locations::table.filter(email_locations::id.eq_any(chunk)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}

/// Deletes departures.
pub(in crate::messages::operations) async fn delete_departures(tx: &mut DbConn, ids: &[LocationId]) -> QueryResult<()> {
    for chunk in ids.chunks(IDS) {
        let query = diesel::delete(email_departures::table.filter(email_departures::id.eq_any(chunk)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}

/// Sets a flag of places: what is wanted, and what the provider has where that is another (`server`).
pub(in crate::messages::operations) async fn set_flag(
    tx: &mut DbConn,
    ids: &[LocationId],
    flag: Flag,
    wanted: bool,
    server: Option<bool>,
) -> QueryResult<()> {
    for chunk in ids.chunks(IDS) {
        let those = email_locations::table.filter(email_locations::id.eq_any(chunk));
        match flag {
            Flag::Read => {
                let set = (email_locations::is_read.eq(wanted), email_locations::server_read.eq(server));
                on_conn!(tx, |c| diesel::update(those).set(set).execute(c).await)?
            }
            Flag::Starred => {
                let set = (email_locations::is_starred.eq(wanted), email_locations::server_starred.eq(server));
                on_conn!(tx, |c| diesel::update(those).set(set).execute(c).await)?
            }
        };
    }
    Ok(())
}
