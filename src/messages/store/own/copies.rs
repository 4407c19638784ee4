//! Copies of what was sent here: each is the mail that it is a copy of, never a second one.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::proof::{Evidence, prove_sent};
use super::rows::{self, OwnMail};
use super::{Recognised, judge};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_outgoing, emails};
use crate::ids::EmailId;
use crate::messages::model::{FolderRole, IncomingMail, Mailbox};
use crate::messages::store::rows::{defects, pairs};
use crate::on_conn;

/// Finds the copies among new mails of the folder of sent mail, of the view of all mail, or of a folder that such copies were
/// moved to.
pub(super) async fn recognise(
    tx: &mut DbConn,
    owner: &Mailbox,
    role: Option<FolderRole>,
    fresh: &[&IncomingMail],
    now: Timestamp,
) -> QueryResult<Recognised> {
    let copies: Vec<(&str, &IncomingMail)> = fresh
        .iter()
        .filter(|mail| may_be_copy(mail, role))
        .filter_map(|mail| Some((mail.parsed.message_id.as_deref()?, *mail)))
        .collect();
    let ids: Vec<&str> = copies.iter().map(|(id, _)| *id).collect();
    let mut sent: HashMap<String, OwnMail> = HashMap::new();
    for own in rows::by_message_ids(tx, owner.account, &ids).await? {
        if let Some(id) = own.message_id.clone().filter(|_| may_have_copies(&own, role)) {
            sent.entry(id).or_insert(own);
        }
    }
    let mut found = Recognised::default();
    let mut proven = Vec::new();
    for (id, mail) in copies {
        let Some(own) = sent.get_mut(id) else { continue };
        found.rows.insert(mail.external_id.clone(), (own.id, own.received_at));
        if waits_for_a_copy(own) {
            adopt(tx, own.id, mail, now).await?;
            own.external_id.clone_from(&mail.external_id);
            own.outgoing.iter_mut().for_each(|outgoing| outgoing.file_due_at = None);
            proven.push(own.id);
        }
    }
    found.told = prove_sent(tx, &proven, Evidence::Copy, now).await?;
    Ok(found)
}

/// Whether a folder is where copies of sent mail are put.
fn is_for_copies(role: Option<FolderRole>) -> bool {
    matches!(role, Some(FolderRole::Sent | FolderRole::All))
}

/// The view of all mail shows drafts as well. Elsewhere a copy to oneself may lie, which went from server to server.
fn may_be_copy(mail: &IncomingMail, role: Option<FolderRole>) -> bool {
    let is_draft = (mail.is_draft && role == Some(FolderRole::All)) || mail.parsed.header(judge::MARKER).is_some();
    !is_draft && (is_for_copies(role) || mail.parsed.received.is_none())
}

/// Whether the provider can have a copy of it: at least some recipient may have it. What is only doubtful is not taken from
/// folders that anything may lie in.
fn may_have_copies(own: &OwnMail, role: Option<FolderRole>) -> bool {
    let handed = own.outgoing.as_ref().is_some_and(|outgoing| outgoing.handed_at.is_some());
    match own.status.as_str() {
        "sent" => own.outgoing.is_some() || own.is_local(),
        "uncertain" => is_for_copies(role),
        "sending" | "queued" => is_for_copies(role) && handed,
        _ => false,
    }
}

/// A second copy is only another place; the first one gives the mail its identity. Before it was sent it may have had the
/// identity of a draft.
fn waits_for_a_copy(own: &OwnMail) -> bool {
    own.is_local() || own.status != "sent" || own.outgoing.as_ref().is_some_and(|out| out.file_due_at.is_some())
}

async fn adopt(tx: &mut DbConn, id: EmailId, mail: &IncomingMail, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(emails::table.find(id)).set((
        emails::external_id.eq(&mail.external_id),
        emails::raw_ref.eq(&mail.raw_ref),
        emails::raw_size.eq(i64::try_from(mail.raw_size).ok()),
        emails::headers.eq(pairs(mail.parsed.headers.clone())),
        emails::defects.eq(defects(&mail.parsed.defects)),
        emails::synced_at.eq(now),
        emails::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let query = diesel::update(email_outgoing::table.find(id))
        .set((email_outgoing::file_due_at.eq(None::<Timestamp>), email_outgoing::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}
