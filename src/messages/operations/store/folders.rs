//! Makes folders that do not exist yet; the provider learns of them when the first mail is brought there, and may then give
//! them ids of its own.

use std::collections::HashSet;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::naming::NewName;
use super::places;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, email_locations};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::model::FolderRole;
use crate::messages::store::threads::IDS;
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = email_folders, treat_none_as_default_value = false)]
struct NewFolder {
    id: FolderId,
    account_id: AccountId,
    external_id: String,
    parent_id: Option<FolderId>,
    name: String,
    role: Option<&'static str>,
    selectable: bool,
    included: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Makes a folder, or brings back one of this name that the provider had once.
pub(in crate::messages::operations) async fn make(
    tx: &mut DbConn,
    account: AccountId,
    name: &NewName,
    role: Option<FolderRole>,
    now: Timestamp,
) -> QueryResult<FolderId> {
    if let Some(former) = by_name(tx, account, &name.raw).await? {
        let query = diesel::update(email_folders::table.find(former)).set((
            email_folders::deleted_at.eq(None::<Timestamp>),
            email_folders::name.eq(&name.name),
            email_folders::role.eq(role.map(FolderRole::as_str)),
            email_folders::selectable.eq(true),
            email_folders::updated_at.eq(now),
        ));
        on_conn!(tx, |c| query.execute(c).await)?;
        return Ok(former);
    }
    let parent = match &name.parent {
        Some(parent) => by_name(tx, account, parent).await?,
        None => None,
    };
    let id = FolderId::new();
    let row = NewFolder {
        id,
        account_id: account,
        external_id: name.raw.clone(),
        parent_id: parent,
        name: name.name.clone(),
        role: role.map(FolderRole::as_str),
        selectable: true,
        included: true,
        created_at: now,
        updated_at: now,
    };
    insert_rows!(tx, email_folders::table, vec![row])?;
    Ok(id)
}

async fn by_name(tx: &mut DbConn, account: AccountId, raw: &str) -> QueryResult<Option<FolderId>> {
    let query = email_folders::table
        .filter(email_folders::account_id.eq(account))
        .filter(email_folders::external_id.eq(raw))
        .select(email_folders::id);
    on_conn!(tx, |c| query.first(c).await.optional())
}

/// A folder that was made here has this id at the provider now.
///
/// The sync may have heard of it sooner, under another name or in another spelling: then mails on their way to the one come
/// to the other.
pub async fn adopt(
    tx: &mut DbConn,
    account: AccountId,
    made: FolderId,
    external_id: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let Some(known) = by_name(tx, account, external_id).await? else {
        let query = diesel::update(email_folders::table.find(made))
            .set((email_folders::external_id.eq(external_id), email_folders::updated_at.eq(now)));
        return on_conn!(tx, |c| query.execute(c).await).map(|_| ());
    };
    if known == made {
        return Ok(());
    }
    let query = email_locations::table.filter(email_locations::folder_id.eq(known)).select(email_locations::email_id);
    let there: HashSet<EmailId> = on_conn!(tx, |c| query.load(c).await)?.into_iter().collect();
    let query = email_locations::table
        .filter(email_locations::folder_id.eq(made))
        .select((email_locations::id, email_locations::email_id));
    let coming: Vec<(LocationId, EmailId)> = on_conn!(tx, |c| query.load(c).await)?;
    let (double, moved): (Vec<_>, Vec<_>) = coming.into_iter().partition(|(_, email)| there.contains(email));
    let ids = |rows: Vec<(LocationId, EmailId)>| rows.into_iter().map(|(id, _)| id).collect::<Vec<LocationId>>();
    places::delete_locations(tx, &ids(double)).await?;
    for chunk in ids(moved).chunks(IDS) {
        let query = diesel::update(email_locations::table.filter(email_locations::id.eq_any(chunk)))
            .set(email_locations::folder_id.eq(known));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    on_conn!(tx, |c| {
        let live = (email_folders::deleted_at.eq(None::<Timestamp>), email_folders::updated_at.eq(now));
        diesel::update(email_folders::table.find(known)).set(live).execute(c).await?;
        let below = email_folders::table.filter(email_folders::parent_id.eq(made));
        diesel::update(below).set(email_folders::parent_id.eq(Some(known))).execute(c).await?;
        diesel::delete(email_folders::table.find(made)).execute(c).await
    })?;
    Ok(())
}
