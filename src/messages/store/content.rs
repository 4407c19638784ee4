//! A mail that keeps its row and gets another content: a draft that was edited elsewhere.

use diesel::{AsChangeset, ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::RunQueryDsl;

use super::placement::State;
use super::rows::{Decided, NewEmail, Rows};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, email_recipients, emails};
use crate::db::types::Json;
use crate::ids::{EmailId, ThreadId};
use crate::messages::model::{IncomingMail, Mailbox};
use crate::{insert_rows, on_conn};

/// What of a mail stands in its content. Its thread, its times and its flags are its own.
#[derive(AsChangeset)]
#[diesel(table_name = emails, treat_none_as_null = true)]
struct Content {
    external_id: String,
    in_reply_to: Option<String>,
    references: Json,
    subject: Option<String>,
    snippet: Option<String>,
    sent_at: Timestamp,
    has_attachments: bool,
    attachment_count: i32,
    headers: Json,
    raw_ref: Option<String>,
    raw_size: Option<i64>,
    defects: Json,
    // Whatever was derived from the former content is to be derived again.
    indexed_at: Option<Timestamp>,
    linked_at: Option<Timestamp>,
    updated_at: Timestamp,
    synced_at: Timestamp,
    body_visible_text: Option<String>,
    body_text: Option<String>,
    body_html: Option<String>,
}

impl From<NewEmail> for Content {
    fn from(mail: NewEmail) -> Self {
        Self {
            external_id: mail.external_id,
            in_reply_to: mail.in_reply_to,
            references: mail.references,
            subject: mail.subject,
            snippet: mail.snippet,
            sent_at: mail.sent_at,
            has_attachments: mail.has_attachments,
            attachment_count: mail.attachment_count,
            headers: mail.headers,
            raw_ref: mail.raw_ref,
            raw_size: mail.raw_size,
            defects: mail.defects,
            indexed_at: None,
            linked_at: None,
            updated_at: mail.updated_at,
            synced_at: mail.synced_at,
            body_visible_text: mail.body_visible_text,
            body_text: mail.body_text,
            body_html: mail.body_html,
        }
    }
}

/// Gives a draft the content of the mail that it is now. The caller computes its thread anew.
pub(super) async fn replace(
    tx: &mut DbConn,
    owner: &Mailbox,
    id: EmailId,
    mail: &IncomingMail,
    now: Timestamp,
) -> QueryResult<()> {
    let state = State { is_draft: true, ..State::default() };
    // The thread of the rows made here is not used: the mail keeps its own.
    let decided = Decided { id, thread: ThreadId::new(), owner, state, now };
    let mut rows = Rows::default();
    rows.push(mail.clone(), &decided);
    on_conn!(tx, |c| {
        let recipients = email_recipients::table.filter(email_recipients::email_id.eq(id));
        diesel::delete(recipients).execute(c).await?;
        let attachments = email_attachments::table.filter(email_attachments::email_id.eq(id));
        diesel::delete(attachments).execute(c).await
    })?;
    for new in rows.emails {
        let (address, name) = (new.from_email.clone(), new.from_name.clone());
        let query = diesel::update(emails::table.find(id)).set(Content::from(new));
        on_conn!(tx, |c| query.execute(c).await)?;
        // Programs may leave the author out until the mail is sent.
        if !address.is_empty() {
            let query = diesel::update(emails::table.find(id))
                .set((emails::from_email.eq(address), emails::from_name.eq(name)));
            on_conn!(tx, |c| query.execute(c).await)?;
        }
    }
    insert_rows!(tx, email_recipients::table, rows.recipients)?;
    insert_rows!(tx, email_attachments::table, rows.attachments)?;
    Ok(())
}
