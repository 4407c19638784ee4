//! Delivery reports: the standard form (RFC 3464) and the prose that many servers still write.

use super::mime::header::{Headers, line_end, slice, split};
use super::mime::tree::{self, Part};
use super::mime::words;
use super::model::{Bounce, BounceRecipient, ParsedMail};
use super::{address, bounce_prose, message_id, parse};

/// Most recipients that are read from one report.
const MAX_RECIPIENTS: usize = 500;
/// Longest diagnostic that is kept, in bytes.
const MAX_DIAGNOSTIC_BYTES: usize = 1_000;

/// What the mail reports about the delivery of another one, if that is what it is.
pub fn read(root: &Part<'_>, mail: &ParsedMail) -> Option<Bounce> {
    let mut found = Found::default();
    found.visit(root);
    if !found.status_seen && bounce_prose::is_from_a_mail_system(mail) {
        found.visit_returned(root, 0);
    }
    let standard = found.status_seen;
    let mut recipients = found.recipients;
    if recipients.is_empty() {
        let prose = bounce_prose::recipients(root, mail);
        if !standard && prose.is_none() {
            return None;
        }
        recipients = prose.unwrap_or_default();
    }
    let original = found.original.or_else(|| {
        let text = mail.body_text.as_deref()?;
        bounce_prose::original_message_id(text)
    });
    Some(Bounce { recipients, original_message_id: original })
}

#[derive(Default)]
struct Found {
    status_seen: bool,
    recipients: Vec<BounceRecipient>,
    original: Option<String>,
}

impl Found {
    fn visit(&mut self, part: &Part<'_>) {
        match part.ctype.mime.as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                self.status_seen = true;
                self.status(&part.content().bytes);
            }
            "message/rfc822" | "message/global" => {
                self.note_original(&parse::nested_headers(part));
            }
            "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" => {
                let content = part.content();
                self.note_original(&split(&content.bytes).headers);
            }
            _ => {}
        }
        for child in &part.children {
            self.visit(child);
        }
    }

    /// Looks into attached mails: some gateways wrap the report of another server.
    fn visit_returned(&mut self, part: &Part<'_>, depth: usize) {
        if part.ctype.mime == "message/rfc822" && depth < 3 {
            let nested = tree::read(part.body);
            self.visit(&nested.root);
        }
        for child in &part.children {
            self.visit_returned(child, depth + 1);
        }
    }

    fn note_original(&mut self, headers: &Headers<'_>) {
        if self.original.is_none() {
            self.original = headers.first("message-id").and_then(message_id::single);
        }
    }

    /// Reads the groups of fields: one about the mail, then one for each recipient.
    fn status(&mut self, content: &[u8]) {
        let mut rest = content.trim_ascii();
        while !rest.is_empty() && self.recipients.len() < MAX_RECIPIENTS {
            let group = split(rest);
            self.recipients.extend(recipient(&group.headers));
            self.recipients.dedup_by(|next, last| next.address == last.address);
            rest = if group.body.len() < rest.len() { group.body } else { slice(rest, line_end(rest, 0), rest.len()) };
        }
    }
}

fn recipient(headers: &Headers<'_>) -> Option<BounceRecipient> {
    let address = headers
        .first("final-recipient")
        .and_then(typed_address)
        .or_else(|| headers.first("original-recipient").and_then(typed_address))?;
    let action = headers.first("action").map(words::decode);
    let status = headers.first("status").map(words::decode);
    let diagnostic = headers.first("diagnostic-code").map(words::decode);
    Some(BounceRecipient {
        address,
        action: action.and_then(|value| first_word(&value)).map(|word| word.to_lowercase()),
        status: status.and_then(|value| first_word(&value)),
        diagnostic: diagnostic.map(bounded),
    })
}

/// The address of `rfc822; someone@example.org`.
fn typed_address(value: &[u8]) -> Option<String> {
    let text = words::decode(value);
    let address = text.split_once(';').map_or(text.as_str(), |(_, address)| address);
    let parsed = address::parse(address).into_iter().next();
    parsed.map(|mailbox| mailbox.address)
}

fn first_word(value: &str) -> Option<String> {
    let word = value.split([' ', '(', ';']).find(|word| !word.is_empty())?;
    Some(word.to_owned())
}

/// A diagnostic of a length fit to be shown.
pub(super) fn bounded(mut text: String) -> String {
    super::limits::truncate(&mut text, MAX_DIAGNOSTIC_BYTES);
    text
}
