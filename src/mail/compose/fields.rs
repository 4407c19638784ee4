//! The header fields of a mail, in the order in which they are written.

use std::borrow::Cow;

use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

use super::address::check_address;
use super::check::{ComposeError, check_field, check_header, check_message_id, check_text, is_id};
use super::model::Outgoing;
use crate::mail::Mailbox;

/// Longest word that stands unbroken on a line of its own; a line has at most 998 octets (RFC 5322 §2.1.1).
const MAX_WORD_BYTES: usize = 900;
/// Most identifiers of a thread that are written.
const MAX_REFERENCES: usize = 20;

/// The fields, and whether one of their addresses needs SMTPUTF8 (RFC 6531).
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub list: Vec<(Cow<'a, str>, HeaderType<'a>)>,
    pub smtputf8: bool,
}

impl<'a> Fields<'a> {
    /// Checks and collects the fields of a mail.
    pub fn of(mail: &'a Outgoing) -> Result<Self, ComposeError> {
        let mut fields = Self::default();
        fields.add("Date", Date::new(mail.date.timestamp()));
        let from = fields.mailbox("from", &mail.from)?;
        fields.add("From", from);
        fields.people("Reply-To", "reply_to", &mail.reply_to)?;
        fields.recipients(mail)?;
        check_message_id(&mail.message_id)?;
        fields.add("Message-ID", MessageId::new(mail.message_id.as_str()));
        fields.thread(mail)?;
        check_text("subject", &mail.subject)?;
        if !mail.subject.trim().is_empty() {
            fields.add("Subject", unstructured(&mail.subject));
        }
        fields.add("MIME-Version", Raw::new("1.0"));
        for (name, value) in &mail.marks {
            check_field(name, value)?;
            fields.add(*name, unstructured(value));
        }
        for (name, value) in &mail.headers {
            check_header(name, value)?;
            fields.add(name.as_str(), unstructured(value));
        }
        Ok(fields)
    }

    fn add(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<HeaderType<'a>>) {
        self.list.push((name.into(), value.into()));
    }

    fn recipients(&mut self, mail: &'a Outgoing) -> Result<(), ComposeError> {
        self.people("To", "to", &mail.to)?;
        self.people("Cc", "cc", &mail.cc)?;
        if mail.keep_bcc {
            return self.people("Bcc", "bcc", &mail.bcc);
        }
        // They are not written, but the server that is to take them must be able to.
        self.mailboxes("bcc", &mail.bcc)?;
        if mail.to.is_empty() && mail.cc.is_empty() && !mail.bcc.is_empty() {
            // Without any field for recipients old servers would write one, with all of them in it.
            self.add("To", Raw::new("undisclosed-recipients:;"));
        }
        Ok(())
    }

    fn people(&mut self, name: &'static str, field: &str, list: &'a [Mailbox]) -> Result<(), ComposeError> {
        let list = self.mailboxes(field, list)?;
        if !list.is_empty() {
            self.add(name, Address::new_list(list));
        }
        Ok(())
    }

    fn mailboxes(&mut self, field: &str, list: &'a [Mailbox]) -> Result<Vec<Address<'a>>, ComposeError> {
        let each = list.iter().enumerate();
        each.map(|(at, mailbox)| self.mailbox(&format!("{field}[{at}]"), mailbox)).collect()
    }

    fn mailbox(&mut self, field: &str, mailbox: &'a Mailbox) -> Result<Address<'a>, ComposeError> {
        let address = check_address(&mailbox.address).map_err(|error| error.at(field))?;
        self.smtputf8 |= !address.is_ascii();
        let name = mailbox.name.as_deref().unwrap_or_default();
        check_text(field, name)?;
        let name = Some(name.trim()).filter(|name| !name.is_empty());
        Ok(Address::new_address(name.map(literal), address))
    }

    fn thread(&mut self, mail: &'a Outgoing) -> Result<(), ComposeError> {
        for id in &mail.references {
            check_text("references", id)?;
        }
        if let Some(id) = mail.in_reply_to.as_deref() {
            check_text("in_reply_to", id)?;
            if is_id(id) {
                self.add("In-Reply-To", MessageId::new(id));
            }
        }
        let references = shortened(mail.references.iter().map(String::as_str).filter(|id| is_id(id)).collect());
        if !references.is_empty() {
            self.add("References", MessageId::new_list(references.into_iter()));
        }
        Ok(())
    }
}

/// A long thread keeps its root and the nearest ancestors: both are what other programs look for.
pub(super) fn shortened<T>(mut ids: Vec<T>) -> Vec<T> {
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..=ids.len() - MAX_REFERENCES);
    }
    ids
}

/// Free text: as it is where that can be read back unchanged, otherwise in encoded words (RFC 2047).
fn unstructured(text: &str) -> HeaderType<'_> {
    let text = text.trim();
    let plain = text.is_ascii() && !text.contains("=?") && !text.contains("  ");
    if plain && text.split(' ').all(|word| word.len() <= MAX_WORD_BYTES) {
        return Raw::new(text).into();
    }
    Text::new(literal(text)).into()
}

/// A text that looks like an encoded word must be encoded itself, or readers would decode it. The library encodes what
/// ends with a space, which no reader shows.
fn literal(text: &str) -> Cow<'_, str> {
    if text.contains("=?") { Cow::Owned(format!("{text} ")) } else { Cow::Borrowed(text) }
}
