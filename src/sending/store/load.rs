//! Reads mails that are written here.

use std::collections::HashMap;

use diesel::{
    ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::schema::{email_attachments, email_outgoing, email_recipients, emails};
use crate::db::types::Json;
use crate::db::{DbConn, is_corrupt};
use crate::ids::{AccountId, AttachmentId, EmailId, OrgId, RecipientId};
use crate::mail::Mailbox as Address;
use crate::messages::{MailStatus, WrittenFile};
use crate::on_conn;
use crate::sending::model::{Action, Delivered, Outgoing, Plan, Recipient};

#[derive(Queryable, Selectable)]
#[diesel(table_name = emails)]
struct MailRow {
    id: EmailId,
    organization_id: OrgId,
    account_id: AccountId,
    status: String,
    message_id: Option<String>,
    in_reply_to: Option<String>,
    references: Json,
    from_email: String,
    from_name: Option<String>,
    subject: Option<String>,
    body_text: Option<String>,
    body_html: Option<String>,
    sent_at: Timestamp,
    received_at: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = email_outgoing)]
struct PlanRow {
    revision: i64,
    mirrored_revision: Option<i64>,
    action: Option<String>,
    source_email_id: Option<EmailId>,
    headers: Json,
    options: Json,
    mirror_due_at: Option<Timestamp>,
    attempts: i32,
    handed_at: Option<Timestamp>,
}

/// Mails that are written here, whoever owns them, in the order of their ids.
pub async fn outgoing(conn: &mut DbConn, ids: &[EmailId]) -> QueryResult<Vec<Outgoing>> {
    let query = emails::table
        .inner_join(email_outgoing::table.on(email_outgoing::email_id.eq(emails::id)))
        .filter(emails::id.eq_any(ids))
        .order(emails::id);
    let rows: Vec<(MailRow, PlanRow)> =
        on_conn!(conn, |c| query.select((MailRow::as_select(), PlanRow::as_select())).load(c).await)?;
    let mut people = recipients(conn, ids).await?;
    let mut files = files(conn, ids).await?;
    rows.into_iter()
        .map(|(mail, plan)| {
            let recipients = people.remove(&mail.id).unwrap_or_default();
            let files = files.remove(&mail.id).unwrap_or_default();
            assemble(mail, plan, recipients, files)
        })
        .collect()
}

/// One mail that is written here and that its writer may see.
pub async fn of(conn: &mut DbConn, access: &Access, id: EmailId) -> QueryResult<Option<Outgoing>> {
    let query = emails::table
        .find(id)
        .filter(emails::user_id.eq(access.user))
        .filter(emails::organization_id.eq(access.org))
        .filter(emails::deleted_at.is_null())
        .select(emails::id);
    let found: Option<EmailId> = on_conn!(conn, |c| query.first(c).await.optional())?;
    match found {
        Some(id) => Ok(outgoing(conn, &[id]).await?.pop()),
        None => Ok(None),
    }
}

fn assemble(
    mail: MailRow,
    plan: PlanRow,
    recipients: Vec<Recipient>,
    files: Vec<WrittenFile>,
) -> QueryResult<Outgoing> {
    let bad = |column| move |_| is_corrupt("email_outgoing", column);
    let action = plan.action.as_deref().and_then(Action::parse);
    Ok(Outgoing {
        id: mail.id,
        org: mail.organization_id,
        account: mail.account_id,
        status: MailStatus::parse(&mail.status).ok_or_else(|| is_corrupt("emails", "status"))?,
        revision: plan.revision,
        mirrored_revision: plan.mirrored_revision,
        plan: Plan {
            source: action.zip(plan.source_email_id),
            headers: serde_json::from_value(plan.headers.0).map_err(bad("headers"))?,
            options: serde_json::from_value(plan.options.0).map_err(bad("options"))?,
        },
        message_id: mail.message_id.unwrap_or_default(),
        in_reply_to: mail.in_reply_to,
        references: serde_json::from_value(mail.references.0).map_err(|_| is_corrupt("emails", "references"))?,
        from: Address { name: mail.from_name, address: mail.from_email },
        subject: mail.subject.unwrap_or_default(),
        body_text: mail.body_text,
        body_html: mail.body_html,
        sent_at: mail.sent_at,
        received_at: mail.received_at,
        mirror_due_at: plan.mirror_due_at,
        attempts: plan.attempts,
        handed_at: plan.handed_at,
        recipients,
        files,
    })
}

async fn recipients(conn: &mut DbConn, ids: &[EmailId]) -> QueryResult<HashMap<EmailId, Vec<Recipient>>> {
    type Row = (EmailId, RecipientId, String, String, Option<String>, Option<String>);
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq_any(ids))
        .order((email_recipients::email_id, email_recipients::recipient_type.desc(), email_recipients::position))
        .select((
            email_recipients::email_id,
            email_recipients::id,
            email_recipients::recipient_type,
            email_recipients::email_address,
            email_recipients::name,
            email_recipients::delivery,
        ));
    let rows: Vec<Row> = on_conn!(conn, |c| query.load(c).await)?;
    let mut found: HashMap<EmailId, Vec<Recipient>> = HashMap::new();
    for (email, id, kind, address, name, delivery) in rows {
        let delivered = delivery.as_deref().and_then(Delivered::parse);
        found.entry(email).or_default().push(Recipient { id, kind, person: Address { name, address }, delivered });
    }
    // A server that takes only so many at once gets those first whom the mail is for.
    let rank = |kind: &str| ["to", "cc", "bcc"].iter().position(|known| *known == kind);
    for list in found.values_mut() {
        list.sort_by_key(|recipient| rank(&recipient.kind).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// The files of mails.
pub async fn files(conn: &mut DbConn, ids: &[EmailId]) -> QueryResult<HashMap<EmailId, Vec<WrittenFile>>> {
    let query = email_attachments::table.filter(email_attachments::email_id.eq_any(ids)).order(email_attachments::id);
    let rows: Vec<FileRow> = on_conn!(conn, |c| query.select(FileRow::as_select()).load(c).await)?;
    let mut found: HashMap<EmailId, Vec<WrittenFile>> = HashMap::new();
    for row in rows {
        found.entry(row.email_id).or_default().push(row.into());
    }
    Ok(found)
}

/// A file of a mail.
#[derive(Queryable, Selectable)]
#[diesel(table_name = email_attachments)]
pub struct FileRow {
    /// The file.
    pub id: AttachmentId,
    /// The mail that carries it.
    pub email_id: EmailId,
    file_name: String,
    mime_type: Option<String>,
    size_bytes: Option<i64>,
    storage_path: String,
    content_id: Option<String>,
    is_inline: bool,
}

impl From<FileRow> for WrittenFile {
    fn from(row: FileRow) -> Self {
        Self {
            id: row.id,
            file_name: row.file_name,
            mime_type: row.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            size: row.size_bytes.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            storage_path: row.storage_path,
            content_id: row.content_id,
            is_inline: row.is_inline,
        }
    }
}
