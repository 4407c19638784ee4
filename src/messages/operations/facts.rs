//! Tells others what changed; belongs into the transaction of the change.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;

use super::model::{Fields, OperationChange};
use super::store::load;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::events::AccountRef;
use crate::ids::EmailId;
use crate::outbox::{self, Fact};

/// Mails changed here.
pub(super) async fn updated(tx: &mut DbConn, mails: &BTreeMap<EmailId, Fields>, now: Timestamp) -> QueryResult<()> {
    let ids: Vec<EmailId> = mails.keys().copied().collect();
    let about = load::about(tx, &ids).await?;
    let fact = |(email, fields): (&EmailId, &Fields)| {
        let (account, thread) = *about.get(email)?;
        Some(Fact::email_updated(account, *email, thread, &fields.names()))
    };
    outbox::record(tx, mails.iter().filter_map(fact).collect(), now).await
}

/// Mails lie nowhere any more.
pub(super) async fn deleted(tx: &mut DbConn, mails: &BTreeSet<EmailId>, now: Timestamp) -> QueryResult<()> {
    let ids: Vec<EmailId> = mails.iter().copied().collect();
    let about = load::about(tx, &ids).await?;
    let fact = |email: &EmailId| {
        let (account, thread) = *about.get(email)?;
        Some(Fact::email_deleted(account, *email, thread))
    };
    outbox::record(tx, mails.iter().filter_map(fact).collect(), now).await
}

/// Operations of a mailbox have another state.
pub(super) async fn operations(
    tx: &mut DbConn,
    account: AccountRef,
    changes: &[OperationChange],
    now: Timestamp,
) -> QueryResult<()> {
    let fact = |change: &OperationChange| Fact::operation_changed(account, change.operation, change.state.as_str());
    outbox::record(tx, changes.iter().map(fact).collect(), now).await
}
