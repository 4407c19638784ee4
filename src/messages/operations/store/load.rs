//! What a change looks at: the mails that a person means, their places, and what the journal says of them.

use std::collections::{BTreeMap, HashMap};

use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::super::model::{Change, Fields, Former, FormerPlace, OperationState};
use super::super::undo::Later;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, emails, mailbox_operation_items as items, mailbox_operations as operations};
use crate::db::types::Json;
use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId, OperationId, OrgId, ThreadId, UserId};
use crate::messages::store::threads::IDS;
use crate::on_conn;

/// A mail that is to be changed.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = emails)]
pub(in crate::messages::operations) struct Mail {
    pub id: EmailId,
    pub account_id: AccountId,
    pub direction: String,
    pub is_draft: bool,
    pub received_at: Timestamp,
}

/// Those of these mails that are the person's own and are there.
pub(in crate::messages::operations) async fn mails(
    tx: &mut DbConn,
    access: &Access,
    ids: &[EmailId],
) -> QueryResult<Vec<Mail>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS) {
        let query = emails::table
            .filter(emails::id.eq_any(chunk))
            .filter(emails::user_id.eq(access.user))
            .filter(emails::organization_id.eq(access.org))
            .filter(emails::deleted_at.is_null());
        let rows: Vec<Mail> = on_conn!(tx, |c| query.select(Mail::as_select()).load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The person's own mails of a conversation.
pub(in crate::messages::operations) async fn mails_of_thread(
    tx: &mut DbConn,
    access: &Access,
    thread: ThreadId,
) -> QueryResult<Vec<Mail>> {
    let query = emails::table
        .filter(emails::thread_id.eq(thread))
        .filter(emails::user_id.eq(access.user))
        .filter(emails::organization_id.eq(access.org))
        .filter(emails::deleted_at.is_null());
    on_conn!(tx, |c| query.select(Mail::as_select()).load(c).await)
}

/// Whom facts about these mails concern, with their conversations.
pub(in crate::messages::operations) async fn about(
    tx: &mut DbConn,
    ids: &[EmailId],
) -> QueryResult<HashMap<EmailId, (AccountRef, Option<ThreadId>)>> {
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(IDS) {
        let query = emails::table.filter(emails::id.eq_any(chunk)).select((
            emails::id,
            emails::organization_id,
            emails::user_id,
            emails::account_id,
            emails::thread_id,
        ));
        type Row = (EmailId, OrgId, UserId, AccountId, Option<ThreadId>);
        let rows: Vec<Row> = on_conn!(tx, |c| query.load(c).await)?;
        let about = |(id, org, user, account, thread)| (id, (AccountRef { org, user, account }, thread));
        found.extend(rows.into_iter().map(about));
    }
    Ok(found)
}

/// When these mails were received.
pub(super) async fn received(tx: &mut DbConn, ids: &[EmailId]) -> QueryResult<HashMap<EmailId, Timestamp>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = emails::table.filter(emails::id.eq_any(chunk)).select((emails::id, emails::received_at));
        let rows: Vec<(EmailId, Timestamp)> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The person's mailboxes, each with the time when it was removed though its mail was kept.
pub(in crate::messages::operations) async fn accounts(
    tx: &mut DbConn,
    access: &Access,
) -> QueryResult<BTreeMap<AccountId, Option<Timestamp>>> {
    let query = email_accounts::table
        .filter(email_accounts::user_id.eq(access.user))
        .filter(email_accounts::organization_id.eq(access.org))
        .select((email_accounts::id, email_accounts::removed_at));
    let rows: Vec<(AccountId, Option<Timestamp>)> = on_conn!(tx, |c| query.load(c).await)?;
    Ok(rows.into_iter().collect())
}

/// What the journal says of where mails came from.
#[derive(Debug, Default)]
pub(in crate::messages::operations) struct History {
    pub before_archive: HashMap<EmailId, Vec<FormerPlace>>,
    pub before_trash: HashMap<EmailId, Vec<FormerPlace>>,
}

/// Where these mails lay before they were last archived and trashed here.
pub(in crate::messages::operations) async fn history(tx: &mut DbConn, ids: &[EmailId]) -> QueryResult<History> {
    let mut history = History::default();
    for chunk in ids.chunks(IDS) {
        let query = items::table
            .inner_join(operations::table)
            .filter(items::email_id.eq_any(chunk))
            .filter(operations::kind.eq_any(["archive", "trash", "batch"]))
            .filter(items::state.ne(OperationState::Failed.as_str()))
            .filter(items::state.ne(OperationState::Undone.as_str()))
            .order(operations::id.desc())
            .select((items::email_id, items::before, operations::changes));
        let rows: Vec<(EmailId, Json, Json)> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, before, changes) in rows {
            let Ok(change) = serde_json::from_value::<Change>(changes.0) else { continue };
            let former = former(before);
            // An operation that found the mail where it was to be tells nothing of where it came from.
            if !former.changed.places {
                continue;
            }
            if change.is_archived == Some(true) {
                history.before_archive.entry(email).or_insert_with(|| former.places.clone());
            }
            if change.trash == Some(true) {
                history.before_trash.entry(email).or_insert(former.places);
            }
        }
    }
    Ok(history)
}

fn former(stored: Json) -> Former {
    serde_json::from_value(stored.0).unwrap_or_default()
}

fn state(stored: &str) -> OperationState {
    OperationState::parse(stored).unwrap_or(OperationState::Failed)
}

/// An operation that is to be taken back.
#[derive(Debug)]
pub(in crate::messages::operations) struct Target {
    pub state: OperationState,
    pub items: Vec<TargetItem>,
}

/// One mail's part of it.
#[derive(Debug)]
pub(in crate::messages::operations) struct TargetItem {
    pub email: EmailId,
    pub account: AccountId,
    pub state: OperationState,
    pub former: Former,
}

/// Reads an operation of a person.
pub(in crate::messages::operations) async fn target(
    tx: &mut DbConn,
    access: &Access,
    id: OperationId,
) -> QueryResult<Target> {
    let query = operations::table
        .find(id)
        .filter(operations::organization_id.eq(access.org))
        .filter(operations::created_by.eq(access.user))
        .select(operations::state);
    let word: String = on_conn!(tx, |c| query.first(c).await)?;
    let query = items::table.filter(items::operation_id.eq(id)).order(items::email_id).select((
        items::email_id,
        items::account_id,
        items::state,
        items::before,
    ));
    let rows: Vec<(EmailId, AccountId, String, Json)> = on_conn!(tx, |c| query.load(c).await)?;
    let item = |(email, account, word, before): (EmailId, AccountId, String, Json)| TargetItem {
        email,
        account,
        state: state(&word),
        former: former(before),
    };
    Ok(Target { state: state(&word), items: rows.into_iter().map(item).collect() })
}

/// The operations after this one on each of these mails, as far as they changed something.
pub(in crate::messages::operations) async fn later(
    tx: &mut DbConn,
    id: OperationId,
    emails: &[EmailId],
) -> QueryResult<HashMap<EmailId, Vec<Later>>> {
    let mut found: HashMap<EmailId, Vec<Later>> = HashMap::new();
    for chunk in emails.chunks(IDS) {
        let query = items::table
            .inner_join(operations::table)
            .filter(items::email_id.eq_any(chunk).and(items::operation_id.gt(id)))
            .select((items::email_id, items::operation_id, items::state, items::before, operations::changes));
        type Row = (EmailId, OperationId, String, Json, Json);
        let rows: Vec<Row> = on_conn!(tx, |c| query.load(c).await)?;
        for (email, operation, word, before, changes) in rows {
            let changed = former(before).changed;
            if changed != Fields::default() {
                let undoes = changes.0.get("undo").and_then(|id| id.as_str()?.parse().ok());
                found.entry(email).or_default().push(Later { operation, undoes, changed, state: state(&word) });
            }
        }
    }
    Ok(found)
}
