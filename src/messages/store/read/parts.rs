//! What hangs on the mails of a page: one query each for recipients, folders and attachments.

use std::collections::HashMap;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::AttachmentRow;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, email_folders, email_locations, email_recipients};
use crate::ids::{EmailId, FolderId};
use crate::on_conn;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_recipients)]
pub(crate) struct RecipientRow {
    email_id: EmailId,
    pub recipient_type: String,
    pub email_address: String,
    pub name: Option<String>,
}

/// A folder that a mail lies in.
#[derive(Debug, Clone)]
pub(crate) struct FolderOf {
    pub id: FolderId,
    pub name: String,
    pub role: Option<String>,
}

/// What hangs on one mail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub recipients: Vec<RecipientRow>,
    pub folders: Vec<FolderOf>,
    pub attachments: Vec<AttachmentRow>,
}

/// What hangs on each of these mails.
pub(crate) async fn parts(conn: &mut DbConn, ids: &[EmailId]) -> QueryResult<HashMap<EmailId, Parts>> {
    let mut found: HashMap<EmailId, Parts> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq_any(ids))
        .order((email_recipients::email_id, email_recipients::position));
    let recipients: Vec<RecipientRow> = on_conn!(conn, |c| query.select(RecipientRow::as_select()).load(c).await)?;
    for recipient in recipients {
        found.entry(recipient.email_id).or_default().recipients.push(recipient);
    }
    let query = email_locations::table
        .inner_join(email_folders::table)
        .filter(email_locations::email_id.eq_any(ids))
        .select((email_locations::email_id, email_folders::id, email_folders::name, email_folders::role))
        .distinct();
    type Row = (EmailId, FolderId, String, Option<String>);
    let mut folders: Vec<Row> = on_conn!(conn, |c| query.load(c).await)?;
    // Databases differ in how they sort text.
    folders.sort_by(|a, b| a.2.cmp(&b.2));
    for (email, id, name, role) in folders {
        found.entry(email).or_default().folders.push(FolderOf { id, name, role });
    }
    let query = email_attachments::table
        .filter(email_attachments::email_id.eq_any(ids))
        .order((email_attachments::email_id, email_attachments::id));
    let attachments: Vec<AttachmentRow> = on_conn!(conn, |c| query.select(AttachmentRow::as_select()).load(c).await)?;
    for attachment in attachments {
        found.entry(attachment.email_id).or_default().attachments.push(attachment);
    }
    Ok(found)
}
