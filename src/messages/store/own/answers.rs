//! Answers of people to what was sent.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, Queryable};
use diesel_async::RunQueryDsl;

use super::originals::{Original, Originals};
use super::sighting::{Sighting, parent};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::emails;
use crate::db::types::Json;
use crate::ids::{EmailId, ThreadId};
use crate::mail::normalize_address;
use crate::messages::model::{FolderRole, Intake};
use crate::messages::store::threads::IDS;
use crate::on_conn;
use crate::outbox::{self, Fact};

/// A sent mail and an answer to it.
#[derive(Debug)]
pub(super) struct Answer {
    original: Original,
    reply: EmailId,
    at: Timestamp,
}

/// The answers among mails that were just stored.
pub(super) fn among(originals: &Originals, role: Option<FolderRole>, seen: &[Sighting]) -> Vec<Answer> {
    // What lies among the sent mails was written by the mailbox's owner, perhaps under an address that nobody told us of.
    if role == Some(FolderRole::Sent) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for mail in seen.iter().filter(|mail| mail.is_person && !mail.is_outbound) {
        let about = mail.parent.as_deref().and_then(|id| originals.get(id));
        found.extend(about.into_iter().flatten().filter(|it| !is_by(it, &mail.author)).map(|original| Answer {
            original: original.clone(),
            reply: mail.id,
            at: mail.received_at,
        }));
    }
    found
}

/// Whether the author of a mail is the one who wrote what it refers to: such a mail follows it up and answers nothing.
fn is_by(original: &Original, author: &str) -> bool {
    normalize_address(&original.from) == author
}

#[derive(Queryable)]
struct Earlier {
    id: EmailId,
    in_reply_to: Option<String>,
    references: Json,
    from: String,
    received_at: Timestamp,
}

/// The answers that were stored before the mails that they answer: an import begins with the newest mail.
pub(super) async fn before(tx: &mut DbConn, sent: &Originals, seen: &[Sighting]) -> QueryResult<Vec<Answer>> {
    let fresh: BTreeSet<EmailId> = seen.iter().map(|mail| mail.id).collect();
    let originals: Vec<&Original> = sent.values().flatten().filter(|mail| fresh.contains(&mail.id)).collect();
    let threads: BTreeSet<ThreadId> = originals.iter().filter_map(|mail| mail.thread).collect();
    let threads: Vec<ThreadId> = threads.into_iter().collect();
    let ids: Vec<&str> = sent.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for chunk in threads.chunks(IDS) {
        let query = emails::table
            .filter(emails::thread_id.eq_any(chunk))
            .filter(emails::direction.eq("inbound"))
            .filter(emails::kind.eq("person"))
            .filter(emails::is_draft.eq(false))
            .filter(emails::deleted_at.is_null())
            .filter(emails::in_reply_to.eq_any(&ids).or(emails::in_reply_to.is_null()))
            .select((emails::id, emails::in_reply_to, emails::references, emails::from_email, emails::received_at));
        let rows: Vec<Earlier> = on_conn!(tx, |c| query.load(c).await)?;
        for mail in rows.into_iter().filter(|mail| !fresh.contains(&mail.id)) {
            let references: Vec<String> = serde_json::from_value(mail.references.0).unwrap_or_default();
            let in_reply_to: Vec<String> = mail.in_reply_to.into_iter().collect();
            let Some(parent) = parent(&in_reply_to, &references) else { continue };
            let author = normalize_address(&mail.from);
            let about = originals.iter().filter(|it| it.message_id.as_ref() == Some(&parent) && !is_by(it, &author));
            found.extend(about.map(|it| Answer { original: (*it).clone(), reply: mail.id, at: mail.received_at }));
        }
    }
    Ok(found)
}

/// Notes the first answer to each mail and tells of it; answers whether facts were written.
pub(super) async fn tie(tx: &mut DbConn, answers: Vec<Answer>, intake: &Intake) -> QueryResult<bool> {
    let mut first: BTreeMap<EmailId, Answer> = BTreeMap::new();
    for answer in answers {
        let known = first.get(&answer.original.id).map(|known| (known.at, known.reply));
        if known.is_none_or(|known| (answer.at, answer.reply) < known) {
            first.insert(answer.original.id, answer);
        }
    }
    let mut facts = Vec::new();
    for Answer { original, reply, at } in first.into_values() {
        // An import finds the first answer last.
        if original.replied_at.is_some_and(|known| known <= at) {
            continue;
        }
        let query = diesel::update(emails::table.find(original.id))
            .set((emails::replied_at.eq(Some(at)), emails::updated_at.eq(intake.now)));
        on_conn!(tx, |c| query.execute(c).await)?;
        if original.replied_at.is_none() && intake.told {
            facts.push(Fact::email_replied(original.about(), original.id, original.thread, reply));
        }
    }
    let told = !facts.is_empty();
    outbox::record(tx, facts, intake.now).await?;
    Ok(told)
}
