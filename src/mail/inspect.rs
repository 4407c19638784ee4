//! How a mail is read, as JSON, for people who want to know why it looks as it does.

use serde_json::{Value, json};

use super::model::{Attachment, Mailbox, ParsedMail};
use super::parse;

/// One line of `duplex inspect`, without the name of the file.
pub fn inspect(raw: &[u8]) -> Value {
    describe(&parse(raw))
}

fn describe(mail: &ParsedMail) -> Value {
    json!({
        "subject": mail.subject,
        "from": mail.from.as_ref().map(mailbox),
        "sender": mail.sender.as_ref().map(mailbox),
        "to": mailboxes(&mail.to),
        "cc": mailboxes(&mail.cc),
        "bcc": mailboxes(&mail.bcc),
        "reply_to": mailboxes(&mail.reply_to),
        "date": mail.date.map(|date| date.timestamp()),
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": mail.references,
        "body_text": mail.body_text,
        "body_html": mail.body_html,
        "visible_text": mail.visible_text,
        "snippet": mail.snippet,
        "kind": mail.kind,
        "bounce": mail.bounce,
        "attachments": mail.attachments.iter().map(attachment).collect::<Vec<_>>(),
        "has_attachments": mail.attachments.iter().any(|file| !file.is_inline),
        "defects": mail.defects,
    })
}

fn mailbox(mailbox: &Mailbox) -> Value {
    json!({ "email": mailbox.address, "name": mailbox.name })
}

fn mailboxes(list: &[Mailbox]) -> Vec<Value> {
    list.iter().map(mailbox).collect()
}

fn attachment(file: &Attachment) -> Value {
    json!({
        "part_id": file.part_id,
        "file_name": file.file_name,
        "mime_type": file.mime_type,
        "size_bytes": file.content.len(),
        "is_inline": file.is_inline,
        "content_id": file.content_id,
        "sha256": file.sha256,
    })
}
