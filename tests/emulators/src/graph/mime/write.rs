//! A mail put together anew: the same content, other bytes each time.

use crate::graph::model::{Attachment, Content, Held, Recipient};
use crate::shared::clock::mail_date;
use crate::shared::random::Random;
use data_encoding::{BASE64, BASE64_MIME};
use std::fmt::Write;

/// For whom a mail is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One that came: its head stays as it was.
    Received,
    /// One that was written here: its head is made from what it says.
    Written,
}

/// Fields that are made from what the mail says.
const MADE: [&str; 18] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "importance",
    "x-priority",
    "thread-index",
    "mime-version",
    "disposition-notification-to",
    "return-receipt-to",
    "return-path",
];

/// Fields that Exchange does not let through.
const STRIPPED: [&str; 2] = ["auto-submitted", "received"];

/// The whole mail.
pub fn written(content: &Content, sent: i64, form: Form, random: &Random) -> Vec<u8> {
    let mut head = String::new();
    if form == Form::Received {
        for (name, value) in &content.headers {
            let lower = name.to_ascii_lowercase();
            if !lower.starts_with("content-") && lower != "mime-version" && lower != "bcc" {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        head.push_str("MIME-Version: 1.0\r\n");
    } else {
        made_head(&mut head, content, sent);
    }
    let mut raw = head.into_bytes();
    match &content.verbatim {
        Some(entity) => raw.extend_from_slice(entity),
        None => raw.extend_from_slice(&entity(content, random)),
    }
    raw
}

fn made_head(head: &mut String, content: &Content, sent: i64) {
    let mut people = |name: &str, list: &[Recipient]| {
        if !list.is_empty() {
            let list: Vec<String> = list.iter().map(person).collect();
            let _ = write!(head, "{name}: {}\r\n", list.join(",\r\n\t"));
        }
    };
    people("From", content.from.as_slice());
    if content.sender.as_ref().map(|one| &one.address) != content.from.as_ref().map(|one| &one.address) {
        people("Sender", content.sender.as_slice());
    }
    people("To", &content.to);
    people("CC", &content.cc);
    people("BCC", &content.bcc);
    people("Reply-To", &content.reply_to);
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    };
    field("Subject", &encoded(&content.subject));
    field("Thread-Index", &BASE64.encode(&content.thread_index));
    field("Date", &mail_date(sent));
    field("Message-ID", &content.message_id);
    field("References", &content.references);
    field("In-Reply-To", &content.in_reply_to);
    if content.importance != "normal" {
        field("Importance", &content.importance);
    }
    let from = content.from.as_ref().map(person).unwrap_or_default();
    if content.wants_read_receipt {
        field("Disposition-Notification-To", &from);
    }
    if content.wants_delivery_receipt {
        field("Return-Receipt-To", &from);
    }
    for (name, value) in &content.headers {
        let lower = name.to_ascii_lowercase();
        let is_kept = !MADE.contains(&lower.as_str()) && !STRIPPED.contains(&lower.as_str());
        if is_kept && !lower.starts_with("content-") {
            field(name, value);
        }
    }
    field("MIME-Version", "1.0");
}

fn person(recipient: &Recipient) -> String {
    if recipient.name.is_empty() || recipient.name == recipient.address {
        return format!("<{}>", recipient.address);
    }
    let name = if recipient.name.is_ascii() {
        format!("\"{}\"", recipient.name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        encoded(&recipient.name)
    };
    format!("{name} <{}>", recipient.address)
}

/// Text of a head, in encoded words where it needs them.
fn encoded(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_ascii() && text.len() < 900 {
        return text;
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect();
    words.join("\r\n ")
}

/// The fields about content, an empty line and the body.
fn entity(content: &Content, random: &Random) -> Vec<u8> {
    let text = content.text.as_ref().map(|text| leaf("text/plain; charset=\"utf-8\"", text));
    let html = content.html.as_ref().map(|html| leaf("text/html; charset=\"utf-8\"", html));
    let inner = match (text, html) {
        (Some(text), Some(html)) => joined("alternative", &[text, html], random),
        (None, Some(html)) => html,
        (Some(text), None) => text,
        (None, None) => leaf("text/plain; charset=\"utf-8\"", ""),
    };
    let (inline, apart): (Vec<_>, Vec<_>) =
        content.attachments.iter().partition(|one| one.is_inline && one.content_id.is_some());
    let mut pieces = vec![inner];
    pieces.extend(inline.into_iter().filter_map(|one| attached(one, "inline")));
    let inner = if pieces.len() > 1 { joined("related", &pieces, random) } else { pieces.concat() };
    let mut pieces = vec![inner];
    pieces.extend(apart.into_iter().filter_map(|one| attached(one, "attachment")));
    if pieces.len() > 1 { joined("mixed", &pieces, random) } else { pieces.concat() }
}

fn leaf(kind: &str, text: &str) -> Vec<u8> {
    let whole = format!(
        "Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        BASE64_MIME.encode(text.as_bytes())
    );
    whole.into_bytes()
}

fn joined(kind: &str, pieces: &[Vec<u8>], random: &Random) -> Vec<u8> {
    let boundary = format!("_000_{}_", random.token(30));
    let mut whole = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for piece in pieces {
        whole.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        whole.extend_from_slice(piece);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    whole
}

fn attached(attachment: &Attachment, disposition: &str) -> Option<Vec<u8>> {
    let name = encoded(&attachment.name).replace('"', "'");
    let mut head = String::new();
    let body = match &attachment.held {
        Held::File(bytes) => {
            let kind = attachment.content_type.as_deref().unwrap_or("application/octet-stream");
            let _ = write!(head, "Content-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n");
            BASE64_MIME.encode(bytes).into_bytes()
        }
        Held::Item(raw) => {
            head.push_str("Content-Type: message/rfc822\r\n");
            raw.to_vec()
        }
        Held::Reference(_) => return None,
    };
    let _ = write!(head, "Content-Disposition: {disposition}; filename=\"{name}\"\r\n");
    if let Some(id) = &attachment.content_id {
        let _ = write!(head, "Content-ID: <{id}>\r\n");
    }
    head.push_str("\r\n");
    Some([head.into_bytes(), body].concat())
}
