//! The rows of places and departures.

use diesel::{Insertable, Queryable, Selectable};

use crate::clock::Timestamp;
use crate::db::schema::{email_departures, email_locations};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};

/// A place where a mail lies.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = email_locations, treat_none_as_default_value = false)]
pub(in crate::messages) struct Location {
    pub id: LocationId,
    pub email_id: EmailId,
    pub folder_id: FolderId,
    pub account_id: AccountId,
    pub uid: Option<i64>,
    pub uid_validity: Option<i64>,
    pub mod_seq: Option<i64>,
    pub is_read: bool,
    pub is_starred: bool,
    /// The mail's own time, so that a folder's list and the list of all mail have one order.
    pub received_at: Timestamp,
    pub created_at: Timestamp,
    pub server_read: Option<bool>,
    pub server_starred: Option<bool>,
    pub settled_at: Option<Timestamp>,
}

/// A place that a mail is to leave, with what the provider has.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = email_departures, treat_none_as_default_value = false)]
pub(in crate::messages) struct Departure {
    pub id: LocationId,
    pub email_id: EmailId,
    pub folder_id: FolderId,
    pub account_id: AccountId,
    pub uid: i64,
    pub uid_validity: i64,
    pub mod_seq: Option<i64>,
    pub is_read: bool,
    pub is_starred: bool,
    pub created_at: Timestamp,
}
