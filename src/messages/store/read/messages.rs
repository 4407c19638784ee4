//! Lists of mails, newest first.
//!
//! A page is read from each place it may come from (a thread, folders, or mailboxes) through the index in the order of the
//! list, and put together in memory: a person has few mailboxes, and a sort of a million rows would be slow.

use std::collections::BTreeSet;

use diesel::dsl::{exists, sql};
use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::FolderChoice;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_locations, email_recipients, emails};
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, EmailId, FolderId, ThreadId};
use crate::on_conn;

diesel::define_sql_function! {
    /// Lower case, as both databases know it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// A mail without its bodies.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = emails)]
pub(crate) struct MessageRow {
    pub id: EmailId,
    pub account_id: AccountId,
    pub thread_id: Option<ThreadId>,
    pub external_id: String,
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub from_email: String,
    pub from_name: Option<String>,
    pub subject: Option<String>,
    pub snippet: Option<String>,
    pub direction: String,
    pub status: String,
    pub error_message: Option<String>,
    pub kind: String,
    pub sent_at: Timestamp,
    pub received_at: Timestamp,
    pub scheduled_at: Option<Timestamp>,
    pub replied_at: Option<Timestamp>,
    pub bounced_at: Option<Timestamp>,
    pub opened: bool,
    pub opened_at: Option<Timestamp>,
    pub open_count: i32,
    pub click_count: i32,
    pub is_read: bool,
    pub is_starred: bool,
    pub is_archived: bool,
    pub has_attachments: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who a mail comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

/// Which mails to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub account: Option<AccountId>,
    pub thread: Option<ThreadId>,
    pub folder: Option<FolderChoice>,
    pub is_read: Option<bool>,
    pub is_starred: Option<bool>,
    pub is_archived: Option<bool>,
    pub direction: Option<Direction>,
    pub status: Option<&'static str>,
    /// The address in lower case.
    pub from: Option<String>,
    /// The normalised address.
    pub to: Option<String>,
    pub has_attachments: Option<bool>,
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
    pub cursor: Option<Keyset>,
    pub limit: Limit,
}

/// Where a part of a list comes from.
enum Source {
    Thread(ThreadId),
    Folder(FolderId),
    Account(AccountId),
}

/// One page and a row more, newest first.
pub(crate) async fn list(conn: &mut DbConn, access: &Access, query: &Query) -> QueryResult<Vec<MessageRow>> {
    let mut accounts = super::accounts_of(conn, access).await?;
    if let Some(only) = query.account {
        accounts.retain(|account| *account == only);
    }
    let folders = match query.folder {
        Some(choice) => Some(super::chosen_folders(conn, &accounts, choice).await?),
        None => None,
    };
    let sources: Vec<Source> = match (query.thread, &folders) {
        (Some(thread), _) => vec![Source::Thread(thread)],
        (None, Some(folders)) => folders.iter().copied().map(Source::Folder).collect(),
        (None, None) => accounts.iter().copied().map(Source::Account).collect(),
    };
    let to = match &query.to {
        Some(address) => Some(addressee(conn, address).await?),
        None => None,
    };
    let mut rows = Vec::new();
    for source in &sources {
        rows.extend(read(conn, access, query, to.as_ref(), source, folders.as_deref()).await?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse((row.received_at, row.id)));
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(row.id));
    Ok(rows)
}

/// Mails to one address. Those of a rare one are few enough to be named; a page of a common one is found by looking at the
/// newest mails.
enum Addressee {
    Rare(Vec<EmailId>),
    Common(String),
}

async fn addressee(conn: &mut DbConn, address: &str) -> QueryResult<Addressee> {
    const FEW: i64 = 2_000;
    let query = email_recipients::table
        .filter(email_recipients::email_normalized.eq(address))
        .filter(email_recipients::recipient_type.ne("reply_to"))
        .limit(FEW + 1)
        .select(email_recipients::email_id);
    let ids: Vec<EmailId> = on_conn!(conn, |c| query.load(c).await)?;
    let few = i64::try_from(ids.len()).is_ok_and(|count| count <= FEW);
    Ok(if few { Addressee::Rare(ids) } else { Addressee::Common(address.to_owned()) })
}

/// A copy of the same mail in the same folder is listed once: the first copy counts.
const NO_EARLIER_COPY: &str = "NOT EXISTS (SELECT 1 FROM email_locations twin WHERE twin.email_id = email_locations.email_id \
     AND twin.folder_id = email_locations.folder_id AND twin.id < email_locations.id)";

/// Adds the conditions that all sources have in common.
///
/// Conditions on flags are written out rather than bound, or SQLite would not use its partial indexes.
macro_rules! filtered {
    ($rows:expr, $query:expr, $to:expr, $at:expr, $id:expr) => {{
        let (mut rows, query): (_, &Query) = ($rows.filter(emails::deleted_at.is_null()), $query);
        if let Some(key) = query.cursor {
            let (at, id) = (key.at, EmailId::from_uuid(key.id));
            rows = rows.filter($at.le(at)).filter($at.lt(at).or($id.lt(id)));
        }
        if let Some(after) = query.after {
            rows = rows.filter($at.ge(after));
        }
        if let Some(before) = query.before {
            rows = rows.filter($at.lt(before));
        }
        let flags = [
            ("is_read", query.is_read),
            ("is_starred", query.is_starred),
            ("is_archived", query.is_archived),
            ("has_attachments", query.has_attachments),
        ];
        for (column, wanted) in flags {
            if let Some(wanted) = wanted {
                let word = if wanted { "TRUE" } else { "FALSE" };
                rows = rows.filter(sql::<Bool>(&format!("emails.{column} = {word}")));
            }
        }
        if let Some(direction) = query.direction {
            let word = if direction == Direction::Inbound { "inbound" } else { "outbound" };
            rows = rows.filter(emails::direction.eq(word));
        }
        if let Some(status) = query.status {
            rows = rows.filter(emails::status.eq(status));
        }
        if let Some(from) = &query.from {
            rows = rows.filter(lower(emails::from_email).eq(from));
        }
        if let Some(to) = $to {
            rows = match to {
                Addressee::Rare(ids) => rows.filter(emails::id.eq_any(ids)),
                Addressee::Common(address) => {
                    let named = email_recipients::table
                        .filter(email_recipients::email_id.eq(emails::id))
                        .filter(email_recipients::email_normalized.eq(address))
                        .filter(email_recipients::recipient_type.ne("reply_to"));
                    rows.filter(exists(named))
                }
            };
        }
        rows.limit(query.limit.probe()).select(MessageRow::as_select())
    }};
}

async fn read(
    conn: &mut DbConn,
    access: &Access,
    query: &Query,
    to: Option<&Addressee>,
    source: &Source,
    folders: Option<&[FolderId]>,
) -> QueryResult<Vec<MessageRow>> {
    let newest = (emails::received_at.desc(), emails::id.desc());
    match source {
        Source::Account(account) => on_conn!(conn, |c| {
            let rows = emails::table.filter(emails::account_id.eq(account)).order(newest).into_boxed();
            filtered!(rows, query, to, emails::received_at, emails::id).load(c).await
        }),
        Source::Thread(thread) => on_conn!(conn, |c| {
            let mut rows = emails::table
                .filter(emails::thread_id.eq(thread))
                .filter(emails::user_id.eq(access.user))
                .filter(emails::organization_id.eq(access.org))
                .order(newest)
                .into_boxed();
            if let Some(account) = query.account {
                rows = rows.filter(emails::account_id.eq(account));
            }
            if let Some(folders) = folders {
                let there = email_locations::table
                    .filter(email_locations::email_id.eq(emails::id))
                    .filter(email_locations::folder_id.eq_any(folders));
                rows = rows.filter(exists(there));
            }
            filtered!(rows, query, to, emails::received_at, emails::id).load(c).await
        }),
        Source::Folder(folder) => on_conn!(conn, |c| {
            let rows = email_locations::table
                .inner_join(emails::table.on(emails::id.eq(email_locations::email_id)))
                .filter(email_locations::folder_id.eq(folder))
                .filter(sql::<Bool>(NO_EARLIER_COPY))
                .order((email_locations::received_at.desc(), email_locations::email_id.desc()))
                .into_boxed();
            filtered!(rows, query, to, email_locations::received_at, email_locations::email_id).load(c).await
        }),
    }
}

/// Most mails of a thread that are shown with it: the newest.
const MAX_OF_THREAD: i64 = 500;

/// The mails of a thread that a person may see, oldest first.
pub(crate) async fn of_thread(conn: &mut DbConn, access: &Access, thread: ThreadId) -> QueryResult<Vec<MessageRow>> {
    let query = emails::table
        .filter(emails::thread_id.eq(thread))
        .filter(emails::user_id.eq(access.user))
        .filter(emails::organization_id.eq(access.org))
        .filter(emails::deleted_at.is_null())
        .order((emails::received_at.desc(), emails::id.desc()))
        .limit(MAX_OF_THREAD);
    let mut rows: Vec<MessageRow> = on_conn!(conn, |c| query.select(MessageRow::as_select()).load(c).await)?;
    rows.reverse();
    Ok(rows)
}
