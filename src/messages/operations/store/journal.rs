//! Writes operations and their items, and keeps the state of an operation in step with its items.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::super::model::{Fields, Former, OperationChange, OperationState};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{mailbox_operation_items as items, mailbox_operations as operations};
use crate::db::types::Json;
use crate::ids::{AccountId, EmailId, OperationId, OrgId, UserId};
use crate::messages::store::threads::IDS;
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = operations, treat_none_as_default_value = false)]
struct NewOperation {
    id: OperationId,
    organization_id: OrgId,
    created_by: Option<UserId>,
    kind: String,
    changes: Json,
    state: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
    confirmed_at: Option<Timestamp>,
}

#[derive(Insertable)]
#[diesel(table_name = items, treat_none_as_default_value = false)]
struct NewItem {
    operation_id: OperationId,
    email_id: EmailId,
    account_id: AccountId,
    before: Json,
    state: &'static str,
    next_attempt_at: Option<Timestamp>,
    updated_at: Timestamp,
    todo: Json,
}

/// A change that a person asked for, to be written.
#[derive(Debug, Clone)]
pub(in crate::messages::operations) struct Entry {
    pub id: OperationId,
    pub org: OrgId,
    pub user: UserId,
    pub kind: &'static str,
    pub changes: Json,
}

/// One mail's part of it.
#[derive(Debug, Clone)]
pub(in crate::messages::operations) struct EntryItem {
    pub email: EmailId,
    pub account: AccountId,
    pub before: Former,
    /// What is still to be carried out.
    pub todo: Fields,
    pub state: OperationState,
}

/// Writes an operation with its items; answers its state.
pub(in crate::messages::operations) async fn write(
    tx: &mut DbConn,
    entry: Entry,
    parts: Vec<EntryItem>,
    now: Timestamp,
) -> QueryResult<OperationState> {
    let state = OperationState::of_items(parts.iter().map(|part| part.state));
    let id = entry.id;
    let row = NewOperation {
        id,
        organization_id: entry.org,
        created_by: Some(entry.user),
        kind: entry.kind.to_owned(),
        changes: entry.changes,
        state: state.as_str(),
        created_at: now,
        updated_at: now,
        confirmed_at: (state == OperationState::Confirmed).then_some(now),
    };
    insert_rows!(tx, operations::table, vec![row])?;
    let mut rows = Vec::with_capacity(parts.len());
    for part in parts {
        rows.push(NewItem {
            operation_id: id,
            email_id: part.email,
            account_id: part.account,
            before: Json(serde_json::to_value(&part.before).unwrap_or_default()),
            state: part.state.as_str(),
            next_attempt_at: (part.state == OperationState::Pending).then_some(now),
            updated_at: now,
            todo: part.todo.stored(),
        });
    }
    insert_rows!(tx, items::table, rows)?;
    Ok(state)
}

type PendingRow = (OperationId, EmailId, Json);

async fn pending(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<Vec<PendingRow>> {
    let mut found = Vec::new();
    for chunk in emails.chunks(IDS) {
        let query = items::table
            .filter(items::email_id.eq_any(chunk))
            .filter(items::state.eq(OperationState::Pending.as_str()))
            .select((items::operation_id, items::email_id, items::todo));
        let rows: Vec<PendingRow> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// What pending items are still about, by mail.
pub(super) async fn pending_fields(tx: &mut DbConn, emails: &[EmailId]) -> QueryResult<HashMap<EmailId, Fields>> {
    let mut found: HashMap<EmailId, Fields> = HashMap::new();
    for (_, email, todo) in pending(tx, emails).await? {
        let fields = found.entry(email).or_default();
        *fields = fields.or(Fields::read(todo));
    }
    Ok(found)
}

/// Takes fields out of what pending items have still to do, since a new change is about them. An item with nothing left
/// is superseded. Answers the operations whose state changed.
pub(in crate::messages::operations) async fn supersede(
    tx: &mut DbConn,
    changed: &BTreeMap<EmailId, Fields>,
    now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    let emails: Vec<EmailId> = changed.keys().copied().collect();
    let mut groups: BTreeMap<OperationId, HashMap<Fields, Vec<EmailId>>> = BTreeMap::new();
    for (operation, email, todo) in pending(tx, &emails).await? {
        let before = Fields::read(todo);
        let after = before.without(changed.get(&email).copied().unwrap_or_default());
        if after != before {
            groups.entry(operation).or_default().entry(after).or_default().push(email);
        }
    }
    for (operation, by_fields) in &groups {
        for (left, emails) in by_fields {
            let state = if left.is_empty() { OperationState::Superseded } else { OperationState::Pending };
            let set = (items::todo.eq(left.stored()), items::state.eq(state.as_str()), items::updated_at.eq(now));
            for emails in emails.chunks(IDS) {
                let those =
                    items::table.filter(items::operation_id.eq(operation)).filter(items::email_id.eq_any(emails));
                on_conn!(tx, |c| diesel::update(those).set(set.clone()).execute(c).await)?;
            }
        }
    }
    sum_up(tx, &groups.into_keys().collect(), now).await
}

/// Marks items of an operation, and the operation itself, as taken back.
pub(in crate::messages::operations) async fn mark_undone(
    tx: &mut DbConn,
    operation: OperationId,
    emails: &[EmailId],
    now: Timestamp,
) -> QueryResult<()> {
    let undone = OperationState::Undone.as_str();
    for chunk in emails.chunks(IDS) {
        let those = items::table.filter(items::operation_id.eq(operation)).filter(items::email_id.eq_any(chunk));
        let query = diesel::update(those).set((
            items::state.eq(undone),
            items::todo.eq(Fields::default().stored()),
            items::next_attempt_at.eq(None::<Timestamp>),
            items::updated_at.eq(now),
        ));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    let query = diesel::update(operations::table.find(operation))
        .set((operations::state.eq(undone), operations::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

type ItemState = (OperationId, EmailId, String, Option<String>, Option<String>);

/// Brings the state of operations in step with their items: the state itself, when it was confirmed, and the error of the
/// first item that has one. Answers those whose state changed. What was taken back stays so.
pub(super) async fn sum_up(
    tx: &mut DbConn,
    ids: &BTreeSet<OperationId>,
    now: Timestamp,
) -> QueryResult<Vec<OperationChange>> {
    let ids: Vec<OperationId> = ids.iter().copied().collect();
    let mut changes = Vec::new();
    for chunk in ids.chunks(IDS) {
        let query = operations::table
            .filter(operations::id.eq_any(chunk))
            .order(operations::id)
            .select((operations::id, operations::state));
        let stored: Vec<(OperationId, String)> = on_conn!(tx, |c| query.load(c).await)?;
        let query = items::table
            .filter(items::operation_id.eq_any(chunk))
            .order((items::operation_id, items::email_id))
            .select((items::operation_id, items::email_id, items::state, items::error_code, items::error_message));
        let rows: Vec<ItemState> = on_conn!(tx, |c| query.load(c).await)?;
        let mut by_operation: HashMap<OperationId, Vec<ItemState>> = HashMap::new();
        for row in rows {
            by_operation.entry(row.0).or_default().push(row);
        }
        for (id, before) in stored {
            let before = OperationState::parse(&before).unwrap_or(OperationState::Pending);
            if before == OperationState::Undone {
                continue;
            }
            let state = write_state(tx, (id, before), by_operation.remove(&id).unwrap_or_default(), now).await?;
            if state != before {
                changes.push(OperationChange { operation: id, state });
            }
        }
    }
    Ok(changes)
}

async fn write_state(
    tx: &mut DbConn,
    (id, before): (OperationId, OperationState),
    rows: Vec<ItemState>,
    now: Timestamp,
) -> QueryResult<OperationState> {
    let state_of = |row: &ItemState| OperationState::parse(&row.2).unwrap_or(OperationState::Pending);
    let state = OperationState::of_items(rows.iter().map(state_of));
    // An item that failed says more than one that waits for another try.
    let failed = rows.iter().find(|row| state_of(row) == OperationState::Failed && row.3.is_some());
    let told = failed.or_else(|| rows.iter().find(|row| state_of(row) == OperationState::Pending && row.3.is_some()));
    let (code, message) = told.map_or((None, None), |row| (row.3.clone(), row.4.clone()));
    let confirmed = (state == OperationState::Confirmed).then_some(now);
    let query = diesel::update(operations::table.find(id)).set((
        operations::state.eq(state.as_str()),
        operations::error_code.eq(code),
        operations::error_message.eq(message),
        (state != before).then(|| operations::confirmed_at.eq(confirmed)),
        operations::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(state)
}
