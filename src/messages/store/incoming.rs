//! Stores a batch of mails in a handful of statements.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::digest::Digest;
use super::placement::{Place, State, state};
use super::places::{self, Arrival};
use super::rows::{Decided, Rows};
use super::threads::{self, IDS, IdRow, Share, ThreadRow};
use super::{refresh, threading};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, email_recipients, emails};
use crate::ids::{AccountId, EmailId, ThreadId};
use crate::messages::model::{Applied, FolderRole, IncomingMail, KnownCopy, Mailbox};
use crate::{insert_rows, on_conn};

/// Stores mails of a folder; run it inside the transaction that saves the folder's cursor.
///
/// A mail is one row by its external id, whatever the folders: a known one gets another place, and its flags follow. Doing
/// the same batch again changes nothing. `role` is the role of the folder that all the mails lie in.
pub async fn apply_batch(
    tx: &mut DbConn,
    owner: &Mailbox,
    role: Option<FolderRole>,
    mails: Vec<IncomingMail>,
    now: Timestamp,
) -> QueryResult<Applied> {
    threads::lock(tx, owner.org).await?;
    let wanted: Vec<&str> = mails.iter().map(|mail| mail.external_id.as_str()).collect();
    let mut stored = stored(tx, owner.account, &wanted).await?;
    let mut fresh: Vec<(EmailId, IncomingMail)> = Vec::new();
    let mut arrivals = Vec::with_capacity(mails.len());
    let mut known = BTreeSet::new();
    let mut known_count = 0;
    for mail in mails {
        let copy = KnownCopy::of(&mail);
        let received_at = mail.received_at;
        if let Some(&(id, received_at)) = stored.get(&mail.external_id) {
            known.insert(id);
            known_count += 1;
            arrivals.push(Arrival { email: id, received_at, copy });
        } else {
            let id = EmailId::new();
            stored.insert(mail.external_id.clone(), (id, received_at));
            arrivals.push(Arrival { email: id, received_at, copy });
            fresh.push((id, mail));
        }
    }
    let new = store_new(tx, owner, role, fresh, now).await?;
    places::insert(tx, owner.account, arrivals, now).await?;
    refresh::refresh(tx, &known, now).await?;
    Ok(Applied { new, known: known_count })
}

/// Adds places of mails that are stored already, without their bodies. Answers how many were not known after all.
pub async fn apply_known(
    tx: &mut DbConn,
    owner: &Mailbox,
    copies: Vec<KnownCopy>,
    now: Timestamp,
) -> QueryResult<usize> {
    threads::lock(tx, owner.org).await?;
    let wanted: Vec<&str> = copies.iter().map(|copy| copy.external_id.as_str()).collect();
    let stored = stored(tx, owner.account, &wanted).await?;
    let total = copies.len();
    let arrivals: Vec<Arrival> = copies
        .into_iter()
        .filter_map(|copy| {
            let &(email, received_at) = stored.get(&copy.external_id)?;
            Some(Arrival { email, received_at, copy })
        })
        .collect();
    let unknown = total - arrivals.len();
    let known = arrivals.iter().map(|arrival| arrival.email).collect();
    places::insert(tx, owner.account, arrivals, now).await?;
    refresh::refresh(tx, &known, now).await?;
    Ok(unknown)
}

/// Which of these mails a mailbox holds, by their external ids; such that were deleted at the provider count too.
pub async fn known_external_ids(conn: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<HashSet<String>> {
    Ok(stored(conn, account, ids).await?.into_keys().collect())
}

async fn stored(
    conn: &mut DbConn,
    account: AccountId,
    external_ids: &[&str],
) -> QueryResult<HashMap<String, (EmailId, Timestamp)>> {
    let mut found = HashMap::new();
    for chunk in external_ids.chunks(IDS) {
        let query = emails::table
            .filter(emails::account_id.eq(account))
            .filter(emails::external_id.eq_any(chunk))
            .select((emails::external_id, emails::id, emails::received_at));
        let rows: Vec<(String, EmailId, Timestamp)> = on_conn!(conn, |c| query.load(c).await)?;
        found.extend(rows.into_iter().map(|(external, id, at)| (external, (id, at))));
    }
    Ok(found)
}

async fn store_new(
    tx: &mut DbConn,
    owner: &Mailbox,
    role: Option<FolderRole>,
    fresh: Vec<(EmailId, IncomingMail)>,
    now: Timestamp,
) -> QueryResult<Vec<(EmailId, ThreadId)>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let (assigned, merged) = assign_threads(tx, owner, &fresh, now).await?;
    let mut rows = Rows::default();
    let mut shares = Vec::with_capacity(fresh.len());
    let mut new = Vec::with_capacity(fresh.len());
    for ((id, mail), thread) in fresh.into_iter().zip(assigned) {
        let state: State = state(&[Place { role, is_read: mail.is_read, is_starred: mail.is_starred }]);
        shares.push(Share {
            account_id: owner.account,
            thread_id: thread,
            last_message_at: mail.received_at,
            message_count: 1,
            unread_count: i64::from(!mail.is_read),
        });
        rows.push(mail, &Decided { id, thread, owner, state, now });
        new.push((id, thread));
    }
    insert_rows!(tx, emails::table, rows.emails)?;
    insert_rows!(tx, email_recipients::table, rows.recipients)?;
    insert_rows!(tx, email_attachments::table, rows.attachments)?;
    threads::add_shares(tx, shares).await?;
    if !merged.is_empty() {
        threads::rebuild(tx, &merged, now).await?;
    }
    Ok(new)
}

/// Finds or makes the thread of each mail. Also answers the threads that took in others: they are to be computed anew.
async fn assign_threads(
    tx: &mut DbConn,
    owner: &Mailbox,
    fresh: &[(EmailId, IncomingMail)],
    now: Timestamp,
) -> QueryResult<(Vec<ThreadId>, BTreeSet<ThreadId>)> {
    let ids: Vec<Vec<&str>> = fresh.iter().map(|(_, mail)| threading::ids(&mail.parsed).collect()).collect();
    let known = threads::by_message_ids(tx, owner.org, ids.iter().flatten().copied().collect()).await?;
    let groups = threading::group(&ids, &known);
    let touched: Vec<ThreadId> = groups.iter().flat_map(|group| group.threads.iter().copied()).collect();
    let existing = threads::load(tx, &touched).await?;
    let mut assigned: HashMap<usize, ThreadId> = HashMap::new();
    let mut merged = BTreeSet::new();
    let (mut rows, mut id_rows) = (Vec::new(), Vec::new());
    for group in groups {
        // UUIDv7 sorts by time: the first is the oldest thread, whose id clients have known for longest.
        let mut old = group.threads.iter().copied();
        let thread = old.next().unwrap_or_else(ThreadId::new);
        let absorbed: Vec<ThreadId> = old.collect();
        if !absorbed.is_empty() {
            threads::merge(tx, thread, &absorbed, now).await?;
            merged.insert(thread);
        }
        let mut digest = existing.get(&thread).map_or_else(Digest::empty, ThreadRow::digest);
        for index in group.mails {
            assigned.insert(index, thread);
            if let Some((_, mail)) = fresh.get(index) {
                digest.add(digest_of(mail));
            }
        }
        rows.push(ThreadRow::new(thread, owner.org, digest, now));
        let id_row = |message_id| IdRow { organization_id: owner.org, message_id, thread_id: thread };
        id_rows.extend(group.new_ids.into_iter().map(id_row));
    }
    threads::save(tx, rows).await?;
    threads::save_ids(tx, id_rows).await?;
    let in_order = (0..fresh.len()).filter_map(|index| assigned.get(&index).copied()).collect();
    Ok((in_order, merged))
}

fn digest_of(mail: &IncomingMail) -> Digest {
    let author = mail.parsed.author();
    let people = author.iter().chain(&mail.parsed.to);
    let people = people.map(|person| (person.address.as_str(), person.name.as_deref()));
    Digest::of(mail.received_at, Some(&mail.parsed.subject), Some(&mail.parsed.snippet), people)
}
