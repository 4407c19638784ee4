//! Applies a change here, in one transaction: places, journal, what derives from them, and the audit log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::check;
use super::facts;
use super::ground::Ground;
use super::model::{Change, Fields, Former, FormerPlace, OperationChange, OperationState};
use super::plan::{self, Breadth, Goal, Past, Row, Step};
use super::store::apply::{self, Work};
use super::store::journal::{self, Entry, EntryItem};
use super::store::load::{self, Mail};
use super::store::places::Location;
use super::undo;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::types::Json;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::AccountRef;
use crate::identity::{Actor, Record, audit};
use crate::ids::{AccountId, EmailId, LocationId, OperationId, ThreadId};
use crate::messages::store::{refresh, threads};

/// Which mails a person means.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    Mail(EmailId),
    Mails(BTreeSet<EmailId>),
    /// All of the person's mails in a conversation.
    Thread(ThreadId),
}

/// What came of a change.
#[derive(Debug)]
pub(super) struct Done {
    pub operation: OperationId,
    /// The mailboxes whose provider is to learn of it.
    pub queued: Vec<AccountRef>,
}

/// What is to be done with one mail.
struct Planned {
    mail: Mail,
    steps: Vec<Step>,
    changed: Fields,
    todo: Fields,
}

/// A mail that takes no part in an undo.
struct Passed {
    email: EmailId,
    account: AccountId,
}

/// Does what a person wants.
pub(super) async fn change(
    tx: &mut DbConn,
    access: &Access,
    selection: &Selection,
    change: Change,
    now: Timestamp,
) -> ApiResult<Done> {
    threads::lock(tx, access.org).await?;
    let mails = chosen(tx, access, selection).await?;
    let ground = Ground::load(tx, access, &mails).await?;
    ground.check(tx, access, &mails, &change).await?;
    let breadth = match selection {
        Selection::Thread(_) if ground.any_in_inbox(&mails) => Breadth::Inbox,
        Selection::Thread(_) => Breadth::Thread,
        _ => Breadth::Mail,
    };
    let comes_back = change.is_archived == Some(false) || change.trash == Some(false);
    let ids: Vec<EmailId> = mails.iter().map(|mail| mail.id).collect();
    let mut history = if comes_back { load::history(tx, &ids).await? } else { load::History::default() };
    let mut planned = Vec::with_capacity(mails.len());
    for mail in mails {
        let past = Past {
            before_archive: history.before_archive.remove(&mail.id),
            before_trash: history.before_trash.remove(&mail.id),
            ..past(&mail)
        };
        let rows = ground.rows(&mail);
        let goals = plan::goal(&rows, &change, breadth, ground.folders(mail.account_id), &past);
        let steps = plan::steps(&rows, goals);
        let changed = changed(&rows, &change, &steps);
        planned.push(Planned { mail, todo: todo(&rows, &steps, changed), steps, changed });
    }
    let changes = serde_json::to_value(&change).map_err(ApiError::internal)?;
    let order = Order { kind: check::kind(&change), changes, action: "mail.changed", undone: Vec::new() };
    finish(tx, access, ground, order, (planned, Vec::new()), now).await
}

fn past(mail: &Mail) -> Past {
    Past { is_outbound: mail.direction == "outbound", is_draft: mail.is_draft, ..Past::default() }
}

async fn chosen(tx: &mut DbConn, access: &Access, selection: &Selection) -> ApiResult<Vec<Mail>> {
    let (wanted, mut found) = match selection {
        Selection::Mail(id) => (1, load::mails(tx, access, &[*id]).await?),
        Selection::Mails(ids) => {
            let ids: Vec<EmailId> = ids.iter().copied().collect();
            (ids.len(), load::mails(tx, access, &ids).await?)
        }
        Selection::Thread(id) => (1, load::mails_of_thread(tx, access, *id).await?),
    };
    if found.len() < wanted {
        return Err(ApiError::not_found());
    }
    found.sort_by_key(|mail| mail.id);
    Ok(found)
}

/// What a change makes different of a mail.
fn changed(rows: &[Row], change: &Change, steps: &[Step]) -> Fields {
    Fields {
        is_read: change.is_read.is_some_and(|wanted| rows.iter().any(|row| row.is_read != wanted)),
        is_starred: change.is_starred.is_some_and(|wanted| rows.iter().any(|row| row.is_starred != wanted)),
        places: moves(steps),
    }
}

fn moves(steps: &[Step]) -> bool {
    steps.iter().any(|step| !matches!(step, Step::Flags { .. }))
}

/// What is to be carried out. Where copies of a mail had other flags than the place that they come to, the flags as well:
/// the provider may bring there any of them.
fn todo(rows: &[Row], steps: &[Step], changed: Fields) -> Fields {
    if changed.is_empty() {
        return changed;
    }
    let arriving = |differs: fn(&Row, &Goal) -> bool| {
        steps.iter().any(|step| match step {
            Step::Expect(goal) => rows.iter().any(|row| differs(row, goal)),
            _ => false,
        })
    };
    changed.or(Fields {
        is_read: arriving(|row, goal| row.is_read != goal.is_read),
        is_starred: arriving(|row, goal| row.is_starred != goal.is_starred),
        places: false,
    })
}

/// Takes an operation back as far as nothing later stands in the way.
pub(super) async fn undo(tx: &mut DbConn, access: &Access, id: OperationId, now: Timestamp) -> ApiResult<Done> {
    threads::lock(tx, access.org).await?;
    let target = load::target(tx, access, id).await?;
    if target.state == OperationState::Undone {
        return Err(conflict("This change was taken back already."));
    }
    let is_open = |state| !matches!(state, OperationState::Failed | OperationState::Undone);
    let parts: BTreeMap<EmailId, load::TargetItem> = target
        .items
        .into_iter()
        .filter(|item| !item.former.changed.is_empty() && is_open(item.state))
        .map(|item| (item.email, item))
        .collect();
    if parts.is_empty() {
        return Err(conflict(match target.state {
            OperationState::Failed => "This change failed: the mail is as it was before already.",
            _ => "This change changed nothing, so there is nothing to take back.",
        }));
    }
    let ids: Vec<EmailId> = parts.keys().copied().collect();
    let later = load::later(tx, id, &ids).await?;
    let free = |item: &&load::TargetItem| {
        !later.get(&item.email).is_some_and(|later| undo::is_overtaken(item.former.changed, later))
    };
    let free: Vec<EmailId> = parts.values().filter(free).map(|item| item.email).collect();
    if free.is_empty() {
        return Err(conflict("Later changes of the same mail took its place. Take those back first."));
    }
    let mails = load::mails(tx, access, &free).await?;
    if mails.is_empty() {
        return Err(conflict("The mail was deleted at the provider since, so it cannot come back."));
    }
    let ground = Ground::load(tx, access, &mails).await?;
    let planned = taken_back(&ground, mails, &parts);
    let undone: BTreeSet<EmailId> = planned.iter().map(|planned| planned.mail.id).collect();
    let passed = parts.values().filter(|item| !undone.contains(&item.email));
    let passed = passed.map(|item| Passed { email: item.email, account: item.account }).collect();
    journal::mark_undone(tx, id, &undone.into_iter().collect::<Vec<_>>(), now).await?;
    let undone = vec![OperationChange { operation: id, state: OperationState::Undone }];
    let order = Order { kind: "undo", changes: json!({ "undo": id }), action: "mail.change_undone", undone };
    finish(tx, access, ground, order, (planned, passed), now).await
}

fn taken_back(ground: &Ground, mails: Vec<Mail>, parts: &BTreeMap<EmailId, load::TargetItem>) -> Vec<Planned> {
    let plan = |mail: Mail| {
        let former = &parts.get(&mail.id)?.former;
        let rows = ground.rows(&mail);
        let goals = plan::former_goal(&rows, former, ground.folders(mail.account_id), &past(&mail));
        let steps = plan::steps(&rows, goals);
        let flags = steps.iter().any(|step| !matches!(step, Step::Leave(_)));
        let changed = Fields {
            is_read: former.changed.is_read && flags,
            is_starred: former.changed.is_starred && flags,
            places: moves(&steps),
        };
        Some(Planned { mail, todo: todo(&rows, &steps, changed), steps, changed })
    };
    mails.into_iter().filter_map(plan).collect()
}

fn conflict(detail: &str) -> ApiError {
    ApiError::new(ErrorCode::Conflict, detail)
}

/// How the journal and the audit log name a change.
struct Order {
    kind: &'static str,
    changes: Value,
    action: &'static str,
    /// The operation that it takes back.
    undone: Vec<OperationChange>,
}

/// Writes it all.
async fn finish(
    tx: &mut DbConn,
    access: &Access,
    mut ground: Ground,
    order: Order,
    (planned, passed): (Vec<Planned>, Vec<Passed>),
    now: Timestamp,
) -> ApiResult<Done> {
    let mut works = Vec::with_capacity(planned.len());
    let mut items = Vec::with_capacity(planned.len() + passed.len());
    let mut changed = BTreeMap::new();
    for Planned { mail, steps, changed: fields, todo } in planned {
        items.push(item(&mail, ground.locations(mail.id), fields, todo));
        if !fields.is_empty() {
            changed.insert(mail.id, fields);
            works.push(work(tx, &mut ground, &mail, steps, now).await?);
        }
    }
    let superseded = |Passed { email, account }| EntryItem {
        email,
        account,
        before: Former::default(),
        todo: Fields::default(),
        state: OperationState::Superseded,
    };
    items.extend(passed.into_iter().map(superseded));
    let count = items.len();
    let waiting = items.iter().filter(|item| item.state == OperationState::Pending);
    let queued: BTreeSet<AccountId> = waiting.map(|item| item.account).collect();
    let superseded = journal::supersede(tx, &changed, now).await?;
    apply::apply(tx, works, now).await?;
    let id = OperationId::new();
    let entry = Entry { id, org: access.org, user: access.user, kind: order.kind, changes: Json(order.changes) };
    journal::write(tx, entry, items, now).await?;
    refresh::refresh(tx, &changed.keys().copied().collect(), now).await?;
    facts::updated(tx, &changed, now).await?;
    let reference = |account| AccountRef { org: access.org, user: access.user, account };
    let queued: Vec<AccountRef> = queued.into_iter().map(reference).collect();
    if let Some(about) = queued.first() {
        facts::operations(tx, *about, &[superseded, order.undone].concat(), now).await?;
    }
    let record = Record::new(order.action, "mailbox_operation", id);
    let record = record.with(json!({ "kind": order.kind, "mails": count }));
    audit(tx, now, access.org, &Actor::of(access, None), record).await?;
    Ok(Done { operation: id, queued })
}

fn item(mail: &Mail, locations: &[Location], changed: Fields, todo: Fields) -> EntryItem {
    let state = if todo.is_empty() { OperationState::Confirmed } else { OperationState::Pending };
    let former =
        |row: &Location| FormerPlace { folder: row.folder_id, is_read: row.is_read, is_starred: row.is_starred };
    let before = Former { places: locations.iter().map(former).collect(), changed };
    EntryItem { email: mail.id, account: mail.account_id, before, todo, state }
}

async fn work(tx: &mut DbConn, ground: &mut Ground, mail: &Mail, steps: Vec<Step>, now: Timestamp) -> ApiResult<Work> {
    let (mut leave, mut flags, mut expect) = (Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Leave(id) => leave.extend(place(ground, mail, id)),
            Step::Flags { id, is_read, is_starred } => {
                flags.extend(place(ground, mail, id).map(|row| (row, (is_read, is_starred))));
            }
            Step::Expect(goal) => {
                let Goal { is_read, is_starred, .. } = goal;
                expect.push((ground.resolve(tx, mail.account_id, &goal, now).await?, (is_read, is_starred)));
            }
        }
    }
    Ok(Work { email: mail.id, account: mail.account_id, received_at: mail.received_at, leave, expect, flags })
}

fn place(ground: &Ground, mail: &Mail, id: LocationId) -> Option<Location> {
    ground.locations(mail.id).iter().find(|row| row.id == id).cloned()
}
