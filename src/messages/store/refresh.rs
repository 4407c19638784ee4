//! Derives the flags of mails from their places again, and keeps the counts of their threads right.

use std::collections::{BTreeSet, HashMap};

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::own;
use super::placement::{Place, State, state};
use super::rows;
use super::threads::{self, IDS, Share};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, email_locations, email_outgoing, emails};
use crate::ids::{AccountId, EmailId, ThreadId};
use crate::messages::model::FolderRole;
use crate::on_conn;

#[derive(Queryable, Selectable)]
#[diesel(table_name = emails)]
struct FlagRow {
    id: EmailId,
    account_id: AccountId,
    thread_id: Option<ThreadId>,
    direction: String,
    status: String,
    received_at: Timestamp,
    is_read: bool,
    is_starred: bool,
    is_archived: bool,
    is_draft: bool,
    is_trashed: bool,
    is_spam: bool,
    deleted_at: Option<Timestamp>,
}

impl FlagRow {
    fn state(&self) -> State {
        State {
            is_read: self.is_read,
            is_starred: self.is_starred,
            is_archived: self.is_archived,
            is_draft: self.is_draft,
            is_trashed: self.is_trashed,
            is_spam: self.is_spam,
        }
    }

    /// The status after a change of place: a draft that was sent elsewhere is one no more, one that was thrown away stays
    /// one. What was written here keeps its own status, unless another program sent it from among its drafts.
    fn status(&self, state: State, places: &[Place], is_own: bool) -> Option<&'static str> {
        let is_draft = self.status == "draft";
        let lies_sent = places.iter().any(|place| place.role == Some(FolderRole::Sent));
        if (is_own && !(is_draft && lies_sent)) || (is_draft && (state.is_trashed || state.is_spam)) {
            return None;
        }
        let status = rows::status(self.direction == "outbound", state.is_draft);
        (matches!(self.status.as_str(), "draft" | "sent" | "delivered") && self.status != status).then_some(status)
    }
}

/// What became of some mails.
#[derive(Debug, Default)]
pub(in crate::messages) struct Outcome {
    /// Those that have another flag now, or came back.
    pub changed: Vec<EmailId>,
    /// Those that lie nowhere any more.
    pub gone: Vec<EmailId>,
}

impl IntoIterator for Outcome {
    type Item = EmailId;
    type IntoIter = std::iter::Chain<std::vec::IntoIter<EmailId>, std::vec::IntoIter<EmailId>>;

    fn into_iter(self) -> Self::IntoIter {
        self.changed.into_iter().chain(self.gone)
    }
}

/// The same change for some mails.
type Change = (State, Option<&'static str>);

/// Brings these mails in step with their places.
pub(in crate::messages) async fn refresh(
    tx: &mut DbConn,
    ids: &BTreeSet<EmailId>,
    now: Timestamp,
) -> QueryResult<Outcome> {
    let ids: Vec<EmailId> = ids.iter().copied().collect();
    let mut outcome = Outcome::default();
    for chunk in ids.chunks(IDS) {
        refresh_chunk(tx, chunk, now, &mut outcome).await?;
    }
    Ok(outcome)
}

async fn refresh_chunk(tx: &mut DbConn, ids: &[EmailId], now: Timestamp, outcome: &mut Outcome) -> QueryResult<()> {
    let query = emails::table.left_join(email_outgoing::table).filter(emails::id.eq_any(ids));
    let outgoing = email_outgoing::email_id.nullable();
    let mails: Vec<(FlagRow, Option<EmailId>)> =
        on_conn!(tx, |c| query.select((FlagRow::as_select(), outgoing)).load(c).await)?;
    let places = places(tx, ids).await?;
    let mut changes: HashMap<Change, Vec<EmailId>> = HashMap::new();
    let mut gone = Vec::new();
    let mut shares = Vec::new();
    let mut rebuild = BTreeSet::new();
    for (mail, outgoing) in &mails {
        let Some(places) = places.get(&mail.id) else {
            if mail.deleted_at.is_none() {
                gone.push((mail.id, mail.thread_id));
            }
            continue;
        };
        let state = state(places);
        if mail.deleted_at.is_some() {
            rebuild.extend(mail.thread_id);
        } else if let Some(thread_id) = mail.thread_id.filter(|_| state.is_read != mail.is_read) {
            shares.push(unread(mail, thread_id, state));
        }
        let status = mail.status(state, places, outgoing.is_some());
        if mail.deleted_at.is_some() || state != mail.state() || status.is_some() {
            changes.entry((state, status)).or_default().push(mail.id);
        }
    }
    for (change, ids) in changes {
        write(tx, &ids, change, now).await?;
        outcome.changed.extend(ids);
    }
    let lost: Vec<EmailId> = gone.iter().map(|(mail, _)| *mail).collect();
    let spared = own::spared(tx, &lost).await?;
    gone.retain(|(mail, _)| !spared.contains(mail));
    rebuild.extend(gone.iter().filter_map(|(_, thread)| *thread));
    let gone: Vec<EmailId> = gone.into_iter().map(|(mail, _)| mail).collect();
    bury(tx, &gone, now).await?;
    outcome.gone.extend(gone);
    threads::add_shares(tx, shares).await?;
    if !rebuild.is_empty() {
        threads::rebuild(tx, &rebuild, now).await?;
    }
    Ok(())
}

fn unread(mail: &FlagRow, thread_id: ThreadId, state: State) -> Share {
    Share {
        account_id: mail.account_id,
        thread_id,
        last_message_at: mail.received_at,
        message_count: 0,
        unread_count: if state.is_read { -1 } else { 1 },
    }
}

async fn places(tx: &mut DbConn, ids: &[EmailId]) -> QueryResult<HashMap<EmailId, Vec<Place>>> {
    let query =
        email_locations::table.inner_join(email_folders::table).filter(email_locations::email_id.eq_any(ids)).select((
            email_locations::email_id,
            email_folders::role,
            email_locations::is_read,
            email_locations::is_starred,
        ));
    let rows: Vec<(EmailId, Option<String>, bool, bool)> = on_conn!(tx, |c| query.load(c).await)?;
    let mut found: HashMap<EmailId, Vec<Place>> = HashMap::new();
    for (email, role, is_read, is_starred) in rows {
        let role = role.as_deref().and_then(FolderRole::parse);
        found.entry(email).or_default().push(Place { role, is_read, is_starred });
    }
    Ok(found)
}

async fn write(tx: &mut DbConn, ids: &[EmailId], change: Change, now: Timestamp) -> QueryResult<()> {
    let (state, status) = change;
    let query = diesel::update(emails::table.filter(emails::id.eq_any(ids))).set((
        emails::is_read.eq(state.is_read),
        emails::is_starred.eq(state.is_starred),
        emails::is_archived.eq(state.is_archived),
        emails::is_draft.eq(state.is_draft),
        emails::is_trashed.eq(state.is_trashed),
        emails::is_spam.eq(state.is_spam),
        emails::deleted_at.eq(None::<Timestamp>),
        emails::updated_at.eq(now),
        emails::synced_at.eq(now),
        status.map(|status| emails::status.eq(status)),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

async fn bury(tx: &mut DbConn, ids: &[EmailId], now: Timestamp) -> QueryResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = diesel::update(emails::table.filter(emails::id.eq_any(ids)))
        .set((emails::deleted_at.eq(Some(now)), emails::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Sets the mark "answered"; answers the mails that had it otherwise.
pub(super) async fn answered(
    tx: &mut DbConn,
    ids: &[EmailId],
    value: bool,
    now: Timestamp,
) -> QueryResult<BTreeSet<EmailId>> {
    let mut changed = BTreeSet::new();
    for chunk in ids.chunks(IDS) {
        let differs = emails::table.filter(emails::id.eq_any(chunk)).filter(emails::is_answered.ne(value));
        let query = diesel::update(differs)
            .set((emails::is_answered.eq(value), emails::updated_at.eq(now)))
            .returning(emails::id);
        let rows: Vec<EmailId> = on_conn!(tx, |c| query.get_results(c).await)?;
        changed.extend(rows);
    }
    Ok(changed)
}
