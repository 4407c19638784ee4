//! The rows of mails that are written here.

use std::collections::BTreeSet;

use diesel::{AsChangeset, ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::incoming::assign_threads;
use super::placement::State;
use super::rows::{Decided, Rows};
use super::threads::{self, Share};
use super::{erase, rows};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, email_recipients, emails};
use crate::db::types::Json;
use crate::ids::{EmailId, ThreadId};
use crate::messages::model::{Intake, Mailbox};
use crate::messages::written::{MailStatus, Written};
use crate::{insert_rows, on_conn};

/// Stores a mail that is written here, in the conversation that it belongs to.
pub async fn write_mail(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    written: Written,
    now: Timestamp,
) -> QueryResult<ThreadId> {
    threads::lock(tx, owner.org).await?;
    let (at, is_draft) = (written.at, written.status == MailStatus::Draft);
    let (assigned, merged) =
        assign_threads(tx, owner, &[(&written.content, at)], &Intake { now, seen_at: now, told: true }).await?;
    let thread = assigned.into_iter().next().unwrap_or_else(ThreadId::new);
    let state = State { is_read: true, is_draft, ..State::default() };
    let mut rows = Rows::default();
    rows.push_written(written, &Decided { id, thread, owner, state, now });
    insert_rows!(tx, emails::table, rows.emails)?;
    insert_rows!(tx, email_recipients::table, rows.recipients)?;
    insert_rows!(tx, email_attachments::table, rows.attachments)?;
    let share =
        Share { account_id: owner.account, thread_id: thread, last_message_at: at, message_count: 1, unread_count: 0 };
    threads::add_shares(tx, [share]).await?;
    if !merged.is_empty() {
        threads::rebuild(tx, &merged, now).await?;
    }
    Ok(thread)
}

/// What of a row changes when a mail is written anew.
#[derive(AsChangeset)]
#[diesel(table_name = emails, treat_none_as_null = true)]
struct Content {
    message_id: Option<String>,
    in_reply_to: Option<String>,
    references: Json,
    from_email: String,
    from_name: Option<String>,
    subject: Option<String>,
    snippet: Option<String>,
    status: &'static str,
    error_message: Option<String>,
    is_draft: bool,
    received_at: Timestamp,
    sent_at: Timestamp,
    has_attachments: bool,
    attachment_count: i32,
    body_visible_text: Option<String>,
    body_text: Option<String>,
    body_html: Option<String>,
    updated_at: Timestamp,
}

/// Writes a mail anew; it stays the same mail in the same conversation.
pub async fn rewrite_mail(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    written: Written,
    now: Timestamp,
) -> QueryResult<()> {
    threads::lock(tx, owner.org).await?;
    let query = emails::table.find(id).select(emails::thread_id);
    let thread: Option<ThreadId> = on_conn!(tx, |c| query.first(c).await)?;
    let state = State { is_read: true, is_draft: written.status == MailStatus::Draft, ..State::default() };
    let files = written.files.iter().filter(|file| !file.is_inline).count();
    let content = &written.content;
    let change = Content {
        message_id: content.message_id.clone(),
        in_reply_to: content.in_reply_to.get(..1).and_then(<[String]>::first).cloned(),
        references: rows::strings(content.references.clone()),
        from_email: content.from.as_ref().map(|from| from.address.clone()).unwrap_or_default(),
        from_name: content.from.as_ref().and_then(|from| from.name.clone()),
        subject: Some(content.subject.clone()),
        snippet: Some(content.snippet.clone()),
        status: written.status.as_str(),
        error_message: None,
        is_draft: state.is_draft,
        received_at: written.at,
        sent_at: written.at,
        has_attachments: files > 0,
        attachment_count: i32::try_from(files).unwrap_or(i32::MAX),
        body_visible_text: content.visible_text.clone(),
        body_text: content.body_text.clone(),
        body_html: content.body_html.clone(),
        updated_at: now,
    };
    on_conn!(tx, |c| diesel::update(emails::table.find(id)).set(&change).execute(c).await)?;
    if !state.is_draft {
        // What the provider had of it was a draft: what it gets now has another identity.
        let query = diesel::update(emails::table.find(id))
            .set((emails::external_id.eq(rows::local_id(id)), emails::raw_ref.eq(None::<String>)));
        on_conn!(tx, |c| query.execute(c).await)?;
    }
    on_conn!(tx, |c| {
        diesel::delete(email_recipients::table.filter(email_recipients::email_id.eq(id))).execute(c).await?;
        diesel::delete(email_attachments::table.filter(email_attachments::email_id.eq(id))).execute(c).await
    })?;
    let thread = thread.unwrap_or_else(ThreadId::new);
    let mut rows = Rows::default();
    rows.push_written(written, &Decided { id, thread, owner, state, now });
    insert_rows!(tx, email_recipients::table, rows.recipients)?;
    insert_rows!(tx, email_attachments::table, rows.attachments)?;
    threads::rebuild(tx, &BTreeSet::from([thread]), now).await
}

/// Deletes a mail that was written here and that no provider has. Answers the contents that nothing refers to any more.
pub async fn delete_written(tx: &mut DbConn, owner: &Mailbox, id: EmailId, now: Timestamp) -> QueryResult<Vec<String>> {
    threads::lock(tx, owner.org).await?;
    let query = emails::table.find(id).select(emails::thread_id);
    let thread: Option<ThreadId> = on_conn!(tx, |c| query.first(c).await)?;
    let query = email_attachments::table.filter(email_attachments::email_id.eq(id));
    let paths: Vec<String> = on_conn!(tx, |c| query.select(email_attachments::storage_path).distinct().load(c).await)?;
    on_conn!(tx, |c| diesel::delete(emails::table.find(id)).execute(c).await)?;
    erase::tidy_threads(tx, thread.into_iter().collect(), now).await?;
    erase::unreferenced(tx, owner.org, paths).await
}

/// Sets how far mails are on their way, with the words that say why.
pub async fn set_status(
    tx: &mut DbConn,
    ids: &[EmailId],
    status: MailStatus,
    why: Option<&str>,
    now: Timestamp,
) -> QueryResult<()> {
    let query = diesel::update(emails::table.filter(emails::id.eq_any(ids))).set((
        emails::status.eq(status.as_str()),
        emails::is_draft.eq(status == MailStatus::Draft),
        emails::error_message.eq(why),
        emails::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Notes when mails leave: their Date, and their place in lists.
pub async fn set_sent_at(tx: &mut DbConn, ids: &[EmailId], at: Timestamp) -> QueryResult<()> {
    let query = diesel::update(emails::table.filter(emails::id.eq_any(ids)))
        .set((emails::sent_at.eq(at), emails::received_at.eq(at)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Brings the conversations of these mails in step with them.
pub async fn refresh_threads(tx: &mut DbConn, ids: &[EmailId], now: Timestamp) -> QueryResult<()> {
    let query = emails::table.filter(emails::id.eq_any(ids)).select(emails::thread_id);
    let threads: Vec<Option<ThreadId>> = on_conn!(tx, |c| query.load(c).await)?;
    threads::rebuild(tx, &threads.into_iter().flatten().collect(), now).await
}
