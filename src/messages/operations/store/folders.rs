//! Makes folders that do not exist yet; the provider learns of them when the first mail is brought there.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::naming::NewName;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::email_folders;
use crate::ids::{AccountId, FolderId};
use crate::messages::model::FolderRole;
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
