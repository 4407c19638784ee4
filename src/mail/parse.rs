//! From raw bytes to [`ParsedMail`]; nothing in here can fail.

use std::borrow::Cow;

use super::limits::{MAX_HEADER_VALUE_BYTES, MAX_MAIL_BYTES, MAX_SUBJECT_BYTES, truncate};
use super::mime::header::{Headers, slice, split};
use super::mime::tree::{self, Part, Tree};
use super::mime::words;
use super::model::{Defect, ParsedMail};
use super::{address, body, bounce, classify, date, html, message_id, threading, visible};

/// Header fields that are kept because something later reads them.
const KEPT: [&str; 25] = [
    "return-path",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "precedence",
    "feedback-id",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-failed-recipients",
    "x-mailer",
    "user-agent",
    "thread-index",
    "thread-topic",
    "authentication-results",
    "x-original-from",
    "x-original-to",
    "delivered-to",
    "x-spam-flag",
    "importance",
    "x-priority",
    "disposition-notification-to",
    "x-loop",
    // Our own mark on a draft that we put into the mailbox.
    "x-duplex-draft",
];

/// Reads a raw mail. Whatever cannot be understood is left out and noted as a defect.
///
/// A mail above 25 MiB is read like [`parse_head`] does.
pub fn parse(raw: &[u8]) -> ParsedMail {
    if raw.len() > MAX_MAIL_BYTES {
        return parse_head(raw);
    }
    let raw = readable(raw);
    let tree = tree::read(&raw);
    let mut mail = envelope(&tree);
    let content = body::collect(&tree.root);
    mail.body_text = content.text.filter(|text| !text.trim().is_empty());
    mail.body_html = content.html.filter(|text| !text.trim().is_empty());
    mail.attachments = content.attachments;
    for defect in content.defects {
        mail.note(defect);
    }
    mail.bounce = bounce::read(&tree.root, &mail);
    mail.kind = classify::kind(&tree.root, &mail, content.is_invitation);
    show(&mut mail);
    if raw.trim_ascii().is_empty() {
        mail.note(Defect::Empty);
    }
    mail
}

/// Reads only the headers of a mail whose body is too large to parse.
pub fn parse_head(head: &[u8]) -> ParsedMail {
    let window = slice(head, 0, head.len().min(4 * super::limits::MAX_HEADER_BYTES));
    let window = readable(window);
    let tree = tree::read_head(&window);
    let mut mail = envelope(&tree);
    mail.kind = classify::kind(&tree.root, &mail, false);
    mail.note(Defect::TooLarge);
    mail
}

/// The mail without what stands before its first header: a byte order mark or blank lines. Where lines end in
/// bare carriage returns they are turned into line feeds.
fn readable(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let start = raw.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let raw = match start {
        Some(start) if start > 0 && !split(slice(raw, start, raw.len())).headers.is_empty() => {
            slice(raw, start, raw.len())
        }
        _ => raw,
    };
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    let feeds = raw.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte });
    Cow::Owned(feeds.collect())
}

/// Everything that the header block says.
fn envelope(tree: &Tree<'_>) -> ParsedMail {
    let headers = &tree.root.headers;
    let mut mail = ParsedMail::default();
    for defect in &tree.defects {
        mail.note(*defect);
    }
    mail.message_id = headers.first("message-id").and_then(message_id::single);
    mail.in_reply_to = headers.first("in-reply-to").map(message_id::list).unwrap_or_default();
    mail.references = headers.first("references").map(message_id::list).unwrap_or_default();
    mail.subject = headers.first("subject").map(words::decode).unwrap_or_default();
    truncate(&mut mail.subject, MAX_SUBJECT_BYTES);
    people(headers, &mut mail);
    dates(headers, &mut mail);
    for name in KEPT {
        if let Some(value) = headers.first(name) {
            let mut value = words::decode(value);
            truncate(&mut value, MAX_HEADER_VALUE_BYTES);
            mail.headers.push((name.to_owned(), value));
        }
    }
    if mail.message_id.is_none() {
        mail.note(Defect::MissingMessageId);
    }
    mail
}

fn people(headers: &Headers<'_>, mail: &mut ParsedMail) {
    let mut list = |name: &str| {
        let mut found = Vec::new();
        for value in headers.all(name).take(20) {
            let parsed = address::parse_raw(value);
            if parsed.is_empty() && value.contains(&b'@') {
                mail.defects.push(Defect::BadAddress);
            }
            found.extend(parsed);
        }
        found.truncate(super::limits::MAX_ADDRESSES);
        found
    };
    let (to, cc, bcc, reply_to) = (list("to"), list("cc"), list("bcc"), list("reply-to"));
    let one = |name: &str| {
        let parsed = headers.first(name).map(address::parse_raw);
        parsed.and_then(|list| list.into_iter().next())
    };
    mail.from = one("from");
    mail.sender = one("sender");
    (mail.to, mail.cc, mail.bcc, mail.reply_to) = (to, cc, bcc, reply_to);
    if mail.from.is_none() {
        mail.note(Defect::MissingFrom);
    }
    mail.defects.dedup();
}

fn dates(headers: &Headers<'_>, mail: &mut ParsedMail) {
    if let Some(value) = headers.first("date") {
        mail.date = date::parse(&words::decode(value));
        if mail.date.is_none() {
            mail.note(Defect::BadDate);
        }
    }
    let received = headers.first("received").map(words::decode);
    mail.received = received.and_then(|value| date::of_received(&value));
}

/// Derives what is shown: the visible text and the snippet.
fn show(mail: &mut ParsedMail) {
    let text = match (&mail.body_text, &mail.body_html) {
        (Some(text), _) => Cow::Borrowed(text.as_str()),
        (None, Some(html)) => Cow::Owned(html::to_marked_text(html)),
        (None, None) => return,
    };
    let forward = threading::is_forward_subject(&mail.subject);
    let visible = visible::strip(&text, forward);
    mail.snippet = visible::snippet(&visible);
    mail.visible_text = (!visible.is_empty()).then_some(visible);
}

/// The headers of a nested mail, for example the one a delivery report returns.
pub(super) fn nested_headers<'a>(part: &Part<'a>) -> Headers<'a> {
    split(part.body).headers
}
