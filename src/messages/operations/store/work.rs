//! What the executor reads: which items are due, and where the two sides differ.

use std::collections::{BTreeMap, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::{DueItem, Fields, ItemKey, MailDiff, PlaceRow};
use super::places::{self, Departure, Location};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, mailbox_operation_items as items, mailbox_operations as operations};
use crate::db::types::Json;
use crate::ids::{AccountId, EmailId, FolderId, OperationId};
use crate::messages::store::own;
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// The items of a mailbox that are to be carried out by now, in the order in which people asked for them.
pub async fn due_items(conn: &mut DbConn, account: AccountId, now: Timestamp, limit: u32) -> QueryResult<Vec<DueItem>> {
    let query = items::table
        .inner_join(operations::table)
        .filter(items::account_id.eq(account))
        .filter(items::state.eq("pending"))
        .filter(items::next_attempt_at.le(now))
        .order((items::operation_id, items::email_id))
        .limit(limit.into())
        .select((items::operation_id, items::email_id, items::todo, items::attempts, operations::created_at));
    type Row = (OperationId, EmailId, Json, i32, Timestamp);
    let rows: Vec<Row> = on_conn!(conn, |c| query.load(c).await)?;
    let item = |(operation, email, todo, attempts, created_at): Row| DueItem {
        key: ItemKey { operation, email },
        todo: Fields::read(todo),
        attempts: u32::try_from(attempts).unwrap_or_default(),
        created_at,
    };
    Ok(rows.into_iter().map(item).collect())
}

/// The places of these mails on both sides; a mail that lies nowhere on either is absent.
pub async fn differences(conn: &mut DbConn, emails: &[EmailId]) -> QueryResult<Vec<MailDiff>> {
    let locations = places::locations(conn, emails).await?;
    let departures = places::departures(conn, emails).await?;
    let folders = locations.iter().map(|row| row.folder_id).chain(departures.iter().map(|row| row.folder_id));
    let names = folder_names(conn, folders).await?;
    let mut found: BTreeMap<EmailId, MailDiff> = BTreeMap::new();
    let awaited = own::awaited(conn, emails).await?;
    let empty = |email, account| MailDiff {
        email,
        account,
        locations: Vec::new(),
        departures: Vec::new(),
        awaited: awaited.contains(&email),
    };
    for row in locations {
        let diff = found.entry(row.email_id).or_insert_with(|| empty(row.email_id, row.account_id));
        diff.locations.push(of_location(row, &names));
    }
    for row in departures {
        let diff = found.entry(row.email_id).or_insert_with(|| empty(row.email_id, row.account_id));
        diff.departures.push(of_departure(row, &names));
    }
    Ok(found.into_values().collect())
}

type Names = HashMap<FolderId, String>;

async fn folder_names(conn: &mut DbConn, folders: impl Iterator<Item = FolderId>) -> QueryResult<Names> {
    let mut ids: Vec<FolderId> = folders.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut names = Names::new();
    for chunk in ids.chunks(IDS) {
        let query = email_folders::table
            .filter(email_folders::id.eq_any(chunk))
            .select((email_folders::id, email_folders::external_id));
        let rows: Vec<(FolderId, String)> = on_conn!(conn, |c| query.load(c).await)?;
        names.extend(rows);
    }
    Ok(names)
}

fn mod_seq(stored: Option<i64>) -> Option<u64> {
    stored.and_then(|value| u64::try_from(value).ok())
}

fn of_location(row: Location, names: &Names) -> PlaceRow {
    PlaceRow {
        id: row.id,
        email: row.email_id,
        folder: row.folder_id,
        folder_name: names.get(&row.folder_id).cloned().unwrap_or_default(),
        number: row.number(),
        is_read: row.is_read,
        is_starred: row.is_starred,
        server_read: row.server_read,
        server_starred: row.server_starred,
        mod_seq: mod_seq(row.mod_seq),
        settled_at: row.settled_at,
        created_at: row.created_at,
    }
}

fn of_departure(row: Departure, names: &Names) -> PlaceRow {
    PlaceRow {
        id: row.id,
        email: row.email_id,
        folder: row.folder_id,
        folder_name: names.get(&row.folder_id).cloned().unwrap_or_default(),
        number: row.number(),
        is_read: row.is_read,
        is_starred: row.is_starred,
        server_read: None,
        server_starred: None,
        mod_seq: mod_seq(row.mod_seq),
        settled_at: None,
        created_at: row.created_at,
    }
}
