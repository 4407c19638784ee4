//! Writes what people ask for: new mails, drafts, schedules, cancellations.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::{contacts, deals, email_attachments, email_outgoing, email_recipients, emails};
use crate::db::types::Json;
use crate::ids::{AccountId, AttachmentId, ContactId, DealId, EmailId, OrgId, UserId};
use crate::mail::Mailbox as Address;
use crate::mail::compose::answer::ReplySource;
use crate::messages::{MailStatus, WrittenFile};
use crate::sending::model::{Options, Plan};
use crate::{insert_rows, on_conn};

#[derive(Insertable)]
#[diesel(table_name = email_outgoing, treat_none_as_default_value = false)]
struct NewOutgoing {
    email_id: EmailId,
    account_id: AccountId,
    revision: i64,
    action: Option<&'static str>,
    source_email_id: Option<EmailId>,
    headers: Json,
    options: Json,
    client_key: Option<String>,
    due_at: Option<Timestamp>,
    mirror_due_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// When something is to happen with a mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// It is to be sent.
    pub send: Option<Timestamp>,
    /// Its copy among the provider's drafts is to be brought in step.
    pub mirror: Option<Timestamp>,
}

/// Adds how a new mail goes out.
pub async fn insert(
    tx: &mut DbConn,
    (email, account): (EmailId, AccountId),
    plan: &Plan,
    due: Due,
    client_key: Option<String>,
    now: Timestamp,
) -> QueryResult<()> {
    let row = NewOutgoing {
        email_id: email,
        account_id: account,
        revision: 1,
        action: plan.source.map(|(action, _)| action.as_str()),
        source_email_id: plan.source.map(|(_, source)| source),
        headers: headers(plan),
        options: options(plan),
        client_key,
        due_at: due.send,
        mirror_due_at: due.mirror,
        created_at: now,
        updated_at: now,
    };
    insert_rows!(tx, email_outgoing::table, vec![row])?;
    Ok(())
}

/// Makes a mail that another program wrote one that can be changed and sent here.
pub async fn adopt(tx: &mut DbConn, email: EmailId, account: AccountId, now: Timestamp) -> QueryResult<()> {
    let plan = Plan { source: None, headers: Vec::new(), options: Options { is_whole: true, ..Options::default() } };
    insert(tx, (email, account), &plan, Due::default(), None, now).await?;
    let query = diesel::update(email_outgoing::table.find(email)).set(email_outgoing::mirrored_revision.eq(1_i64));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Writes a version of a draft, or what is sent of it, over the one that has `revision`. Answers the new version; nothing
/// when it was changed meanwhile.
pub async fn update(
    tx: &mut DbConn,
    email: EmailId,
    revision: i64,
    plan: &Plan,
    due: Due,
    now: Timestamp,
) -> QueryResult<Option<i64>> {
    on_conn!(tx, |c| {
        let same = email_outgoing::table
            .filter(email_outgoing::email_id.eq(email))
            .filter(email_outgoing::revision.eq(revision));
        diesel::update(same)
            .set((
                email_outgoing::revision.eq(revision + 1),
                email_outgoing::action.eq(plan.source.map(|(action, _)| action.as_str())),
                email_outgoing::source_email_id.eq(plan.source.map(|(_, source)| source)),
                email_outgoing::headers.eq(headers(plan)),
                email_outgoing::options.eq(options(plan)),
                email_outgoing::due_at.eq(due.send),
                email_outgoing::mirror_due_at.eq(due.mirror),
                email_outgoing::mirror_attempts.eq(0),
                email_outgoing::attempts.eq(0),
                email_outgoing::error_code.eq(None::<String>),
                email_outgoing::updated_at.eq(now),
            ))
            .returning(email_outgoing::revision)
            .get_result(c)
            .await
            .optional()
    })
}

fn headers(plan: &Plan) -> Json {
    let pair = |(name, value): &(String, String)| Value::Array(vec![name.clone().into(), value.clone().into()]);
    Json(Value::Array(plan.headers.iter().map(pair).collect()))
}

fn options(plan: &Plan) -> Json {
    Json(serde_json::to_value(&plan.options).unwrap_or_default())
}

/// Gives a mail back what its writer wrote, without the signature and the original that were added when it was sent.
pub async fn restore(tx: &mut DbConn, email: EmailId, revision: i64, plan: &Plan, now: Timestamp) -> QueryResult<()> {
    let Some(own) = plan.options.own.clone() else { return Ok(()) };
    let query = diesel::update(emails::table.find(email))
        .set((emails::body_text.eq(&own.text), emails::body_html.eq(&own.html)));
    on_conn!(tx, |c| query.execute(c).await)?;
    let shown = own.html.unwrap_or_default();
    let query = email_attachments::table
        .filter(email_attachments::email_id.eq(email))
        .filter(email_attachments::is_inline)
        .select((email_attachments::id, email_attachments::content_id));
    let images: Vec<(AttachmentId, Option<String>)> = on_conn!(tx, |c| query.load(c).await)?;
    let quoted =
        images.into_iter().filter(|(_, cid)| cid.as_ref().is_none_or(|cid| !shown.contains(&format!("cid:{cid}"))));
    let quoted: Vec<AttachmentId> = quoted.map(|(id, _)| id).collect();
    let query = diesel::delete(email_attachments::table.filter(email_attachments::id.eq_any(quoted)));
    on_conn!(tx, |c| query.execute(c).await)?;
    let options = Options { is_whole: false, own: None, ..plan.options.clone() };
    let plan = Plan { options, ..plan.clone() };
    update(tx, email, revision, &plan, Due::default(), now).await?;
    Ok(())
}

/// Sets when a person wants a mail to be sent.
pub async fn set_scheduled_at(tx: &mut DbConn, email: EmailId, at: Option<Timestamp>) -> QueryResult<()> {
    let query = diesel::update(emails::table.find(email)).set(emails::scheduled_at.eq(at));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Makes a mail due, or with nothing takes it off the sender's list; as if never tried.
pub async fn set_due(tx: &mut DbConn, email: EmailId, at: Option<Timestamp>, now: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(email)).set((
        email_outgoing::due_at.eq(at),
        email_outgoing::file_due_at.eq(None::<Timestamp>),
        email_outgoing::attempts.eq(0),
        email_outgoing::error_code.eq(None::<String>),
        email_outgoing::updated_at.eq(now),
    ));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Makes the provider's copy of a draft due to be brought in step.
pub async fn set_mirror_due(tx: &mut DbConn, email: EmailId, at: Timestamp) -> QueryResult<()> {
    let query = diesel::update(email_outgoing::table.find(email)).set(email_outgoing::mirror_due_at.eq(at));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// Changes the status of a mail, if it still has one of these. Answers whether it did.
pub async fn turn(
    tx: &mut DbConn,
    email: EmailId,
    from: &[MailStatus],
    to: MailStatus,
    now: Timestamp,
) -> QueryResult<bool> {
    let from: Vec<&str> = from.iter().map(|status| status.as_str()).collect();
    let turned = on_conn!(tx, |c| {
        diesel::update(emails::table.find(email).filter(emails::status.eq_any(from)))
            .set((emails::status.eq(to.as_str()), emails::error_message.eq(None::<String>), emails::updated_at.eq(now)))
            .execute(c)
            .await
    })?;
    Ok(turned == 1)
}

/// Hides a discarded draft until the provider has removed its copy too.
pub async fn hide(tx: &mut DbConn, email: EmailId, now: Timestamp) -> QueryResult<()> {
    let query =
        diesel::update(emails::table.find(email)).set((emails::deleted_at.eq(Some(now)), emails::updated_at.eq(now)));
    on_conn!(tx, |c| query.execute(c).await)?;
    Ok(())
}

/// The mail that was made with an Idempotency-Key.
pub async fn by_client_key(conn: &mut DbConn, account: AccountId, key: &str) -> QueryResult<Option<EmailId>> {
    let query = email_outgoing::table
        .filter(email_outgoing::account_id.eq(account))
        .filter(email_outgoing::client_key.eq(key))
        .select(email_outgoing::email_id);
    on_conn!(conn, |c| query.first(c).await.optional())
}

/// Whether an organization has this contact.
pub async fn has_contact(conn: &mut DbConn, org: OrgId, id: ContactId) -> QueryResult<bool> {
    let query = contacts::table.filter(contacts::organization_id.eq(org)).filter(contacts::id.eq(id)).count();
    let found: i64 = on_conn!(conn, |c| query.get_result(c).await)?;
    Ok(found > 0)
}

/// Whether an organization has this deal.
pub async fn has_deal(conn: &mut DbConn, org: OrgId, id: DealId) -> QueryResult<bool> {
    let query = deals::table.filter(deals::organization_id.eq(org)).filter(deals::id.eq(id)).count();
    let found: i64 = on_conn!(conn, |c| query.get_result(c).await)?;
    Ok(found > 0)
}

/// A mail of this person that is answered or forwarded, with its files.
pub async fn source(
    conn: &mut DbConn,
    user: UserId,
    id: EmailId,
) -> QueryResult<Option<(ReplySource, Vec<WrittenFile>)>> {
    type Row = (
        Option<String>,
        Option<String>,
        Json,
        String,
        Option<String>,
        Option<String>,
        Timestamp,
        Option<String>,
        Option<String>,
    );
    let query = emails::table.find(id).filter(emails::user_id.eq(user)).filter(emails::deleted_at.is_null()).select((
        emails::message_id,
        emails::in_reply_to,
        emails::references,
        emails::from_email,
        emails::from_name,
        emails::subject,
        emails::sent_at,
        emails::body_text,
        emails::body_html,
    ));
    let row: Option<Row> = on_conn!(conn, |c| query.first(c).await.optional())?;
    let Some((message_id, in_reply_to, references, address, name, subject, sent_at, text, html)) = row else {
        return Ok(None);
    };
    let query = email_recipients::table
        .filter(email_recipients::email_id.eq(id))
        .order((email_recipients::recipient_type, email_recipients::position))
        .select((email_recipients::recipient_type, email_recipients::email_address, email_recipients::name));
    let people: Vec<(String, String, Option<String>)> = on_conn!(conn, |c| query.load(c).await)?;
    let of = |kind: &str| -> Vec<Address> {
        let those = people.iter().filter(|(of, ..)| of == kind);
        those.map(|(_, address, name)| Address { name: name.clone(), address: address.clone() }).collect()
    };
    let query = email_attachments::table.filter(email_attachments::email_id.eq(id)).order(email_attachments::id);
    let files: Vec<super::load::FileRow> =
        on_conn!(conn, |c| query.select(super::load::FileRow::as_select()).load(c).await)?;
    let source = ReplySource {
        message_id,
        in_reply_to,
        references: serde_json::from_value(references.0).unwrap_or_default(),
        from: (!address.is_empty()).then_some(Address { name, address }),
        reply_to: of("reply_to"),
        to: of("to"),
        cc: of("cc"),
        subject: subject.unwrap_or_default(),
        date: Some(sent_at.utc()),
        text,
        html,
    };
    Ok(Some((source, files.into_iter().map(WrittenFile::from).collect())))
}
