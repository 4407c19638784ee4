//! Folders of mailboxes, with the cursors of their sync.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::{count_star, sql};
use diesel::sql_types::Bool;
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::threads::IDS;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, email_locations, skipped_messages};
use crate::ids::{AccountId, FolderId};
use crate::messages::model::{Folder, FolderCount, FolderCursor, FolderListing, FolderRole};
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = email_folders, treat_none_as_default_value = false)]
struct NewFolder {
    id: FolderId,
    account_id: AccountId,
    external_id: String,
    name: String,
    role: Option<&'static str>,
    selectable: bool,
    included: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = email_folders)]
struct FolderRow {
    id: FolderId,
    account_id: AccountId,
    external_id: String,
    parent_id: Option<FolderId>,
    name: String,
    role: Option<String>,
    selectable: bool,
    included: bool,
    provider_count: Option<i64>,
    uid_validity: Option<i64>,
    uid_next: Option<i64>,
    highest_modseq: Option<i64>,
    backfill_cursor: Option<i64>,
    backfill_total: i64,
    backfill_synced: i64,
    former_uid_validity: Option<i64>,
    delta_link: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl From<FolderRow> for Folder {
    fn from(row: FolderRow) -> Self {
        let small = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        Self {
            id: row.id,
            account: row.account_id,
            external_id: row.external_id,
            parent: row.parent_id,
            name: row.name,
            role: row.role.as_deref().and_then(FolderRole::parse),
            selectable: row.selectable,
            included: row.included,
            provider_count: row.provider_count.and_then(|count| u64::try_from(count).ok()),
            cursor: FolderCursor {
                uid_validity: small(row.uid_validity),
                uid_next: small(row.uid_next),
                highest_modseq: row.highest_modseq.and_then(|value| u64::try_from(value).ok()),
                backfill_cursor: small(row.backfill_cursor),
                backfill_total: u64::try_from(row.backfill_total).unwrap_or_default(),
                backfill_synced: u64::try_from(row.backfill_synced).unwrap_or_default(),
                former_uid_validity: small(row.former_uid_validity),
                delta_link: row.delta_link,
            },
            error: row.error_code.map(|code| (code, row.error_message.unwrap_or_default())),
        }
    }
}

/// Takes over the provider's listing: new folders appear (included, unless they hold spam), names and roles follow, and
/// folders that are listed no more are marked as deleted. Answers the ids of those.
pub async fn upsert_folders(
    tx: &mut DbConn,
    account: AccountId,
    listing: Vec<FolderListing>,
    now: Timestamp,
) -> QueryResult<Vec<FolderId>> {
    let listed: BTreeSet<String> = listing.iter().map(|folder| folder.external_id.clone()).collect();
    let parents: HashMap<String, String> = listing
        .iter()
        .filter_map(|folder| Some((folder.external_id.clone(), folder.parent_external_id.clone()?)))
        .collect();
    let mut seen = BTreeSet::new();
    let rows: Vec<NewFolder> = listing
        .into_iter()
        .filter(|folder| seen.insert(folder.external_id.clone()))
        .map(|folder| NewFolder {
            id: FolderId::new(),
            account_id: account,
            external_id: folder.external_id,
            name: folder.name.replace('\0', ""),
            role: folder.role.map(FolderRole::as_str),
            selectable: folder.selectable,
            included: folder.role != Some(FolderRole::Spam),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        })
        .collect();
    insert_rows!(tx, email_folders::table, rows, |q| q
        .on_conflict((email_folders::account_id, email_folders::external_id))
        .do_update()
        .set((
            email_folders::name.eq(excluded(email_folders::name)),
            email_folders::role.eq(excluded(email_folders::role)),
            email_folders::selectable.eq(excluded(email_folders::selectable)),
            email_folders::updated_at.eq(excluded(email_folders::updated_at)),
            email_folders::deleted_at.eq(excluded(email_folders::deleted_at)),
        )))?;
    let stored = all(tx, account).await?;
    link_parents(tx, &stored, &parents, now).await?;
    let made_here = awaited(tx, account).await?;
    let gone: Vec<FolderId> = stored
        .iter()
        .filter(|folder| !listed.contains(&folder.external_id) && !made_here.contains(&folder.id))
        .map(|folder| folder.id)
        .collect();
    for chunk in gone.chunks(IDS) {
        let query = diesel::update(email_folders::table.filter(email_folders::id.eq_any(chunk)))
            .set((email_folders::deleted_at.eq(Some(now)), email_folders::updated_at.eq(now)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(gone)
}

/// Folders that mail is on its way to: one that was made here may not be listed yet.
async fn awaited(tx: &mut DbConn, account: AccountId) -> QueryResult<BTreeSet<FolderId>> {
    let query = email_locations::table
        .filter(email_locations::account_id.eq(account))
        .filter(email_locations::uid.is_null())
        .select(email_locations::folder_id)
        .distinct();
    let ids: Vec<FolderId> = on_conn!(tx, |c| query.load(c).await)?;
    Ok(ids.into_iter().collect())
}

/// Sets the parents that are not set rightly, one statement for each parent that got another child.
async fn link_parents(
    tx: &mut DbConn,
    stored: &[Folder],
    parents: &HashMap<String, String>,
    now: Timestamp,
) -> QueryResult<()> {
    let ids: HashMap<&str, FolderId> = stored.iter().map(|folder| (folder.external_id.as_str(), folder.id)).collect();
    let mut moved: HashMap<Option<FolderId>, Vec<FolderId>> = HashMap::new();
    for folder in stored {
        let parent = parents.get(&folder.external_id).and_then(|parent| ids.get(parent.as_str()).copied());
        if parent != folder.parent {
            moved.entry(parent).or_default().push(folder.id);
        }
    }
    for (parent, children) in moved {
        let query = diesel::update(email_folders::table.filter(email_folders::id.eq_any(children)))
            .set((email_folders::parent_id.eq(parent), email_folders::updated_at.eq(now)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}

async fn all(conn: &mut DbConn, account: AccountId) -> QueryResult<Vec<Folder>> {
    let query = email_folders::table
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::deleted_at.is_null())
        .order((email_folders::name, email_folders::id));
    let rows: Vec<FolderRow> = on_conn!(conn, |c| query.select(FolderRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(Folder::from).collect())
}

/// The folders of a mailbox as last listed, by name.
pub async fn list_folders(conn: &mut DbConn, account: AccountId) -> QueryResult<Vec<Folder>> {
    let mut folders = all(conn, account).await?;
    // Databases differ in how they sort text.
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(folders)
}

/// One folder of a mailbox.
pub async fn folder(conn: &mut DbConn, account: AccountId, folder: FolderId) -> QueryResult<Folder> {
    let query = email_folders::table
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::id.eq(folder))
        .filter(email_folders::deleted_at.is_null());
    let row: FolderRow = on_conn!(conn, |c| query.select(FolderRow::as_select()).first(c).await)?;
    Ok(row.into())
}

/// Says whether the mail of a folder is to be stored.
pub async fn set_included(
    tx: &mut DbConn,
    account: AccountId,
    folder: FolderId,
    included: bool,
    now: Timestamp,
) -> QueryResult<()> {
    let target = email_folders::table
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::id.eq(folder))
        .filter(email_folders::deleted_at.is_null());
    let query = diesel::update(target).set((email_folders::included.eq(included), email_folders::updated_at.eq(now)));
    match on_conn!(tx, |c| query.execute(c).await)? {
        0 => Err(diesel::result::Error::NotFound),
        _ => Ok(()),
    }
}

/// Saves how far a folder is stored; belongs into the transaction that stores what it covers.
pub async fn save_cursor(tx: &mut DbConn, folder: FolderId, cursor: &FolderCursor, now: Timestamp) -> QueryResult<()> {
    let big = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let query = diesel::update(email_folders::table.filter(email_folders::id.eq(folder))).set((
        email_folders::uid_validity.eq(cursor.uid_validity.map(i64::from)),
        email_folders::uid_next.eq(cursor.uid_next.map(i64::from)),
        email_folders::highest_modseq.eq(cursor.highest_modseq.map(big)),
        email_folders::backfill_cursor.eq(cursor.backfill_cursor.map(i64::from)),
        email_folders::backfill_total.eq(big(cursor.backfill_total)),
        email_folders::backfill_synced.eq(big(cursor.backfill_synced)),
        email_folders::former_uid_validity.eq(cursor.former_uid_validity.map(i64::from)),
        email_folders::delta_link.eq(cursor.delta_link.clone()),
        email_folders::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Gives a folder the name that it has at the provider now; what is told of it follows with the next listing.
pub async fn rename_folder(
    tx: &mut DbConn,
    account: AccountId,
    folder: FolderId,
    external_id: &str,
    now: Timestamp,
) -> QueryResult<()> {
    // An old folder of that name is gone, and its mails with it.
    let old = email_folders::table
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::external_id.eq(external_id))
        .filter(email_folders::deleted_at.is_not_null());
    on_conn!(tx, |c| diesel::delete(old).execute(c).await)?;
    let query = diesel::update(email_folders::table.filter(email_folders::id.eq(folder)))
        .set((email_folders::external_id.eq(external_id), email_folders::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Notes how many mails the provider says a folder holds.
pub async fn set_provider_count(tx: &mut DbConn, folder: FolderId, count: u64, now: Timestamp) -> QueryResult<()> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let query = diesel::update(email_folders::table.filter(email_folders::id.eq(folder)))
        .set((email_folders::provider_count.eq(Some(count)), email_folders::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Notes why the sync of a folder failed (a stable word and a text for a person), or that it works again.
pub async fn set_folder_error(
    tx: &mut DbConn,
    folder: FolderId,
    error: Option<(&str, &str)>,
    now: Timestamp,
) -> QueryResult<()> {
    let (code, message) = error.unzip();
    let message = message.map(|text| text.replace('\0', ""));
    let query = diesel::update(email_folders::table.filter(email_folders::id.eq(folder))).set((
        email_folders::error_code.eq(code),
        email_folders::error_message.eq(message),
        email_folders::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// How many mails that arrived since a time lie in each folder of a mailbox.
pub async fn arrivals_since(
    conn: &mut DbConn,
    account: AccountId,
    since: Timestamp,
) -> QueryResult<HashMap<FolderId, u64>> {
    let ids: Vec<FolderId> = all(conn, account).await?.into_iter().map(|folder| folder.id).collect();
    let query = email_locations::table
        .filter(email_locations::folder_id.eq_any(ids))
        .filter(email_locations::received_at.ge(since))
        .group_by(email_locations::folder_id)
        .select((email_locations::folder_id, count_star()));
    let rows: Vec<(FolderId, i64)> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(rows.into_iter().map(|(folder, count)| (folder, u64::try_from(count).unwrap_or_default())).collect())
}

/// How many mails lie in each folder of a mailbox; a folder without any is absent.
pub async fn folder_counts(conn: &mut DbConn, account: AccountId) -> QueryResult<HashMap<FolderId, FolderCount>> {
    let ids: Vec<FolderId> = all(conn, account).await?.into_iter().map(|folder| folder.id).collect();
    let places = email_locations::table.filter(email_locations::folder_id.eq_any(&ids));
    let stored = places.group_by(email_locations::folder_id).select((email_locations::folder_id, count_star()));
    let unread = email_locations::table
        .filter(email_locations::folder_id.eq_any(&ids))
        .filter(sql::<Bool>("email_locations.is_read = FALSE"))
        .group_by(email_locations::folder_id)
        .select((email_locations::folder_id, count_star()));
    let skipped = skipped_messages::table
        .filter(skipped_messages::folder_id.eq_any(&ids))
        .group_by(skipped_messages::folder_id)
        .select((skipped_messages::folder_id, count_star()));
    let stored: Vec<(FolderId, i64)> = on_conn!(conn, |c| stored.load(c).await)?;
    let unread: Vec<(FolderId, i64)> = on_conn!(conn, |c| unread.load(c).await)?;
    let skipped: Vec<(Option<FolderId>, i64)> = on_conn!(conn, |c| skipped.load(c).await)?;
    let mut counts: HashMap<FolderId, FolderCount> = HashMap::new();
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    stored.into_iter().for_each(|(id, n)| counts.entry(id).or_default().stored = count(n));
    unread.into_iter().for_each(|(id, n)| counts.entry(id).or_default().unread = count(n));
    skipped
        .into_iter()
        .filter_map(|(id, n)| Some((id?, n)))
        .for_each(|(id, n)| counts.entry(id).or_default().skipped = count(n));
    Ok(counts)
}
