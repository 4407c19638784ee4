//! Takes over what a provider without UIDs says of its mails (Gmail, Graph): not folder by folder, but each mail as a whole.
//!
//! Each mail has one number in its mailbox, given when it is first seen, which stands where the UID stands elsewhere. Changes
//! of ours that are under way are shielded as everywhere: a place that is expected stays expected until the provider shows
//! it, a place that is to be left stays left, and a flag that a person changed keeps its value.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::incoming::{apply_batch, stored};
use super::location::{Departure, Location};
use super::threads::{self, IDS};
use super::{arrivals, own, refresh, told};
use crate::accounts::take_numbers;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_departures, email_locations, emails};
use crate::ids::{AccountId, EmailId, FolderId, LocationId};
use crate::messages::model::{Applied, IncomingMail, Intake, KnownCopy, Mailbox};
use crate::messages::whole::{Layout, Sighted, Whereabouts};
use crate::messages::written::LOCAL;
use crate::on_conn;

/// The generation of the numbers that are given here: there is only one.
pub(in crate::messages) const GENERATION: u32 = 1;

/// Stores new mails and takes over where these and known ones lie; run it inside the transaction that saves the cursor.
///
/// Each new mail comes with a word about where it lies, and stands for now in the chief of these folders; its number is
/// given here. Doing the same again changes nothing.
pub async fn apply_whole(
    tx: &mut DbConn,
    owner: &Mailbox,
    layout: &Layout,
    mails: Vec<IncomingMail>,
    words: Vec<Sighted>,
    intake: &Intake,
) -> QueryResult<Applied> {
    threads::lock(tx, owner.org).await?;
    let ids: Vec<&str> = mails.iter().map(|mail| mail.external_id.as_str()).collect();
    let known = stored(tx, owner.account, &ids).await?;
    let mut fresh: Vec<IncomingMail> =
        mails.into_iter().filter(|mail| !known.contains_key(&mail.external_id)).collect();
    let own = own::recognise_whole(tx, owner, layout, fresh, &words, intake).await?;
    fresh = own.strangers;
    // Of two versions of a draft the newer one gets the higher number.
    fresh.sort_by_key(|mail| mail.received_at);
    let first = take_numbers(tx, owner.account, u32::try_from(fresh.len()).unwrap_or(u32::MAX)).await?;
    let mut by_folder: BTreeMap<FolderId, Vec<IncomingMail>> = BTreeMap::new();
    for (mail, number) in fresh.into_iter().zip(first..) {
        let mail = IncomingMail { uid: number, uid_validity: GENERATION, ..mail };
        by_folder.entry(mail.folder).or_default().push(mail);
    }
    let mut applied = Applied { changed: own.changed.into_iter().collect(), told: own.told, ..Applied::default() };
    for (folder, mails) in by_folder {
        let part = apply_batch(tx, owner, layout.role(folder), mails, intake).await?;
        applied.new.extend(part.new);
        applied.changed.extend(part.changed);
        applied.told |= part.told;
    }
    let new: BTreeSet<EmailId> = applied.new.iter().map(|(email, _)| *email).collect();
    let moved = settle(tx, owner, layout, words, intake).await?;
    applied.known = moved.known;
    applied.doubtful = moved.doubtful;
    let mut changed: BTreeSet<EmailId> = applied.changed.into_iter().chain(moved.changed).collect();
    changed.retain(|email| !new.contains(email) && !moved.gone.contains(email));
    let gone: BTreeSet<EmailId> = moved.gone.difference(&new).copied().collect();
    told::updated(tx, owner, &changed, intake).await?;
    told::deleted(tx, owner, &gone, intake).await?;
    applied.told |= intake.told && !(new.is_empty() && changed.is_empty() && gone.is_empty());
    applied.changed = changed.into_iter().collect();
    Ok(applied)
}

/// Takes over where known mails lie; those that are not known are passed over.
pub async fn place(
    tx: &mut DbConn,
    owner: &Mailbox,
    layout: &Layout,
    words: Vec<Sighted>,
    intake: &Intake,
) -> QueryResult<Applied> {
    apply_whole(tx, owner, layout, Vec::new(), words, intake).await
}

/// What became of mails.
#[derive(Default)]
struct Moved {
    known: usize,
    changed: BTreeSet<EmailId>,
    gone: BTreeSet<EmailId>,
    doubtful: Vec<String>,
}

async fn settle(
    tx: &mut DbConn,
    owner: &Mailbox,
    layout: &Layout,
    words: Vec<Sighted>,
    intake: &Intake,
) -> QueryResult<Moved> {
    let ids: Vec<&str> = words.iter().map(|word| word.external_id.as_str()).collect();
    let mails = stored(tx, owner.account, &ids).await?;
    let emails: Vec<EmailId> = mails.values().map(|(email, _)| *email).collect();
    let mut books = Books::load(tx, &emails).await?;
    let awaited = own::awaited(tx, &emails).await?;
    let nameless = u32::try_from(emails.iter().filter(|email| books.number(**email).is_none()).count());
    let mut next = take_numbers(tx, owner.account, nameless.unwrap_or(u32::MAX)).await?;
    let mut touched = BTreeSet::new();
    let mut changes = Changes::default();
    let mut doubtful = Vec::new();
    for word in words {
        let Some(&(email, received_at)) = mails.get(&word.external_id) else { continue };
        if word.places != Whereabouts::Gone && books.is_settled_since(email, intake.seen_at) {
            doubtful.push(word.external_id);
            continue;
        }
        touched.insert(email);
        let number = books.number(email).unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        let mut mail = MailBooks {
            account: owner.account,
            email,
            received_at,
            number,
            is_awaited: awaited.contains(&email),
            here: books.here.remove(&email).unwrap_or_default(),
            leaving: books.leaving.remove(&email).unwrap_or_default(),
        };
        mail.take_over(&word, layout, intake, &mut changes);
    }
    let Changes { rows, departures, dead, dead_departures, moved } = changes;
    arrivals::save(tx, rows).await?;
    arrivals::save_departures(tx, departures).await?;
    for chunk in dead.chunks(IDS) {
        let query = diesel::delete(email_locations::table.filter(email_locations::id.eq_any(chunk)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    for chunk in dead_departures.chunks(IDS) {
        let query = diesel::delete(email_departures::table.filter(email_departures::id.eq_any(chunk)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    let outcome = refresh::refresh(tx, &touched, intake.now).await?;
    own::forget_mirrors(tx, &moved.iter().copied().collect::<Vec<_>>(), intake.now).await?;
    let changed = moved.into_iter().chain(outcome.changed).collect();
    Ok(Moved { known: touched.len(), changed, gone: outcome.gone.into_iter().collect(), doubtful })
}

/// The places of some mails, on both sides.
#[derive(Default)]
struct Books {
    here: HashMap<EmailId, Vec<Location>>,
    leaving: HashMap<EmailId, Vec<Departure>>,
}

impl Books {
    async fn load(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<Self> {
        let mut books = Self::default();
        for chunk in emails.chunks(IDS) {
            let query = email_locations::table.filter(email_locations::email_id.eq_any(chunk));
            let rows: Vec<Location> = on_conn!(tx, |c| query.select(Location::as_select()).load(c).await)?;
            rows.into_iter().for_each(|row| books.here.entry(row.email_id).or_default().push(row));
            let query = email_departures::table.filter(email_departures::email_id.eq_any(chunk));
            let rows: Vec<Departure> = on_conn!(tx, |c| query.select(Departure::as_select()).load(c).await)?;
            rows.into_iter().for_each(|row| books.leaving.entry(row.email_id).or_default().push(row));
        }
        Ok(books)
    }

    /// Whether a change of ours was confirmed after this time.
    fn is_settled_since(&self, email: EmailId, time: Timestamp) -> bool {
        self.here.get(&email).into_iter().flatten().any(|row| row.settled_at.is_some_and(|at| at > time))
    }

    /// The number of a mail; of a draft of which a new version came the new one.
    fn number(&self, email: EmailId) -> Option<u32> {
        let here = self.here.get(&email).into_iter().flatten().filter_map(|row| row.uid);
        let leaving = self.leaving.get(&email).into_iter().flatten().map(|row| row.uid);
        here.chain(leaving).max().and_then(|uid| u32::try_from(uid).ok())
    }
}

/// What is to be written.
#[derive(Default)]
struct Changes {
    rows: Vec<Location>,
    departures: Vec<Departure>,
    dead: Vec<LocationId>,
    dead_departures: Vec<LocationId>,
    /// Mails that lie elsewhere now, as people see it.
    moved: BTreeSet<EmailId>,
}

/// The places of one mail.
struct MailBooks {
    account: AccountId,
    email: EmailId,
    received_at: Timestamp,
    number: u32,
    is_awaited: bool,
    here: Vec<Location>,
    leaving: Vec<Departure>,
}

impl MailBooks {
    fn take_over(&mut self, word: &Sighted, layout: &Layout, intake: &Intake, changes: &mut Changes) {
        let mut wanted = self.folders(&word.places, layout);
        let (is_read, is_starred) = self.flags();
        let is_read = word.is_read.unwrap_or(is_read);
        let is_starred = word.is_starred.unwrap_or(is_starred);
        let copy = |folder| KnownCopy {
            folder,
            uid: self.number,
            uid_validity: GENERATION,
            mod_seq: None,
            is_read,
            is_starred,
            is_answered: false,
            external_id: String::new(),
        };
        // What the provider has comes before what is expected, and the newest version of a draft before the older.
        self.here.sort_by_key(|row| std::cmp::Reverse(row.uid));
        for row in &self.here {
            if wanted.remove(&row.folder_id) {
                let mut now = row.clone();
                now.take_over(&copy(row.folder_id), intake);
                if is_other(row, &now) {
                    changes.rows.push(now);
                }
            } else if row.uid.is_some() || self.is_unfound(row, intake) {
                changes.dead.push(row.id);
                changes.moved.insert(self.email);
            }
        }
        for row in &self.leaving {
            if wanted.remove(&row.folder_id) {
                let mut now = row.clone();
                now.take_over(&copy(row.folder_id));
                changes.departures.push(now);
            } else {
                changes.dead_departures.push(row.id);
            }
        }
        for folder in wanted {
            let arrival = arrivals::Arrival { email: self.email, received_at: self.received_at, copy: copy(folder) };
            changes.rows.push(Location::arrived(self.account, &arrival, intake.now));
            changes.moved.insert(self.email);
        }
    }

    /// Where the provider has the mail.
    fn folders(&self, places: &Whereabouts, layout: &Layout) -> BTreeSet<FolderId> {
        match places {
            Whereabouts::Gone => BTreeSet::new(),
            Whereabouts::In(folders) => layout.complete(folders),
            Whereabouts::Moved { into, out_of } => {
                let here = self.here.iter().filter(|row| row.uid.is_some()).map(|row| row.folder_id);
                let mut folders: BTreeSet<FolderId> =
                    here.chain(self.leaving.iter().map(|row| row.folder_id)).collect();
                folders.retain(|folder| !out_of.contains(folder));
                folders.extend(into);
                layout.complete(&folders)
            }
        }
    }

    /// The flags as the provider told them last.
    fn flags(&self) -> (bool, bool) {
        let here = self.here.iter().filter(|row| row.uid.is_some());
        let mut told =
            here.map(|row| (row.server_read.unwrap_or(row.is_read), row.server_starred.unwrap_or(row.is_starred)));
        told.next().or_else(|| self.leaving.iter().next().map(|row| (row.is_read, row.is_starred))).unwrap_or_default()
    }

    /// Whether the provider confirmed the place before it was asked, and does not show it: somebody took the mail away.
    fn is_unfound(&self, row: &Location, intake: &Intake) -> bool {
        !self.is_awaited && row.settled_at.is_some_and(|at| at < intake.seen_at)
    }
}

/// Whether a place is another one than before; most are not, and are not written.
fn is_other(before: &Location, now: &Location) -> bool {
    let said =
        |row: &Location| (row.uid, row.uid_validity, row.is_read, row.is_starred, row.server_read, row.server_starred);
    said(before) != said(now)
}

/// Those of these mails that are stored and lie nowhere: what is only told to have changed on them says not enough.
pub async fn placeless_ids(conn: &mut DbConn, account: AccountId, ids: &[&str]) -> QueryResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for chunk in ids.chunks(IDS) {
        let here = email_locations::table.filter(email_locations::email_id.eq(emails::id));
        let leaving = email_departures::table.filter(email_departures::email_id.eq(emails::id));
        let query = emails::table
            .filter(emails::account_id.eq(account))
            .filter(emails::external_id.eq_any(chunk))
            .filter(diesel::dsl::not(diesel::dsl::exists(here)))
            .filter(diesel::dsl::not(diesel::dsl::exists(leaving)))
            .select(emails::external_id);
        let rows: Vec<String> = on_conn!(conn, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// Those of these mails that the provider has in one of these folders, as far as is known.
pub async fn placed_in(
    conn: &mut DbConn,
    account: AccountId,
    folders: &[FolderId],
    ids: &[&str],
) -> QueryResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for chunk in ids.chunks(IDS) {
        let here = email_locations::table
            .filter(email_locations::email_id.eq(emails::id))
            .filter(email_locations::folder_id.eq_any(folders))
            .filter(email_locations::uid.is_not_null());
        let leaving = email_departures::table
            .filter(email_departures::email_id.eq(emails::id))
            .filter(email_departures::folder_id.eq_any(folders));
        let query = emails::table
            .filter(emails::account_id.eq(account))
            .filter(emails::external_id.eq_any(chunk))
            .filter(diesel::dsl::exists(here).or(diesel::dsl::exists(leaving)))
            .select(emails::external_id);
        let rows: Vec<String> = on_conn!(conn, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// A page of the mails of a mailbox that the provider has somewhere since before a time, in the order of their ids.
pub async fn placed_ids(
    conn: &mut DbConn,
    account: AccountId,
    before: Timestamp,
    after: Option<EmailId>,
    limit: u32,
) -> QueryResult<Vec<(EmailId, String)>> {
    let after = after.unwrap_or_else(|| EmailId::from_uuid(uuid::Uuid::nil()));
    let here = email_locations::table
        .filter(email_locations::email_id.eq(emails::id))
        .filter(email_locations::uid.is_not_null())
        .filter(email_locations::created_at.lt(before));
    let query = emails::table
        .filter(emails::account_id.eq(account))
        .filter(emails::id.gt(after))
        .filter(diesel::TextExpressionMethods::not_like(emails::external_id, format!("{LOCAL}%")))
        .filter(diesel::dsl::exists(here))
        .order(emails::id)
        .limit(limit.into())
        .select((emails::id, emails::external_id));
    on_conn!(conn, |c| query.load(c).await)
}
