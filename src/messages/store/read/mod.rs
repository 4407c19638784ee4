//! What the API reads: lists, single mails, threads. Every query starts from the mailboxes of one person.

mod details;
mod messages;
mod outgoing;
mod parts;
mod threads;

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use crate::access::Access;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, email_folders};
use crate::ids::{AccountId, FolderId};
use crate::messages::model::FolderRole;
use crate::on_conn;

pub(crate) use details::{AttachmentRow, Found, attachment, body, embedded_images, lookup, message, raw_ref};
pub(crate) use messages::{Direction, MessageRow, Query, list, of_thread};
pub(crate) use outgoing::{DeliveryRow, OutgoingRow, outgoing};
pub(crate) use parts::{FolderOf, Parts, parts};
pub(crate) use threads::{ThreadQuery, ThreadView, list as list_threads, views};

/// The mailboxes of a person, also those that are kept to read only.
pub(crate) async fn accounts_of(conn: &mut DbConn, access: &Access) -> QueryResult<Vec<AccountId>> {
    let query = email_accounts::table
        .filter(email_accounts::user_id.eq(access.user))
        .filter(email_accounts::organization_id.eq(access.org))
        .order(email_accounts::id)
        .select(email_accounts::id);
    on_conn!(conn, |c| query.load(c).await)
}

/// A folder by its id, or all folders of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FolderChoice {
    Id(FolderId),
    Role(FolderRole),
}

/// The folders that a choice means, within these mailboxes.
pub(crate) async fn chosen_folders(
    conn: &mut DbConn,
    accounts: &[AccountId],
    choice: FolderChoice,
) -> QueryResult<Vec<FolderId>> {
    let within = email_folders::table.filter(email_folders::account_id.eq_any(accounts)).select(email_folders::id);
    match choice {
        FolderChoice::Id(id) => on_conn!(conn, |c| within.filter(email_folders::id.eq(id)).load(c).await),
        FolderChoice::Role(role) => {
            on_conn!(conn, |c| within.filter(email_folders::role.eq(role.as_str())).load(c).await)
        }
    }
}
