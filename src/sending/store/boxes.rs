//! Drafts at providers that send drafts, and mails that are looked for there; written by the sender alone, under its claim.

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::outcome::thread_of;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_outgoing, email_recipients, emails};
use crate::events::AccountRef;
use crate::ids::{AccountId, EmailId};
use crate::messages::MailStatus;
use crate::on_conn;
use crate::outbox::{self, Fact};
use crate::sending::model::{Delivered, DraftBox};

/// The provider's conversation of a mail of this mailbox, and its subject.
pub async fn conversation(
    conn: &mut DbConn,
    account: AccountId,
    id: EmailId,
) -> QueryResult<(Option<String>, Option<String>)> {
    let query = emails::table
        .find(id)
        .filter(emails::account_id.eq(account))
        .filter(emails::deleted_at.is_null())
        .select((emails::provider_thread_id, emails::subject));
    on_conn!(conn, |c| query.first(c).await)
}

/// Keeps what is known of the draft of a mail.
pub async fn save(tx: &mut DbConn, id: EmailId, draft: &DraftBox, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::draft_id.eq(draft.id.as_deref()),
        email_outgoing::draft_message_id.eq(draft.message_id.as_deref()),
        email_outgoing::draft_pin.eq(draft.pin.and_then(|pin| i64::try_from(pin).ok())),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Forgets from where a mail is looked for: a person wants it sent whatever became of it.
pub async fn forget_pin(tx: &mut DbConn, id: EmailId) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(id)).set(email_outgoing::draft_pin.eq(None::<i64>));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Wants the draft of a mail that is not to be sent any more to be removed, where it has one.
pub async fn discard(tx: &mut DbConn, id: EmailId, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(
        email_outgoing::table.filter(email_outgoing::email_id.eq(id)).filter(email_outgoing::draft_id.is_not_null()),
    )
    .set((email_outgoing::mirror_due_at.eq(now), email_outgoing::mirror_attempts.eq(0)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// How a doubt ends without the mail having been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// It is sent again at once.
    Again,
    /// It is not sent again by itself, for this reason.
    Failed(&'static str, String),
}

/// Ends the doubt about a mail that is known now not to have been sent, and tells of it. Answers whether it was still in doubt.
pub async fn end_doubt(
    tx: &mut DbConn,
    about: AccountRef,
    id: EmailId,
    end: &Unsent,
    now: Timestamp,
) -> QueryResult<bool> {
    let (status, due_at, why) = match end {
        Unsent::Again => (MailStatus::Queued, Some(now), None),
        Unsent::Failed(code, words) => (MailStatus::Failed, None, Some((*code, words.as_str()))),
    };
    let doubtful = emails::table.find(id).filter(emails::status.eq(MailStatus::Uncertain.as_str()));
    let query = diesel::update(doubtful).set((
        emails::status.eq(status.as_str()),
        emails::error_message.eq(why.map(|(_, words)| words)),
        emails::updated_at.eq(now),
    ));
    if on_conn!(tx, |c| query.execute(c).await)? == 0 {
        return Ok(false);
    }
    let handed = email_recipients::table
        .filter(email_recipients::email_id.eq(id))
        .filter(email_recipients::delivery.eq(Delivered::Handed.as_str()));
    let query = diesel::update(handed).set(email_recipients::delivery.eq(None::<String>));
    on_conn!(tx, |c| query.execute(c).await)?;
    let query = diesel::update(email_outgoing::table.find(id)).set((
        email_outgoing::handed_at.eq(None::<Timestamp>),
        email_outgoing::due_at.eq(due_at),
        email_outgoing::file_due_at.eq(None::<Timestamp>),
        email_outgoing::error_code.eq(why.map(|(code, _)| code)),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    let thread = thread_of(tx, id).await?;
    let fact = match why {
        None => Fact::email_updated(about, id, thread, &["status"]),
        Some((code, _)) => Fact::email_failed(about, id, thread, Some(code)),
    };
    outbox::record(tx, vec![fact], now).await?;
    Ok(true)
}
