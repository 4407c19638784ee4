//! What became of mails: written by the sender alone, under its claim.

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_folders, email_locations, email_outgoing, email_recipients, emails};
use crate::ids::{AccountId, EmailId, RecipientId, ThreadId};
use crate::messages::{self, MailStatus};
use crate::on_conn;
use crate::sending::model::Delivered;

/// The result for one recipient, with the server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientResult {
    /// The row.
    pub id: RecipientId,
    /// What became of it.
    pub delivered: Delivered,
    /// The reply code (RFC 5321 §4.2) and the server's words.
    pub said: Option<(u16, String)>,
}

/// Writes the results for recipients.
pub async fn save_results(tx: &mut DbConn, results: &[RecipientResult]) -> QueryResult<()> {
    for result in results {
        let said = result.said.as_ref();
        let query = diesel::update(email_recipients::table.find(result.id)).set((
            email_recipients::delivery.eq(result.delivered.as_str()),
            email_recipients::smtp_code.eq(said.map(|(code, _)| i32::from(*code))),
            email_recipients::smtp_reply.eq(said.map(|(_, text)| text.as_str())),
        ));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}

/// Forgets what became of a mail for those recipients that it may not have reached: it is tried again.
pub async fn reopen_recipients(tx: &mut DbConn, id: EmailId) -> QueryResult<()> {
    let query = diesel::update(
        email_recipients::table
            .filter(email_recipients::email_id.eq(id))
            .filter(email_recipients::delivery.eq_any([Delivered::Handed.as_str(), Delivered::Refused.as_str()])),
    )
    .set((
        email_recipients::delivery.eq(None::<String>),
        email_recipients::smtp_code.eq(None::<i32>),
        email_recipients::smtp_reply.eq(None::<String>),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Notes that the last octet of a mail is about to leave.
pub async fn note_handed(tx: &mut DbConn, id: EmailId, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set(email_outgoing::handed_at.eq(now));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Takes a note of the hand-over back: the connection broke before the last octet left.
pub async fn unhand(tx: &mut DbConn, id: EmailId) -> QueryResult<()> {
    let query = diesel::update(
        email_recipients::table
            .filter(email_recipients::email_id.eq(id))
            .filter(email_recipients::delivery.eq(Delivered::Handed.as_str())),
    )
    .set(email_recipients::delivery.eq(None::<String>));
    on_conn!(tx, |c| query.execute(c).await)?;
    let reached = email_recipients::table
        .filter(email_recipients::email_id.eq(id))
        .filter(email_recipients::delivery.eq(Delivered::Accepted.as_str()))
        .count();
    let reached: i64 = on_conn!(tx, |c| reached.get_result(c).await)?;
    if reached == 0 {
        let query = diesel::update(email_outgoing::table.find(id)).set(email_outgoing::handed_at.eq(None::<Timestamp>));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    Ok(())
}

/// What the sender does next with a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Next {
    /// Tries to send it.
    pub due_at: Option<Timestamp>,
    /// Looks for its copy, or makes one.
    pub file_due_at: Option<Timestamp>,
}

/// Ends an attempt: the status, its reason and what is done next.
pub async fn conclude(
    tx: &mut DbConn,
    id: EmailId,
    status: MailStatus,
    why: Option<(&str, &str)>,
    next: Next,
    now: Timestamp,
) -> QueryResult<()> {
    messages::set_status(tx, &[id], status, why.map(|(_, words)| words), now).await?;
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::due_at.eq(next.due_at),
        email_outgoing::file_due_at.eq(next.file_due_at),
        email_outgoing::file_attempts.eq(0),
        email_outgoing::error_code.eq(why.map(|(code, _)| code)),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Puts mails back that were begun and not tried.
pub async fn give_back(
    tx: &mut DbConn,
    ids: &[EmailId],
    due_at: Timestamp,
    why: Option<(&str, &str)>,
    now: Timestamp,
) -> QueryResult<()> {
    messages::set_status(tx, ids, MailStatus::Queued, why.map(|(_, words)| words), now).await?;
    let query = diesel::update(email_outgoing::table.filter(email_outgoing::email_id.eq_any(ids))).set((
        email_outgoing::due_at.eq(due_at),
        email_outgoing::error_code.eq(why.map(|(code, _)| code)),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Looks for the copy of a mail again later, or with nothing never again.
pub async fn file_later(tx: &mut DbConn, id: EmailId, at: Option<Timestamp>, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::file_due_at.eq(at),
        email_outgoing::file_attempts.eq(email_outgoing::file_attempts + 1),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// How often the copy of a mail was looked for.
pub async fn file_attempts(conn: &mut DbConn, id: EmailId) -> QueryResult<i32> {
    let query = email_outgoing::table.find(id).select(email_outgoing::file_attempts);
    on_conn!(conn, |c| query.first(c).await)
}

/// The provider has this version of a draft.
pub async fn mirrored(tx: &mut DbConn, id: EmailId, revision: i64, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::mirrored_revision.eq(revision),
        email_outgoing::mirror_attempts.eq(0),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Nothing is left to do for the provider's copy of a draft, unless it was written anew since `revision`.
pub async fn mirror_done(tx: &mut DbConn, id: EmailId, revision: i64) -> QueryResult<()> {
    let query = diesel::update(
        email_outgoing::table.filter(email_outgoing::email_id.eq(id)).filter(email_outgoing::revision.eq(revision)),
    )
    .set(email_outgoing::mirror_due_at.eq(None::<Timestamp>));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Brings the provider's copy of a draft in step later, or with nothing not before it changes.
pub async fn mirror_later(tx: &mut DbConn, id: EmailId, at: Option<Timestamp>) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::mirror_due_at.eq(at),
        email_outgoing::mirror_attempts.eq(email_outgoing::mirror_attempts + 1),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// How often the copy of a draft was tried to be brought in step.
pub async fn mirror_attempts(conn: &mut DbConn, id: EmailId) -> QueryResult<i32> {
    let query = email_outgoing::table.find(id).select(email_outgoing::mirror_attempts);
    on_conn!(conn, |c| query.first(c).await)
}

/// The conversation of a mail.
pub async fn thread_of(conn: &mut DbConn, id: EmailId) -> QueryResult<Option<ThreadId>> {
    let query = emails::table.find(id).select(emails::thread_id);
    on_conn!(conn, |c| query.first(c).await)
}

/// Where the provider has a mail of a mailbox: folder, UID and generation of each copy.
pub async fn copies(conn: &mut DbConn, id: EmailId, account: AccountId) -> QueryResult<Vec<(String, i64, i64)>> {
    let query = email_locations::table
        .inner_join(email_folders::table)
        .filter(email_locations::email_id.eq(id))
        .filter(email_locations::account_id.eq(account))
        .select((email_folders::external_id, email_locations::uid, email_locations::uid_validity));
    let rows: Vec<(String, Option<i64>, Option<i64>)> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(rows.into_iter().filter_map(|(folder, uid, generation)| Some((folder, uid?, generation?))).collect())
}

/// Marks a mail as answered.
pub async fn note_answered(tx: &mut DbConn, id: EmailId, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(emails::table.find(id)).set((emails::is_answered.eq(true), emails::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}
