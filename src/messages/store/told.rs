//! Facts about mails, written in the transaction that makes them true.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::threads::IDS;
use crate::db::DbConn;
use crate::db::schema::emails;
use crate::ids::{EmailId, ThreadId};
use crate::messages::model::{FolderRole, Intake, Mailbox};
use crate::on_conn;
use crate::outbox::{self, Fact};

/// Whether a new mail in a folder of this role is news for people.
pub(super) fn is_news(role: Option<FolderRole>) -> bool {
    !matches!(role, Some(FolderRole::Drafts | FolderRole::Sent | FolderRole::Spam | FolderRole::Trash))
}

/// Mails came in.
pub(super) async fn received(
    tx: &mut DbConn,
    owner: &Mailbox,
    mails: &[(EmailId, ThreadId)],
    intake: &Intake,
) -> QueryResult<()> {
    if !intake.told {
        return Ok(());
    }
    let facts = mails.iter().map(|&(email, thread)| Fact::email_received(owner.reference(), email, thread));
    outbox::record(tx, facts.collect(), intake.now).await
}

/// Tells of mails that the provider changed.
pub async fn updated(tx: &mut DbConn, owner: &Mailbox, mails: &BTreeSet<EmailId>, intake: &Intake) -> QueryResult<()> {
    let about = owner.reference();
    tell(tx, mails, intake, |email, thread| Fact::email_updated(about, email, thread, &[])).await
}

/// Tells of mails that are gone at the provider.
pub(super) async fn deleted(
    tx: &mut DbConn,
    owner: &Mailbox,
    mails: &BTreeSet<EmailId>,
    intake: &Intake,
) -> QueryResult<()> {
    let about = owner.reference();
    tell(tx, mails, intake, |email, thread| Fact::email_deleted(about, email, thread)).await
}

async fn tell(
    tx: &mut DbConn,
    mails: &BTreeSet<EmailId>,
    intake: &Intake,
    fact: impl Fn(EmailId, Option<ThreadId>) -> Fact,
) -> QueryResult<()> {
    if !intake.told || mails.is_empty() {
        return Ok(());
    }
    let threads = threads_of(tx, mails).await?;
    let facts = mails.iter().map(|email| fact(*email, threads.get(email).copied().flatten()));
    outbox::record(tx, facts.collect(), intake.now).await
}

/// Conversations turned out to be one.
pub(super) async fn merged(
    tx: &mut DbConn,
    owner: &Mailbox,
    into: ThreadId,
    from: &[ThreadId],
    intake: &Intake,
) -> QueryResult<()> {
    if !intake.told {
        return Ok(());
    }
    let facts = from.iter().map(|from| Fact::thread_merged(owner.org, into, *from));
    outbox::record(tx, facts.collect(), intake.now).await
}

async fn threads_of(tx: &mut DbConn, mails: &BTreeSet<EmailId>) -> QueryResult<HashMap<EmailId, Option<ThreadId>>> {
    let ids: Vec<EmailId> = mails.iter().copied().collect();
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS) {
        let query = emails::table.filter(emails::id.eq_any(chunk)).select((emails::id, emails::thread_id));
        let rows: Vec<(EmailId, Option<ThreadId>)> = on_conn!(tx, |c| query.load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}
