//! The rows of threads, kept in step with their mails.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::case_when;
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::digest::{Digest, participants};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_recipients, emails, thread_accounts, thread_message_ids, threads};
use crate::db::types::Json;
use crate::ids::{AccountId, EmailId, OrgId, ThreadId, UserId};
use crate::mail::normalize_subject;
use crate::{insert_rows, on_conn};

/// Ids in one statement: below SQLite's 32,766 binds.
pub(in crate::messages) const IDS: usize = 10_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = threads, treat_none_as_default_value = false)]
pub(super) struct ThreadRow {
    pub id: ThreadId,
    organization_id: OrgId,
    subject: Option<String>,
    normalized_subject: Option<String>,
    first_message_at: Timestamp,
    last_message_at: Timestamp,
    message_count: i64,
    snippet: Option<String>,
    participants: Json,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ThreadRow {
    pub fn new(id: ThreadId, org: OrgId, digest: Digest, now: Timestamp) -> Self {
        Self {
            id,
            organization_id: org,
            normalized_subject: digest.subject.as_deref().map(|subject| normalize_subject(subject).to_lowercase()),
            participants: digest.participants_json(),
            subject: digest.subject,
            first_message_at: digest.first_at,
            last_message_at: digest.last_at,
            message_count: digest.count,
            snippet: digest.snippet,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn digest(&self) -> Digest {
        Digest {
            first_at: self.first_message_at,
            last_at: self.last_message_at,
            subject: self.subject.clone(),
            snippet: self.snippet.clone(),
            participants: participants(&self.participants),
            count: self.message_count,
        }
    }
}

/// The part of a thread that lies in one mailbox; also what is added to such a part.
#[derive(Insertable, Debug, Clone, Copy)]
#[diesel(table_name = thread_accounts, treat_none_as_default_value = false)]
pub(super) struct Share {
    pub account_id: AccountId,
    pub thread_id: ThreadId,
    pub last_message_at: Timestamp,
    pub message_count: i64,
    pub unread_count: i64,
}

#[derive(Insertable)]
#[diesel(table_name = thread_message_ids, treat_none_as_default_value = false)]
pub(super) struct IdRow {
    pub organization_id: OrgId,
    pub message_id: String,
    pub thread_id: ThreadId,
}

/// Makes writers of one organization's threads take turns; on SQLite they do already.
///
/// Two batches of different mailboxes could otherwise give one Message-ID to two threads.
pub(in crate::messages) async fn lock(tx: &mut DbConn, org: OrgId) -> QueryResult<()> {
    if let DbConn::Postgres(c) = tx {
        let (high, low) = org.uuid().as_u64_pair();
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<diesel::sql_types::BigInt, _>((high ^ low).cast_signed())
            .execute(c)
            .await?;
    }
    Ok(())
}

/// The threads that ids belong to already.
pub(super) async fn by_message_ids(
    tx: &mut DbConn,
    org: OrgId,
    ids: BTreeSet<&str>,
) -> QueryResult<HashMap<String, ThreadId>> {
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = thread_message_ids::table
            .filter(thread_message_ids::organization_id.eq(org))
            .filter(thread_message_ids::message_id.eq_any(chunk))
            .select((thread_message_ids::message_id, thread_message_ids::thread_id));
        let rows: Vec<(String, ThreadId)> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

pub(super) async fn load(tx: &mut DbConn, ids: &[ThreadId]) -> QueryResult<HashMap<ThreadId, ThreadRow>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = threads::table.filter(threads::id.eq_any(chunk));
        let rows: Vec<ThreadRow> = on_conn!(tx, |c| query.select(ThreadRow::as_select()).load(c).await)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// Writes threads whole.
pub(super) async fn save(tx: &mut DbConn, rows: Vec<ThreadRow>) -> QueryResult<()> {
    insert_rows!(tx, threads::table, rows, |q| q.on_conflict(threads::id).do_update().set((
        threads::subject.eq(excluded(threads::subject)),
        threads::normalized_subject.eq(excluded(threads::normalized_subject)),
        threads::first_message_at.eq(excluded(threads::first_message_at)),
        threads::last_message_at.eq(excluded(threads::last_message_at)),
        threads::message_count.eq(excluded(threads::message_count)),
        threads::snippet.eq(excluded(threads::snippet)),
        threads::participants.eq(excluded(threads::participants)),
        threads::updated_at.eq(excluded(threads::updated_at)),
    )))?;
    Ok(())
}

/// Gives ids to threads; an id that has one keeps it.
pub(super) async fn save_ids(tx: &mut DbConn, rows: Vec<IdRow>) -> QueryResult<()> {
    insert_rows!(tx, thread_message_ids::table, rows, |q| q.on_conflict_do_nothing())?;
    Ok(())
}

/// Adds to the parts of threads, one row for each mailbox and thread.
pub(super) async fn add_shares(tx: &mut DbConn, shares: impl IntoIterator<Item = Share>) -> QueryResult<()> {
    let mut sums: HashMap<(AccountId, ThreadId), Share> = HashMap::new();
    for share in shares {
        sums.entry((share.account_id, share.thread_id))
            .and_modify(|sum| {
                sum.last_message_at = sum.last_message_at.max(share.last_message_at);
                sum.message_count += share.message_count;
                sum.unread_count += share.unread_count;
            })
            .or_insert(share);
    }
    let mut rows: Vec<Share> = sums.into_values().collect();
    rows.sort_by_key(|share| (share.account_id, share.thread_id));
    let latest = || {
        case_when(
            excluded(thread_accounts::last_message_at).gt(thread_accounts::last_message_at),
            excluded(thread_accounts::last_message_at),
        )
        .otherwise(thread_accounts::last_message_at)
    };
    insert_rows!(tx, thread_accounts::table, rows, |q| q
        .on_conflict((thread_accounts::account_id, thread_accounts::thread_id))
        .do_update()
        .set((
            thread_accounts::last_message_at.eq(latest()),
            thread_accounts::message_count
                .eq(thread_accounts::message_count + excluded(thread_accounts::message_count)),
            thread_accounts::unread_count.eq(thread_accounts::unread_count + excluded(thread_accounts::unread_count)),
        )))?;
    Ok(())
}

/// Joins threads into one: their mails and ids move, they themselves vanish.
pub(super) async fn merge(tx: &mut DbConn, into: ThreadId, from: &[ThreadId], now: Timestamp) -> QueryResult<()> {
    let moved = diesel::update(emails::table.filter(emails::thread_id.eq_any(from)))
        .set((emails::thread_id.eq(into), emails::updated_at.eq(now)));
    on_conn!(tx, |c| moved.execute(c).await)?;
    let ids = diesel::update(thread_message_ids::table.filter(thread_message_ids::thread_id.eq_any(from)))
        .set(thread_message_ids::thread_id.eq(into));
    on_conn!(tx, |c| ids.execute(c).await)?;
    on_conn!(tx, |c| diesel::delete(threads::table.filter(threads::id.eq_any(from))).execute(c).await)?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = emails)]
struct MailOfThread {
    id: EmailId,
    thread_id: Option<ThreadId>,
    account_id: AccountId,
    is_read: bool,
    received_at: Timestamp,
    subject: Option<String>,
    snippet: Option<String>,
    from_email: String,
    from_name: Option<String>,
}

/// Computes threads anew from their mails.
pub(super) async fn rebuild(tx: &mut DbConn, ids: &BTreeSet<ThreadId>, now: Timestamp) -> QueryResult<()> {
    let ids: Vec<ThreadId> = ids.iter().copied().collect();
    for chunk in ids.chunks(IDS) {
        let query = emails::table.filter(emails::thread_id.eq_any(chunk)).filter(emails::deleted_at.is_null());
        let mails: Vec<MailOfThread> = on_conn!(tx, |c| query.select(MailOfThread::as_select()).load(c).await)?;
        let addressees = addressees(tx, &mails).await?;
        let (digests, shares) = sum(mails, &addressees);
        let mut rows = load(tx, chunk).await?;
        for row in rows.values_mut() {
            let digest = digests.get(&row.id).cloned().unwrap_or_else(|| Digest { count: 0, ..row.digest() });
            *row = ThreadRow { created_at: row.created_at, ..ThreadRow::new(row.id, row.organization_id, digest, now) };
        }
        save(tx, rows.into_values().collect()).await?;
        let stale = thread_accounts::table.filter(thread_accounts::thread_id.eq_any(chunk));
        on_conn!(tx, |c| diesel::delete(stale).execute(c).await)?;
        add_shares(tx, shares).await?;
    }
    Ok(())
}

/// What the mails of one person in some threads sum up to.
pub(super) async fn digests_of(
    conn: &mut DbConn,
    user: UserId,
    ids: &[ThreadId],
) -> QueryResult<HashMap<ThreadId, Digest>> {
    let query = emails::table
        .filter(emails::thread_id.eq_any(ids))
        .filter(emails::user_id.eq(user))
        .filter(emails::deleted_at.is_null());
    let mails: Vec<MailOfThread> = on_conn!(conn, |c| query.select(MailOfThread::as_select()).load(c).await)?;
    let addressees = addressees(conn, &mails).await?;
    Ok(sum(mails, &addressees).0)
}

type People = HashMap<EmailId, Vec<(String, Option<String>)>>;

async fn addressees(tx: &mut DbConn, mails: &[MailOfThread]) -> QueryResult<People> {
    let ids: Vec<EmailId> = mails.iter().map(|mail| mail.id).collect();
    let mut people = People::new();
    for chunk in ids.chunks(IDS) {
        let query = email_recipients::table
            .filter(email_recipients::email_id.eq_any(chunk))
            .filter(email_recipients::recipient_type.eq("to"))
            .order((email_recipients::email_id, email_recipients::position))
            .select((email_recipients::email_id, email_recipients::email_address, email_recipients::name));
        let rows: Vec<(EmailId, String, Option<String>)> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, address, name) in rows {
            people.entry(email).or_default().push((address, name));
        }
    }
    Ok(people)
}

fn sum(mails: Vec<MailOfThread>, people: &People) -> (HashMap<ThreadId, Digest>, Vec<Share>) {
    let mut digests: HashMap<ThreadId, Digest> = HashMap::new();
    let mut shares = Vec::with_capacity(mails.len());
    for mail in mails {
        let Some(thread_id) = mail.thread_id else { continue };
        let to = people.get(&mail.id).into_iter().flatten().map(|(email, name)| (email.as_str(), name.as_deref()));
        let from = std::iter::once((mail.from_email.as_str(), mail.from_name.as_deref()));
        let one = Digest::of(mail.received_at, mail.subject.as_deref(), mail.snippet.as_deref(), from.chain(to));
        digests.entry(thread_id).or_insert_with(Digest::empty).add(one);
        shares.push(Share {
            account_id: mail.account_id,
            thread_id,
            last_message_at: mail.received_at,
            message_count: 1,
            unread_count: i64::from(!mail.is_read),
        });
    }
    (digests, shares)
}
