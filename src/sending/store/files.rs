//! Uploaded files, and files that mails have.

use diesel::{ExpressionMethods, Insertable, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::load::FileRow;
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{email_attachments, emails, uploads};
use crate::ids::{AttachmentId, EmailId, OrgId, UploadId, UserId};
use crate::messages::WrittenFile;
use crate::{insert_rows, on_conn};

/// A file that was brought in and belongs to no mail yet.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = uploads)]
pub struct UploadRow {
    /// The file.
    pub id: UploadId,
    /// The organization.
    pub organization_id: OrgId,
    /// Who brought it in.
    pub user_id: UserId,
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub mime_type: String,
    /// Its size, in bytes.
    pub size_bytes: i64,
    /// Where its content lies.
    pub storage_path: String,
    /// The digest of its content.
    pub sha256: Vec<u8>,
    /// When it was brought in.
    pub created_at: Timestamp,
}

/// Keeps an uploaded file.
pub async fn insert_upload(conn: &mut DbConn, row: UploadRow) -> QueryResult<()> {
    insert_rows!(conn, uploads::table, vec![row])?;
    Ok(())
}

/// The files with these ids that a person may use: own uploads, and files of own mails with the mail that carries each.
pub async fn usable(
    conn: &mut DbConn,
    access: &Access,
    ids: &[Uuid],
) -> QueryResult<Vec<(Uuid, Option<EmailId>, WrittenFile)>> {
    let asked: Vec<UploadId> = ids.iter().copied().map(UploadId::from_uuid).collect();
    let query = uploads::table
        .filter(uploads::id.eq_any(asked))
        .filter(uploads::user_id.eq(access.user))
        .filter(uploads::organization_id.eq(access.org));
    let rows: Vec<UploadRow> = on_conn!(conn, |c| query.select(UploadRow::as_select()).load(c).await)?;
    let mut found: Vec<(Uuid, Option<EmailId>, WrittenFile)> =
        rows.into_iter().map(|row| (row.id.uuid(), None, row.into())).collect();
    let asked: Vec<AttachmentId> = ids.iter().copied().map(AttachmentId::from_uuid).collect();
    let query = email_attachments::table
        .inner_join(emails::table)
        .filter(email_attachments::id.eq_any(asked))
        .filter(emails::user_id.eq(access.user))
        .filter(emails::organization_id.eq(access.org))
        .filter(emails::deleted_at.is_null());
    let rows: Vec<FileRow> = on_conn!(conn, |c| query.select(FileRow::as_select()).load(c).await)?;
    found.extend(rows.into_iter().map(|row| (row.id.uuid(), Some(row.email_id), row.into())));
    Ok(found)
}

impl From<UploadRow> for WrittenFile {
    fn from(row: UploadRow) -> Self {
        Self {
            id: AttachmentId::new(),
            file_name: row.file_name,
            mime_type: row.mime_type,
            size: u64::try_from(row.size_bytes).unwrap_or_default(),
            storage_path: row.storage_path,
            content_id: None,
            is_inline: false,
        }
    }
}

/// Forgets uploads from before a time. Answers their contents, by organization.
pub async fn expire_uploads(tx: &mut DbConn, before: Timestamp) -> QueryResult<Vec<(OrgId, String)>> {
    on_conn!(tx, |c| {
        diesel::delete(uploads::table.filter(uploads::created_at.lt(before)))
            .returning((uploads::organization_id, uploads::storage_path))
            .get_results(c)
            .await
    })
}
