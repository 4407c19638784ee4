//! Single mails: bodies, raw mail, attachments, and where a mail is.

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::MessageRow;
use crate::access::Access;
use crate::db::DbConn;
use crate::db::schema::{email_accounts, email_attachments, emails, skipped_messages};
use crate::db::types::Json;
use crate::ids::{AccountId, AttachmentId, EmailId};
use crate::on_conn;

/// A file of a mail.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_attachments)]
pub(crate) struct AttachmentRow {
    pub id: AttachmentId,
    pub email_id: EmailId,
    pub file_name: String,
    pub mime_type: Option<String>,
    pub size_bytes: Option<i64>,
    pub storage_path: String,
    pub content_id: Option<String>,
    pub is_inline: bool,
}

/// The texts of a mail.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = emails)]
pub(crate) struct BodyRow {
    pub references: Json,
    pub headers: Json,
    pub body_text: Option<String>,
    pub body_html: Option<String>,
    pub body_visible_text: Option<String>,
}

/// The mails that a person may see: until sharing exists, those of their own mailboxes.
macro_rules! visible {
    ($access:expr) => {
        emails::table
            .filter(emails::user_id.eq($access.user))
            .filter(emails::organization_id.eq($access.org))
            .filter(emails::deleted_at.is_null())
    };
}

/// One mail without its bodies.
pub(crate) async fn message(conn: &mut DbConn, access: &Access, id: EmailId) -> QueryResult<MessageRow> {
    let query = visible!(access).filter(emails::id.eq(id));
    on_conn!(conn, |c| query.select(MessageRow::as_select()).first(c).await)
}

/// The texts of one mail.
pub(crate) async fn body(conn: &mut DbConn, access: &Access, id: EmailId) -> QueryResult<BodyRow> {
    let query = visible!(access).filter(emails::id.eq(id));
    on_conn!(conn, |c| query.select(BodyRow::as_select()).first(c).await)
}

/// Where the raw form of one mail is kept, when it is.
pub(crate) async fn raw_ref(conn: &mut DbConn, access: &Access, id: EmailId) -> QueryResult<Option<String>> {
    let query = visible!(access).filter(emails::id.eq(id)).select(emails::raw_ref);
    on_conn!(conn, |c| query.first(c).await)
}

/// One attachment of a mail that the person may see.
pub(crate) async fn attachment(conn: &mut DbConn, access: &Access, id: AttachmentId) -> QueryResult<AttachmentRow> {
    let query = email_attachments::table
        .inner_join(emails::table)
        .filter(email_attachments::id.eq(id))
        .filter(emails::user_id.eq(access.user))
        .filter(emails::organization_id.eq(access.org))
        .filter(emails::deleted_at.is_null());
    on_conn!(conn, |c| query.select(AttachmentRow::as_select()).first(c).await)
}

/// The embedded images of a mail by their Content-ID.
pub(crate) async fn embedded_images(conn: &mut DbConn, id: EmailId) -> QueryResult<Vec<(AttachmentId, String)>> {
    let query = email_attachments::table
        .filter(email_attachments::email_id.eq(id))
        .filter(email_attachments::content_id.is_not_null())
        .order(email_attachments::id)
        .select((email_attachments::id, email_attachments::content_id.assume_not_null()));
    on_conn!(conn, |c| query.load(c).await)
}

/// Where a mail with a Message-ID is, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Stored {
        email: EmailId,
        account: AccountId,
    },
    Gone {
        account: AccountId,
    },
    Skipped {
        account: AccountId,
        reason: String,
        detail: Option<String>,
    },
    /// The mailbox is still being imported.
    NotReached {
        account: AccountId,
    },
}

/// Looks for a Message-ID (without angle brackets) in the person's mailboxes.
pub(crate) async fn lookup(conn: &mut DbConn, accounts: &[AccountId], message_id: &str) -> QueryResult<Vec<Found>> {
    let query = emails::table
        .filter(emails::account_id.eq_any(accounts))
        .filter(emails::message_id.eq(message_id))
        .order((emails::account_id, emails::id))
        .limit(100)
        .select((emails::id, emails::account_id, emails::deleted_at.is_null()));
    let stored: Vec<(EmailId, AccountId, bool)> = on_conn!(conn, |c| query.load(c).await)?;
    let query = skipped_messages::table
        .filter(skipped_messages::account_id.eq_any(accounts))
        .filter(skipped_messages::message_id.eq(message_id))
        .order((skipped_messages::account_id, skipped_messages::id))
        .limit(100)
        .select((skipped_messages::account_id, skipped_messages::reason, skipped_messages::detail));
    let skipped: Vec<(AccountId, String, Option<String>)> = on_conn!(conn, |c| query.load(c).await)?;
    let mut found: Vec<Found> = Vec::new();
    for (email, account, there) in stored {
        found.push(if there { Found::Stored { email, account } } else { Found::Gone { account } });
    }
    found.extend(skipped.into_iter().map(|(account, reason, detail)| Found::Skipped { account, reason, detail }));
    if found.is_empty() {
        let importing = email_accounts::table
            .filter(email_accounts::id.eq_any(accounts))
            .filter(email_accounts::phase.eq("backfill"))
            .order(email_accounts::id)
            .select(email_accounts::id);
        let importing: Vec<AccountId> = on_conn!(conn, |c| importing.load(c).await)?;
        found.extend(importing.into_iter().map(|account| Found::NotReached { account }));
    }
    Ok(found)
}
