//! Which parts of the MIME tree are the text, which are files (RFC 2046, RFC 2183, RFC 2387).

use ring::digest;

use super::limits::MAX_TEXT_BYTES;
use super::mime::charset;
use super::mime::params::file_name;
use super::mime::tree::Part;
use super::mime::words::find;
use super::model::{Attachment, Defect};
use super::{html, message_id};

/// The bodies and files of a mail.
#[derive(Debug, Default)]
pub struct Content {
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// Whether there is a calendar part that asks for or gives an answer.
    pub is_invitation: bool,
    pub defects: Vec<Defect>,
}

/// Collects the bodies and files below `root`.
pub fn collect(root: &Part<'_>) -> Content {
    let mut content = Content::default();
    content.part(root, Place::default());
    content.mark_inline();
    content
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    nested: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Text,
    Html,
    File,
    Ignored,
}

impl Content {
    fn part(&mut self, part: &Part<'_>, place: Place) {
        if part.ctype.mime == "multipart/encrypted" {
            self.defects.push(Defect::Encrypted);
        }
        if part.ctype.is_multipart() {
            self.container(part);
            return;
        }
        match role(part, place, self.text.is_some() || self.html.is_some()) {
            Role::Text => self.text(part),
            Role::Html => self.html(part),
            Role::File => self.file(part),
            Role::Ignored => {}
        }
    }

    fn container(&mut self, part: &Part<'_>) {
        let alternative = part.ctype.mime == "multipart/alternative";
        let inner = Place { nested: true };
        if !alternative {
            for child in &part.children {
                self.part(child, inner);
            }
            return;
        }
        let (text, html) = (self.text.take(), self.html.take());
        for child in &part.children {
            let before = (self.text.take(), self.html.take());
            self.part(child, inner);
            let first = before.0.filter(|old| !old.trim().is_empty());
            self.text = first.or(self.text.take());
            self.html = self.html.take().or(before.1);
        }
        self.text = join(text, self.text.take());
        self.html = join(html, self.html.take());
    }

    fn text(&mut self, part: &Part<'_>) {
        let text = self.decoded(part);
        self.text = join(self.text.take(), Some(text));
    }

    fn html(&mut self, part: &Part<'_>) {
        let text = self.decoded(part);
        self.html = join(self.html.take(), Some(text));
    }

    /// The text of a part: transfer encoding and charset undone, line feeds alone, bounded.
    fn decoded(&mut self, part: &Part<'_>) -> String {
        let mut content = part.content();
        if content.damaged {
            self.defects.push(Defect::BadEncoding);
        }
        if content.bytes.len() > MAX_TEXT_BYTES {
            content.bytes.truncate(MAX_TEXT_BYTES);
            self.defects.push(Defect::TextTruncated);
        }
        let mut declared = part.ctype.param("charset").map(str::to_owned);
        if declared.is_none() && part.ctype.mime == "text/html" {
            declared = meta_charset(&content.bytes);
        }
        let wide = declared.as_deref().is_some_and(charset::is_wide);
        if !wide && content.bytes.contains(&0) {
            content.bytes.retain(|byte| *byte != 0);
            self.defects.push(Defect::NulBytes);
        }
        let decoded = charset::decode(&content.bytes, declared.as_deref());
        if decoded.damaged {
            self.defects.push(Defect::BadCharset);
        }
        match decoded.text.contains('\r') {
            true => decoded.text.replace("\r\n", "\n").replace('\r', "\n"),
            false => decoded.text.into_owned(),
        }
    }

    fn file(&mut self, part: &Part<'_>) {
        let content = part.content();
        if content.damaged {
            self.defects.push(Defect::BadEncoding);
        }
        let mime = part.ctype.mime.clone();
        if mime == "text/calendar" || mime == "application/ics" {
            let method = part.ctype.param("method").map(str::to_ascii_lowercase);
            self.is_invitation |= match method.as_deref() {
                Some(method) => method != "publish",
                None => find(&content.bytes, 0, b"METHOD:RE").is_some(),
            };
        }
        if matches!(mime.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime") {
            self.defects.push(Defect::Encrypted);
        }
        let content_id = part.headers.first("content-id").and_then(message_id::single);
        self.attachments.push(Attachment {
            part_id: part.id.clone(),
            file_name: file_name(&part.disposition, &part.ctype),
            mime_type: mime,
            content_id,
            is_inline: false,
            sha256: sha256_hex(&content.bytes),
            content: content.bytes,
        });
    }

    /// A part is inline only if the HTML shows it, whatever its disposition says.
    fn mark_inline(&mut self) {
        let Some(html) = &self.html else { return };
        let referenced = html::content_ids(html);
        for attachment in &mut self.attachments {
            let id = attachment.content_id.as_deref();
            attachment.is_inline = id.is_some_and(|id| referenced.contains(&id.to_lowercase()));
        }
    }
}

/// What a leaf part is for.
///
/// A text with a name but without a disposition is the body if nothing else is, else a file.
fn role(part: &Part<'_>, place: Place, has_body: bool) -> Role {
    let named = has_body && file_name(&part.disposition, &part.ctype).is_some();
    let as_file = part.disposition.attachment || (named && place.nested && !part.disposition.inline);
    match part.ctype.mime.as_str() {
        "text/plain" if !as_file => Role::Text,
        "text/html" | "application/xhtml+xml" if !as_file => Role::Html,
        mime if mime.starts_with("multipart/") => Role::Ignored,
        _ => Role::File,
    }
}

fn join(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(mut first), Some(second)) => {
            if first.len() + second.len() < MAX_TEXT_BYTES {
                if !first.is_empty() && !first.ends_with('\n') {
                    first.push('\n');
                }
                first.push_str(&second);
            }
            Some(first)
        }
        (first, second) => first.or(second),
    }
}

/// The charset that an HTML text declares about itself.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..2048).unwrap_or(bytes).to_ascii_lowercase();
    let at = find(&head, 0, b"charset=")? + "charset=".len();
    let value = head.get(at..)?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let is_label = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label: Vec<u8> = value.iter().take_while(is_label).copied().collect();
    String::from_utf8(label).ok().filter(|label| !label.is_empty())
}

/// The SHA-256 digest in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}
