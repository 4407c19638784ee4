//! The rows that a new mail becomes.

use data_encoding::HEXLOWER_PERMISSIVE;
use diesel::prelude::Insertable;
use serde_json::Value;

use super::own::judge::MARKER;
use super::placement::State;
use crate::clock::Timestamp;
use crate::db::schema::{email_attachments, email_recipients, emails};
use crate::db::types::Json;
use crate::ids::{AccountId, AttachmentId, EmailId, FolderId, OrgId, RecipientId, ThreadId, UserId};
use crate::mail::{Attachment, Defect, Mailbox as Address, ParsedMail};
use crate::messages::model::{IncomingMail, Mailbox};
use crate::messages::written::{LOCAL, Written, WrittenFile};

/// Most recipients of a mail that are kept; a longer list is an announcement, and each row costs three indexes.
const MAX_RECIPIENTS: usize = 500;

#[derive(Insertable)]
#[diesel(table_name = emails, treat_none_as_default_value = false)]
pub(super) struct NewEmail {
    pub id: EmailId,
    pub organization_id: OrgId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub external_id: String,
    pub thread_id: Option<ThreadId>,
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub references: Json,
    pub from_email: String,
    pub from_name: Option<String>,
    pub subject: Option<String>,
    pub snippet: Option<String>,
    pub direction: &'static str,
    pub status: &'static str,
    pub kind: &'static str,
    pub sent_at: Timestamp,
    pub received_at: Timestamp,
    pub is_read: bool,
    pub is_starred: bool,
    pub is_archived: bool,
    pub is_draft: bool,
    pub is_trashed: bool,
    pub is_spam: bool,
    pub is_answered: bool,
    pub has_attachments: bool,
    pub attachment_count: i32,
    pub headers: Json,
    pub raw_ref: Option<String>,
    pub raw_size: Option<i64>,
    pub defects: Json,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub synced_at: Timestamp,
    pub body_visible_text: Option<String>,
    pub body_text: Option<String>,
    pub body_html: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = email_recipients, treat_none_as_default_value = false)]
pub(super) struct NewRecipient {
    id: RecipientId,
    email_id: EmailId,
    recipient_type: &'static str,
    position: i32,
    email_address: String,
    email_normalized: String,
    name: Option<String>,
    created_at: Timestamp,
}

#[derive(Insertable)]
#[diesel(table_name = email_attachments, treat_none_as_default_value = false)]
pub(super) struct NewAttachment {
    id: AttachmentId,
    organization_id: OrgId,
    email_id: EmailId,
    file_name: String,
    mime_type: Option<String>,
    size_bytes: Option<i64>,
    storage_path: String,
    sha256: Option<Vec<u8>>,
    content_id: Option<String>,
    is_inline: bool,
    part_id: Option<String>,
    created_at: Timestamp,
}

/// The rows of a batch, table by table.
#[derive(Default)]
pub(super) struct Rows {
    pub emails: Vec<NewEmail>,
    pub recipients: Vec<NewRecipient>,
    pub attachments: Vec<NewAttachment>,
}

/// What a mail becomes: its identity, and what was decided about it.
pub(super) struct Decided<'a> {
    pub id: EmailId,
    pub thread: ThreadId,
    pub owner: &'a Mailbox,
    pub state: State,
    pub now: Timestamp,
}

/// Whether a mail comes from the mailbox itself: the author decides, not the folder.
pub(super) fn is_outbound(parsed: &ParsedMail, owner: &Mailbox, state: State) -> bool {
    match parsed.author() {
        Some(author) => owner.addresses.contains(&author.normalized()),
        // A draft often has no author yet.
        None => state.is_draft,
    }
}

/// The status of a mail that came from a provider.
pub(super) fn status(outbound: bool, is_draft: bool) -> &'static str {
    match (is_draft, outbound) {
        (true, _) => "draft",
        (false, true) => "sent",
        (false, false) => "delivered",
    }
}

impl Rows {
    /// Adds the rows of one mail.
    pub fn push(&mut self, mail: IncomingMail, decided: &Decided<'_>) {
        self.push_recipients(&mail.parsed, decided);
        for attachment in &mail.parsed.attachments {
            self.attachments.push(NewAttachment::new(attachment, decided));
        }
        self.emails.push(NewEmail::new(mail, decided));
    }

    /// Adds the rows of one mail that is written here.
    pub fn push_written(&mut self, written: Written, decided: &Decided<'_>) {
        self.push_recipients(&written.content, decided);
        self.attachments.extend(written.files.iter().map(|file| NewAttachment::written(file, decided)));
        self.emails.push(NewEmail::written(written, decided));
    }

    fn push_recipients(&mut self, parsed: &ParsedMail, decided: &Decided<'_>) {
        let kinds = [("to", &parsed.to), ("cc", &parsed.cc), ("bcc", &parsed.bcc), ("reply_to", &parsed.reply_to)];
        let all = kinds.into_iter().flat_map(|(kind, list)| list.iter().zip(0_i32..).map(move |item| (kind, item)));
        self.recipients.extend(all.take(MAX_RECIPIENTS).map(|(kind, (address, position))| NewRecipient {
            id: RecipientId::new(),
            email_id: decided.id,
            recipient_type: kind,
            position,
            email_normalized: address.normalized(),
            email_address: address.address.clone(),
            name: address.name.clone(),
            created_at: decided.now,
        }));
    }
}

impl NewEmail {
    fn new(mail: IncomingMail, decided: &Decided<'_>) -> Self {
        let Decided { id, thread, owner, state, now } = decided;
        let parsed = mail.parsed;
        let outbound = is_outbound(&parsed, owner, *state);
        let is_marked = parsed.header(MARKER).is_some();
        let author = parsed.author().unwrap_or(Address { name: None, address: String::new() });
        let files = parsed.attachments.iter().filter(|file| !file.is_inline).count();
        Self {
            id: *id,
            organization_id: owner.org,
            account_id: owner.account,
            user_id: owner.user,
            external_id: mail.external_id,
            thread_id: Some(*thread),
            message_id: parsed.message_id,
            in_reply_to: parsed.in_reply_to.into_iter().next(),
            references: strings(parsed.references),
            from_email: author.address,
            from_name: author.name,
            subject: Some(parsed.subject),
            snippet: Some(parsed.snippet),
            direction: if outbound { "outbound" } else { "inbound" },
            // A draft of ours that was thrown away is still a draft.
            status: status(outbound, state.is_draft || is_marked),
            kind: parsed.kind.as_str(),
            sent_at: parsed.date.map_or(mail.received_at, Timestamp::from),
            received_at: mail.received_at,
            is_read: state.is_read,
            is_starred: state.is_starred,
            is_archived: state.is_archived,
            is_draft: state.is_draft,
            is_trashed: state.is_trashed,
            is_spam: state.is_spam,
            is_answered: mail.is_answered,
            has_attachments: files > 0,
            attachment_count: i32::try_from(files).unwrap_or(i32::MAX),
            headers: pairs(parsed.headers),
            raw_ref: mail.raw_ref,
            raw_size: i64::try_from(mail.raw_size).ok(),
            defects: defects(&parsed.defects),
            created_at: *now,
            updated_at: *now,
            synced_at: *now,
            body_visible_text: parsed.visible_text,
            body_text: parsed.body_text,
            body_html: parsed.body_html,
        }
    }
}

impl NewEmail {
    /// The row of a mail that is written here: outbound, read, and nowhere at the provider yet.
    fn written(written: Written, decided: &Decided<'_>) -> Self {
        let files = written.files.iter().filter(|file| !file.is_inline).count();
        let mail = IncomingMail {
            folder: FolderId::from_uuid(uuid::Uuid::nil()),
            uid: 0,
            uid_validity: 0,
            mod_seq: None,
            is_read: true,
            is_starred: false,
            is_answered: false,
            is_draft: decided.state.is_draft,
            received_at: written.at,
            external_id: local_id(decided.id),
            parsed: written.content,
            raw_ref: None,
            raw_size: 0,
        };
        Self {
            direction: "outbound",
            status: written.status.as_str(),
            raw_size: None,
            has_attachments: files > 0,
            attachment_count: i32::try_from(files).unwrap_or(i32::MAX),
            ..Self::new(mail, decided)
        }
    }
}

/// The identity of a mail that no provider knows yet.
pub(super) fn local_id(email: EmailId) -> String {
    format!("{LOCAL}{email}")
}

impl NewAttachment {
    fn written(file: &WrittenFile, decided: &Decided<'_>) -> Self {
        Self {
            id: file.id,
            organization_id: decided.owner.org,
            email_id: decided.id,
            file_name: file.file_name.clone(),
            mime_type: Some(file.mime_type.clone()),
            size_bytes: i64::try_from(file.size).ok(),
            storage_path: file.storage_path.clone(),
            sha256: file
                .storage_path
                .strip_prefix("sha256/")
                .and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()),
            content_id: file.content_id.clone(),
            is_inline: file.is_inline,
            part_id: None,
            created_at: decided.now,
        }
    }

    fn new(file: &Attachment, decided: &Decided<'_>) -> Self {
        Self {
            id: AttachmentId::new(),
            organization_id: decided.owner.org,
            email_id: decided.id,
            file_name: file.file_name.clone().unwrap_or_default(),
            mime_type: Some(file.mime_type.clone()),
            size_bytes: i64::try_from(file.content.len()).ok(),
            storage_path: format!("sha256/{}", file.sha256),
            sha256: HEXLOWER_PERMISSIVE.decode(file.sha256.as_bytes()).ok(),
            content_id: file.content_id.clone(),
            is_inline: file.is_inline,
            part_id: Some(file.part_id.clone()),
            created_at: decided.now,
        }
    }
}

pub(super) fn strings(list: Vec<String>) -> Json {
    Json(Value::Array(list.into_iter().map(Value::String).collect()))
}

/// Headers as `[name, value]` pairs: they keep their order, and one may come several times.
pub(super) fn pairs(list: Vec<(String, String)>) -> Json {
    let pair = |(name, value)| Value::Array(vec![Value::String(name), Value::String(value)]);
    Json(Value::Array(list.into_iter().map(pair).collect()))
}

/// What was wrong with a mail.
pub(super) fn defects(list: &[Defect]) -> Json {
    Json(serde_json::to_value(list).unwrap_or_default())
}
