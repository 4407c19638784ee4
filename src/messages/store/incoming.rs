//! Stores a batch of mails in a handful of statements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::arrivals::{self, Arrival};
use super::digest::Digest;
use super::own::{self, Sighting};
use super::placement::{Place, State, state};
use super::refresh;
use super::rows::{self, Decided, Rows};
use super::threads::{self, IDS, IdRow, Share, ThreadRow};
use super::told;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, email_recipients, emails};
use crate::ids::{AccountId, EmailId, ThreadId};
use crate::mail::threading::{Assigned, union};
use crate::mail::{ParsedMail, thread_keys};
use crate::messages::model::{Applied, FolderRole, IncomingMail, Intake, KnownCopy, Mailbox};
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
    intake: &Intake,
) -> QueryResult<Applied> {
    threads::lock(tx, owner.org).await?;
    let wanted: Vec<&str> = mails.iter().map(|mail| mail.external_id.as_str()).collect();
    let mut stored = stored(tx, owner.account, &wanted).await?;
    let own = own::recognise(tx, owner, role, &mails, &stored, intake).await?;
    stored.extend(own.rows);
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
    let unheard: HashSet<EmailId> = fresh.iter().map(|(id, _)| *id).collect();
    let (new, told) = store_new(tx, owner, role, fresh, intake).await?;
    let mut changed = arrivals::take_over(tx, owner.account, arrivals, &unheard, intake).await?;
    changed.extend(own.changed);
    changed.extend(refresh::refresh(tx, &known, intake.now).await?);
    Ok(Applied { new, known: known_count, changed: changed.into_iter().collect(), told: own.told || told })
}

/// Adds places of mails that are stored already, without their bodies; those that are not known after all are passed over.
pub async fn apply_known(
    tx: &mut DbConn,
    owner: &Mailbox,
    copies: Vec<KnownCopy>,
    intake: &Intake,
) -> QueryResult<Applied> {
    threads::lock(tx, owner.org).await?;
    let wanted: Vec<&str> = copies.iter().map(|copy| copy.external_id.as_str()).collect();
    let stored = stored(tx, owner.account, &wanted).await?;
    let arrivals: Vec<Arrival> = copies
        .into_iter()
        .filter_map(|copy| {
            let &(email, received_at) = stored.get(&copy.external_id)?;
            Some(Arrival { email, received_at, copy })
        })
        .collect();
    let known_count = arrivals.len();
    let known = arrivals.iter().map(|arrival| arrival.email).collect();
    let mut changed = arrivals::take_over(tx, owner.account, arrivals, &HashSet::new(), intake).await?;
    changed.extend(refresh::refresh(tx, &known, intake.now).await?);
    Ok(Applied { known: known_count, changed: changed.into_iter().collect(), ..Applied::default() })
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
    intake: &Intake,
) -> QueryResult<(Vec<(EmailId, ThreadId)>, bool)> {
    if fresh.is_empty() {
        return Ok((Vec::new(), false));
    }
    let now = intake.now;
    let read: Vec<(&ParsedMail, Timestamp)> = fresh.iter().map(|(_, mail)| (&mail.parsed, mail.received_at)).collect();
    let (assigned, merged) = assign_threads(tx, owner, &read, intake).await?;
    let mut rows = Rows::default();
    let mut shares = Vec::with_capacity(fresh.len());
    let mut new = Vec::with_capacity(fresh.len());
    let mut received = Vec::new();
    let mut seen = Vec::with_capacity(fresh.len());
    for ((id, mail), thread) in fresh.into_iter().zip(assigned) {
        let state: State = state(&[Place { role, is_read: mail.is_read, is_starred: mail.is_starred }]);
        shares.push(Share {
            account_id: owner.account,
            thread_id: thread,
            last_message_at: mail.received_at,
            message_count: 1,
            unread_count: i64::from(!mail.is_read),
        });
        let is_outbound = rows::is_outbound(&mail.parsed, owner, state);
        if told::is_news(role) && !is_outbound {
            received.push((id, thread));
        }
        seen.push(Sighting::new(id, thread, &mail, is_outbound));
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
    told::received(tx, owner, &received, intake).await?;
    let told = own::tie(tx, owner, role, &seen, intake).await?;
    Ok((new, told))
}

/// Finds or makes the thread of each mail. Also answers the threads that took in others: they are to be computed anew.
pub(super) async fn assign_threads(
    tx: &mut DbConn,
    owner: &Mailbox,
    mails: &[(&ParsedMail, Timestamp)],
    intake: &Intake,
) -> QueryResult<(Vec<ThreadId>, BTreeSet<ThreadId>)> {
    let keys: Vec<Vec<String>> = mails.iter().map(|(mail, _)| thread_keys(mail)).collect();
    let known = threads::by_message_ids(tx, owner.org, keys.iter().flatten().map(String::as_str).collect()).await?;
    let union = union(&known, &keys);
    let now = intake.now;
    let merged = absorb(tx, owner, &union.merged, intake).await?;
    let touched: BTreeSet<ThreadId> = union.assigned.iter().filter_map(existing).collect();
    let stored = threads::load(tx, &touched.into_iter().collect::<Vec<_>>()).await?;
    let mut new = HashMap::new();
    let mut id_of = |assigned: &Assigned<ThreadId>| match assigned {
        Assigned::Existing(thread) => *thread,
        Assigned::New(number) => *new.entry(*number).or_insert_with(ThreadId::new),
    };
    let assigned: Vec<ThreadId> = union.assigned.iter().map(&mut id_of).collect();
    let id_rows: Vec<IdRow> = union
        .keys
        .into_iter()
        .filter(|(key, _)| !known.contains_key(key))
        .map(|(message_id, thread)| IdRow { organization_id: owner.org, thread_id: id_of(&thread), message_id })
        .collect();
    let mut digests: BTreeMap<ThreadId, Digest> = BTreeMap::new();
    for ((mail, at), thread) in mails.iter().zip(&assigned) {
        let before = || stored.get(thread).map_or_else(Digest::empty, ThreadRow::digest);
        digests.entry(*thread).or_insert_with(before).add(digest_of(mail, *at));
    }
    let rows = digests.into_iter().map(|(thread, digest)| ThreadRow::new(thread, owner.org, digest, now));
    threads::save(tx, rows.collect()).await?;
    threads::save_ids(tx, id_rows).await?;
    Ok((assigned, merged))
}

fn existing(assigned: &Assigned<ThreadId>) -> Option<ThreadId> {
    match assigned {
        Assigned::Existing(thread) => Some(*thread),
        Assigned::New(_) => None,
    }
}

/// Joins threads that a mail of the batch shows to be one; answers those that took in others.
async fn absorb(
    tx: &mut DbConn,
    owner: &Mailbox,
    merged: &[(ThreadId, ThreadId)],
    intake: &Intake,
) -> QueryResult<BTreeSet<ThreadId>> {
    let mut survivors: BTreeMap<ThreadId, Vec<ThreadId>> = BTreeMap::new();
    for (from, into) in merged {
        survivors.entry(*into).or_default().push(*from);
    }
    for (into, from) in &survivors {
        threads::merge(tx, *into, from, intake.now).await?;
        told::merged(tx, owner, *into, from, intake).await?;
    }
    Ok(survivors.into_keys().collect())
}

fn digest_of(mail: &ParsedMail, at: Timestamp) -> Digest {
    let author = mail.author();
    let people = author.iter().chain(&mail.to);
    let people = people.map(|person| (person.address.as_str(), person.name.as_deref()));
    Digest::of(at, Some(&mail.subject), Some(&mail.snippet), people)
}
