//! The sender's work list: what is due, what is begun, what was left by one that died.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, NullableExpressionMethods, QueryDsl, QueryResult,
};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_outgoing, email_recipients, emails};
use crate::ids::{AccountId, EmailId};
use crate::messages::{self, MailStatus};
use crate::on_conn;
use crate::sending::model::Delivered;

/// When the sender has something to do next, in one mailbox or in any.
pub async fn next_due(conn: &mut DbConn, account: Option<AccountId>, now: Timestamp) -> QueryResult<Option<Timestamp>> {
    use diesel::dsl::min;
    let of = || {
        let any = account.is_none().into_sql::<diesel::sql_types::Bool>();
        let one = account.unwrap_or_else(|| AccountId::from_uuid(uuid::Uuid::nil()));
        email_outgoing::table.filter(any.or(email_outgoing::account_id.eq(one)))
    };
    let send = of().filter(email_outgoing::due_at.gt(now)).select(min(email_outgoing::due_at));
    let file = of().filter(email_outgoing::file_due_at.gt(now)).select(min(email_outgoing::file_due_at));
    let mirror = of().filter(email_outgoing::mirror_due_at.gt(now)).select(min(email_outgoing::mirror_due_at));
    let send: Option<Timestamp> = on_conn!(conn, |c| send.first(c).await)?;
    let file: Option<Timestamp> = on_conn!(conn, |c| file.first(c).await)?;
    let mirror: Option<Timestamp> = on_conn!(conn, |c| mirror.first(c).await)?;
    Ok([send, file, mirror].into_iter().flatten().min())
}

/// Mails of a mailbox whose time to leave has come, the one that waits longest first.
pub async fn due(conn: &mut DbConn, account: AccountId, now: Timestamp, limit: i64) -> QueryResult<Vec<EmailId>> {
    let query = email_outgoing::table
        .inner_join(emails::table.on(emails::id.eq(email_outgoing::email_id)))
        .filter(email_outgoing::account_id.eq(account))
        .filter(email_outgoing::due_at.le(now))
        .filter(emails::status.eq_any([MailStatus::Queued.as_str(), MailStatus::Scheduled.as_str()]))
        .filter(emails::deleted_at.is_null())
        .order((email_outgoing::due_at, email_outgoing::email_id))
        .limit(limit)
        .select(email_outgoing::email_id);
    on_conn!(conn, |c| query.load(c).await)
}

/// Begins with mails that still wait: whoever calls one back from now on comes too late. Answers those that are begun.
///
/// A mail gets its Date when it is begun for the first time that counts: once it may be with a recipient, it stays.
pub async fn begin(tx: &mut DbConn, ids: &[EmailId], now: Timestamp) -> QueryResult<Vec<EmailId>> {
    let begun: Vec<EmailId> = on_conn!(tx, |c| {
        let waiting = emails::table
            .filter(emails::id.eq_any(ids))
            .filter(emails::status.eq_any([MailStatus::Queued.as_str(), MailStatus::Scheduled.as_str()]));
        diesel::update(waiting)
            .set((emails::status.eq(MailStatus::Sending.as_str()), emails::updated_at.eq(now)))
            .returning(emails::id)
            .get_results(c)
            .await
    })?;
    let fresh: Vec<EmailId> = on_conn!(tx, |c| {
        diesel::update(email_outgoing::table.filter(email_outgoing::email_id.eq_any(&begun)))
            .set((email_outgoing::attempts.eq(email_outgoing::attempts + 1), email_outgoing::updated_at.eq(now)))
            .execute(c)
            .await?;
        email_outgoing::table
            .filter(email_outgoing::email_id.eq_any(&begun))
            .filter(email_outgoing::handed_at.is_null())
            .select(email_outgoing::email_id)
            .load(c)
            .await
    })?;
    messages::set_sent_at(tx, &fresh, now).await?;
    Ok(begun)
}

/// Mails that a sender of this mailbox had begun when it died, with whether the last octet of each may have left.
pub async fn abandoned(conn: &mut DbConn, account: AccountId) -> QueryResult<Vec<(EmailId, bool)>> {
    let query = emails::table
        .inner_join(email_outgoing::table.on(email_outgoing::email_id.eq(emails::id)))
        .filter(email_outgoing::account_id.eq(account))
        .filter(email_outgoing::due_at.is_not_null())
        .filter(emails::status.eq(MailStatus::Sending.as_str()))
        .select(emails::id);
    let begun: Vec<EmailId> = on_conn!(conn, |c| query.load(c).await)?;
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq_any(&begun))
        .filter(email_recipients::delivery.eq(Delivered::Handed.as_str()))
        .select(email_recipients::email_id)
        .distinct();
    let handed: Vec<EmailId> = on_conn!(conn, |c| query.load(c).await)?;
    Ok(begun.into_iter().map(|id| (id, handed.contains(&id))).collect())
}

/// Mails whose copy among the sent ones is to be looked for or made.
pub async fn to_file(conn: &mut DbConn, account: AccountId, now: Timestamp, limit: i64) -> QueryResult<Vec<EmailId>> {
    let query = email_outgoing::table
        .filter(email_outgoing::account_id.eq(account))
        .filter(email_outgoing::file_due_at.le(now))
        .order((email_outgoing::file_due_at, email_outgoing::email_id))
        .limit(limit)
        .select(email_outgoing::email_id);
    on_conn!(conn, |c| query.load(c).await)
}

/// Drafts whose copy at the provider is to be brought in step; discarded ones too.
pub async fn to_mirror(conn: &mut DbConn, account: AccountId, now: Timestamp, limit: i64) -> QueryResult<Vec<EmailId>> {
    let query = email_outgoing::table
        .filter(email_outgoing::account_id.eq(account))
        .filter(email_outgoing::mirror_due_at.le(now))
        .order((email_outgoing::mirror_due_at, email_outgoing::email_id))
        .limit(limit)
        .select(email_outgoing::email_id);
    on_conn!(conn, |c| query.load(c).await)
}

/// Whether a mail was discarded.
pub async fn is_discarded(conn: &mut DbConn, id: EmailId) -> QueryResult<bool> {
    let query = emails::table.find(id).select(emails::deleted_at.nullable());
    let deleted: Option<Timestamp> = on_conn!(conn, |c| query.first(c).await)?;
    Ok(deleted.is_some())
}
