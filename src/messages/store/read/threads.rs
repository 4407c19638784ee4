//! Lists of threads, newest first, as one person sees them.
//!
//! A thread may hold mails of several people's mailboxes. What one person is shown (counts, subject, snippet, participants)
//! comes from their own mails alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::dsl::{exists, not};
use diesel::sql_types::BigInt;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;

use super::FolderChoice;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::thread_accounts;
use crate::db::types::{Instant, Uid};
use crate::http::{Keyset, Limit};
use crate::ids::{AccountId, FolderId, ThreadId};
use crate::messages::store::digest::Digest;
use crate::messages::store::threads as rows;
use crate::on_conn;

/// Which threads to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ThreadQuery {
    pub account: Option<AccountId>,
    pub folder: Option<FolderChoice>,
    /// Only threads with an unread mail.
    pub unread: bool,
    pub cursor: Option<Keyset>,
    pub limit: Limit,
}

/// A thread as one person sees it.
#[derive(Debug, Clone)]
pub(crate) struct ThreadView {
    pub id: ThreadId,
    pub digest: Digest,
    pub unread: i64,
}

/// One page and an entry more: threads with their place in the list.
pub(crate) async fn list(
    conn: &mut DbConn,
    access: &Access,
    query: &ThreadQuery,
) -> QueryResult<Vec<(ThreadId, Keyset)>> {
    let mut accounts = super::accounts_of(conn, access).await?;
    if let Some(only) = query.account {
        accounts.retain(|account| *account == only);
    }
    let mut found = Vec::new();
    match query.folder {
        Some(choice) => {
            let folders = super::chosen_folders(conn, &accounts, choice).await?;
            for folder in &folders {
                found.extend(in_folder(conn, query, *folder, &folders, &accounts).await?);
            }
        }
        None => {
            for account in &accounts {
                found.extend(in_account(conn, query, *account, &accounts).await?);
            }
        }
    }
    found.sort_by_key(|(_, keyset)| std::cmp::Reverse((keyset.at, keyset.id)));
    let mut seen = BTreeSet::new();
    found.retain(|(thread, _)| seen.insert(*thread));
    Ok(found)
}

/// The threads of a mailbox, each at its newest mail; one that is newer in another mailbox of the person is listed there.
async fn in_account(
    conn: &mut DbConn,
    query: &ThreadQuery,
    account: AccountId,
    accounts: &[AccountId],
) -> QueryResult<Vec<(ThreadId, Keyset)>> {
    use thread_accounts::dsl;
    let twin = diesel::alias!(thread_accounts as twin);
    let found: Vec<(ThreadId, Timestamp)> = on_conn!(conn, |c| {
        let mut rows = dsl::thread_accounts
            .filter(dsl::account_id.eq(account))
            .order((dsl::last_message_at.desc(), dsl::thread_id.desc()))
            .limit(query.limit.probe())
            .select((dsl::thread_id, dsl::last_message_at))
            .into_boxed();
        if let Some(key) = query.cursor {
            let (at, id) = (key.at, ThreadId::from_uuid(key.id));
            rows =
                rows.filter(dsl::last_message_at.le(at)).filter(dsl::last_message_at.lt(at).or(dsl::thread_id.lt(id)));
        }
        if query.unread {
            rows = rows.filter(dsl::unread_count.gt(0));
        }
        if accounts.len() > 1 {
            let (last, of) = (twin.field(dsl::last_message_at), twin.field(dsl::account_id));
            let newer = twin
                .filter(twin.field(dsl::thread_id).eq(dsl::thread_id))
                .filter(of.eq_any(accounts))
                .filter(last.gt(dsl::last_message_at).or(last.eq(dsl::last_message_at).and(of.gt(account))));
            rows = rows.filter(not(exists(newer)));
        }
        rows.load(c).await
    })?;
    Ok(found.into_iter().map(|(thread, at)| (thread, Keyset { at, id: thread.uuid() })).collect())
}

#[derive(QueryableByName)]
struct InFolder {
    #[diesel(sql_type = Uid)]
    thread_id: ThreadId,
    #[diesel(sql_type = Instant)]
    at: Timestamp,
    #[diesel(sql_type = Uid)]
    email_id: crate::ids::EmailId,
}

/// The threads with a mail in a folder, each at its newest mail there.
///
/// Walks the folder's index and passes over a mail when a newer one of its thread lies in one of the folders. The cross join
/// keeps SQLite from walking the folder again for each mail: it begins with the thread. `$n` is the
/// n-th value on PostgreSQL, and on SQLite as long as the numbers first appear in order.
async fn in_folder(
    conn: &mut DbConn,
    query: &ThreadQuery,
    folder: FolderId,
    folders: &[FolderId],
    accounts: &[AccountId],
) -> QueryResult<Vec<(ThreadId, Keyset)>> {
    let numbers =
        |from: usize, count: usize| (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let mut next = 2;
    let mut text = String::from(
        "SELECT e.thread_id AS thread_id, l.received_at AS at, l.email_id AS email_id FROM email_locations l \
         JOIN emails e ON e.id = l.email_id WHERE l.folder_id = $1 AND e.thread_id IS NOT NULL AND e.deleted_at IS NULL",
    );
    if query.cursor.is_some() {
        text.push_str(" AND l.received_at <= $2 AND (l.received_at < $3 OR l.email_id < $4)");
        next += 3;
    }
    if query.unread {
        let list = numbers(next, accounts.len());
        next += accounts.len();
        text.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM thread_accounts u WHERE u.thread_id = e.thread_id AND u.unread_count > 0 \
             AND u.account_id IN ({list}))"
        ));
    }
    let list = numbers(next, folders.len());
    text.push_str(&format!(
        " AND NOT EXISTS (SELECT 1 FROM emails o CROSS JOIN email_locations p \
         WHERE p.email_id = o.id AND o.thread_id = e.thread_id AND o.user_id = e.user_id AND o.deleted_at IS NULL AND p.folder_id IN ({list}) \
         AND (p.received_at > l.received_at OR (p.received_at = l.received_at AND (p.email_id > l.email_id \
         OR (p.email_id = l.email_id AND p.id > l.id))))) ORDER BY l.received_at DESC, l.email_id DESC LIMIT ${}",
        next + folders.len()
    ));
    let found: Vec<InFolder> = on_conn!(conn, |c| {
        let mut bound = diesel::sql_query(&text).into_boxed().bind::<Uid, _>(folder);
        if let Some(key) = query.cursor {
            let id = crate::ids::EmailId::from_uuid(key.id);
            bound = bound.bind::<Instant, _>(key.at).bind::<Instant, _>(key.at).bind::<Uid, _>(id);
        }
        if query.unread {
            bound = accounts.iter().fold(bound, |bound, account| bound.bind::<Uid, _>(*account));
        }
        bound = folders.iter().fold(bound, |bound, folder| bound.bind::<Uid, _>(*folder));
        bound.bind::<BigInt, _>(query.limit.probe()).load(c).await
    })?;
    Ok(found.into_iter().map(|row| (row.thread_id, Keyset { at: row.at, id: row.email_id.uuid() })).collect())
}

/// What a person sees of these threads; those without a mail of theirs are absent.
pub(crate) async fn views(
    conn: &mut DbConn,
    access: &Access,
    ids: &[ThreadId],
) -> QueryResult<HashMap<ThreadId, ThreadView>> {
    let mine: BTreeSet<AccountId> = super::accounts_of(conn, access).await?.into_iter().collect();
    let query = thread_accounts::table.filter(thread_accounts::thread_id.eq_any(ids)).select((
        thread_accounts::thread_id,
        thread_accounts::account_id,
        thread_accounts::unread_count,
    ));
    let shares: Vec<(ThreadId, AccountId, i64)> = on_conn!(conn, |c| query.load(c).await)?;
    let mut unread: BTreeMap<ThreadId, i64> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for (thread, account, count) in shares {
        if mine.contains(&account) {
            *unread.entry(thread).or_default() += count;
        } else {
            shared.insert(thread);
        }
    }
    let visible: Vec<ThreadId> = unread.keys().copied().collect();
    let mut digests: HashMap<ThreadId, Digest> =
        rows::load(conn, &visible).await?.into_iter().map(|(id, row)| (id, row.digest())).collect();
    let shared: Vec<ThreadId> = shared.into_iter().filter(|thread| unread.contains_key(thread)).collect();
    if !shared.is_empty() {
        digests.extend(rows::digests_of(conn, access.user, &shared).await?);
    }
    let view = |(id, unread)| Some((id, ThreadView { id, digest: digests.remove(&id)?, unread }));
    Ok(unread.into_iter().filter_map(view).collect())
}
