//! How items end: confirmed, tried again, or failed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::facts;
use super::super::model::{Fields, ItemKey, OperationChange, OperationState};
use super::super::revert::{Reverted, revert};
use super::journal;
use super::load;
use super::places::{self, Departure, Location};
use super::shields;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::mailbox_operation_items as items;
use crate::db::types::Json;
use crate::ids::{EmailId, OperationId};
use crate::messages::store::refresh::refresh;
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// The pending items of an operation for these mails.
macro_rules! pending {
    ($operation:expr, $emails:expr) => {
        items::table
            .filter(items::operation_id.eq($operation).and(items::email_id.eq_any($emails)))
            .filter(items::state.eq(OperationState::Pending.as_str()))
    };
}

/// The provider has what these items asked for. Answers the operations whose state changed.
///
/// An item that is pending no more (a later change took its place, or a person took it back) stays as it is. One whose
/// mail still is, or is again, other at the provider than it is wanted stays pending and is soon looked at again.
pub async fn confirm(tx: &mut DbConn, keys: &[ItemKey], now: Timestamp) -> QueryResult<Vec<OperationChange>> {
    lock(tx, keys).await?;
    let emails: Vec<EmailId> = keys.iter().map(|key| key.email).collect();
    let differing = shields::differing(tx, &emails).await?;
    let again = now + Duration::seconds(1);
    for (operation, emails) in by_operation(keys) {
        let query = pending!(operation, &emails).select((items::email_id, items::todo));
        let rows: Vec<(EmailId, Json)> = on_conn!(tx, |c| query.load(c).await)?;
        let is_done = |(email, todo): &(EmailId, Json)| {
            let open = differing.get(email).copied().unwrap_or_default();
            Fields::read(todo.clone()).and(open).is_empty()
        };
        let (done, open): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_done);
        let ids = |rows: Vec<(EmailId, Json)>| rows.into_iter().map(|(email, _)| email).collect::<Vec<EmailId>>();
        let (done, open) = (ids(done), ids(open));
        for emails in open.chunks(IDS) {
            let query = diesel::update(pending!(operation, emails))
                .set((items::attempts.eq(items::attempts + 1), items::next_attempt_at.eq(Some(again))));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
        for emails in done.chunks(IDS) {
            let query = diesel::update(pending!(operation, emails)).set((
                items::state.eq(OperationState::Confirmed.as_str()),
                items::todo.eq(Fields::default().stored()),
                items::next_attempt_at.eq(None::<Timestamp>),
                items::error_code.eq(None::<String>),
                items::error_message.eq(None::<String>),
                items::updated_at.eq(now),
            ));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
    }
    shields::drop_idle(tx, &emails).await?;
    journal::sum_up(tx, &operations_of(keys), now).await
}

/// These items could not be carried out now and are tried again later; the operation says why it waits.
pub async fn retry_later(
    tx: &mut DbConn,
    keys: &[ItemKey],
    code: &str,
    message: &str,
    at: Timestamp,
    now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    lock(tx, keys).await?;
    for (operation, emails) in by_operation(keys) {
        for emails in emails.chunks(IDS) {
            let query = diesel::update(pending!(operation, emails)).set((
                items::attempts.eq(items::attempts + 1),
                items::next_attempt_at.eq(Some(at)),
                items::error_code.eq(Some(code)),
                items::error_message.eq(Some(message.replace('\0', ""))),
                items::updated_at.eq(now),
            ));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
    }
    journal::sum_up(tx, &operations_of(keys), now).await
}

/// These items cannot be carried out: what they asked for is taken back here, so that people see what the provider has.
///
/// A field that a later pending item of the same mail is about stays as that one wants it.
pub async fn fail(
    tx: &mut DbConn,
    keys: &[ItemKey],
    code: &str,
    message: &str,
    now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    lock(tx, keys).await?;
    let mut lost: BTreeMap<EmailId, Fields> = BTreeMap::new();
    for (operation, emails) in by_operation(keys) {
        for emails in emails.chunks(IDS) {
            let query = pending!(operation, emails).select((items::email_id, items::todo));
            let rows: Vec<(EmailId, Json)> = on_conn!(tx, |c| query.load(c).await)?;
            for (email, todo) in rows {
                let fields = lost.entry(email).or_default();
                *fields = fields.or(Fields::read(todo));
            }
            let query = diesel::update(pending!(operation, emails)).set((
                items::state.eq(OperationState::Failed.as_str()),
                items::todo.eq(Fields::default().stored()),
                items::attempts.eq(items::attempts + 1),
                items::next_attempt_at.eq(None::<Timestamp>),
                items::error_code.eq(Some(code)),
                items::error_message.eq(Some(message.replace('\0', ""))),
                items::updated_at.eq(now),
            ));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
    }
    take_back(tx, lost, now).await?;
    journal::sum_up(tx, &operations_of(keys), now).await
}

async fn lock(tx: &mut DbConn, keys: &[ItemKey]) -> QueryResult<()> {
    match keys.first() {
        Some(key) => places::lock_for(tx, key.email).await,
        None => Ok(()),
    }
}

fn by_operation(keys: &[ItemKey]) -> BTreeMap<OperationId, Vec<EmailId>> {
    let mut found: BTreeMap<OperationId, Vec<EmailId>> = BTreeMap::new();
    for key in keys {
        found.entry(key.operation).or_default().push(key.email);
    }
    found
}

fn operations_of(keys: &[ItemKey]) -> BTreeSet<OperationId> {
    keys.iter().map(|key| key.operation).collect()
}

/// Brings these fields of mails back to what the provider has.
async fn take_back(tx: &mut DbConn, mut lost: BTreeMap<EmailId, Fields>, now: Timestamp) -> QueryResult<()> {
    let emails: Vec<EmailId> = lost.keys().copied().collect();
    let wanted = journal::pending_fields(tx, &emails).await?;
    let received = load::received(tx, &emails).await?;
    let mut locations = group(places::locations(tx, &emails).await?, |row: &Location| row.email_id);
    let mut departures = group(places::departures(tx, &emails).await?, |row: &Departure| row.email_id);
    let mut all = Reverted::default();
    for (email, fields) in &lost {
        let others = wanted.get(email).copied().unwrap_or_default();
        let Some(received_at) = received.get(email).copied() else { continue };
        let here = locations.remove(email).unwrap_or_default();
        let gone = departures.remove(email).unwrap_or_default();
        all.add(revert(here, gone, fields.without(others), others, received_at));
    }
    places::delete_locations(tx, &all.vanish).await?;
    let back: Vec<_> = all.come_back.iter().map(|row| row.id).collect();
    places::delete_departures(tx, &back).await?;
    places::insert_locations(tx, all.come_back).await?;
    for ((flag, value), ids) in all.flags {
        places::set_flag(tx, &ids, flag, value, None).await?;
    }
    let touched: BTreeSet<EmailId> = emails.iter().copied().collect();
    let outcome = refresh(tx, &touched, now).await?;
    let gone: BTreeSet<EmailId> = outcome.gone.into_iter().collect();
    lost.retain(|email, fields| !gone.contains(email) && !fields.is_empty());
    facts::deleted(tx, &gone, now).await?;
    facts::updated(tx, &lost, now).await
}

fn group<T>(rows: Vec<T>, key: impl Fn(&T) -> EmailId) -> BTreeMap<EmailId, Vec<T>> {
    let mut found: BTreeMap<EmailId, Vec<T>> = BTreeMap::new();
    for row in rows {
        found.entry(key(&row)).or_default().push(row);
    }
    found
}
