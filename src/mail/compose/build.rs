//! Puts a mail together: texts, pictures within them, and files, each in the container it belongs to (RFC 2046).

use std::borrow::Cow;
use std::collections::HashSet;

use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;

use super::check::ComposeError;
use super::composed::Composed;
use super::fields::Fields;
use super::files;
use super::model::{Outgoing, OutgoingFile};
use crate::mail::body::sha256_hex;
use crate::mail::html::{content_ids, to_text};

/// Builds the MIME form of a mail.
///
/// Everything but an address beyond ASCII is written in ASCII, in lines of at most 998 octets that end with CRLF.
///
/// # Errors
///
/// When a field holds what would break out of it, or an address is none.
pub fn compose(mail: &Outgoing) -> Result<Composed, ComposeError> {
    let fields = Fields::of(mail)?;
    files::check(&mail.files)?;
    let bodies = Bodies::of(mail)?;
    let message = MessageBuilder { headers: fields.list, ..MessageBuilder::new() }.body(tree(mail, &bodies));
    let mut octets = message.write_to_vec().map_err(|_| unbuildable())?;
    if !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    Composed::cut(octets, &mail.files, fields.smtputf8).ok_or_else(unbuildable)
}

fn unbuildable() -> ComposeError {
    ComposeError::new("mail", "cannot be built")
}

/// The texts in the form that MIME wants: lines that end with CRLF, the last one as well.
struct Bodies {
    text: String,
    html: Option<String>,
}

impl Bodies {
    fn of(mail: &Outgoing) -> Result<Self, ComposeError> {
        for (field, body) in [("text", &mail.text), ("html", &mail.html)] {
            if body.as_ref().is_some_and(|body| body.contains('\0')) {
                return Err(ComposeError::new(field, "must not contain a NUL character"));
            }
        }
        let html = mail.html.as_deref().filter(|html| !html.trim().is_empty());
        let given = mail.text.as_deref().filter(|text| html.is_none() || !text.trim().is_empty());
        let text = match (given, html) {
            (Some(text), _) => Cow::Borrowed(text),
            (None, Some(html)) => Cow::Owned(derived_text(html)),
            (None, None) => Cow::Borrowed(""),
        };
        Ok(Self { text: canonical(&text), html: html.map(canonical) })
    }
}

/// The text of an HTML body. Where it shows the line that begins a signature, the text gets the one with the space that
/// programs look for (RFC 3676 §4.3).
pub(super) fn derived_text(html: &str) -> String {
    let text = to_text(html);
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines() {
        out.push_str(if line == "--" { "-- " } else { line });
        out.push('\n');
    }
    out
}

fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        let (line, end) = rest.split_at(at);
        out.push_str(line);
        out.push_str("\r\n");
        rest = end.strip_prefix("\r\n").unwrap_or_else(|| end.get(1..).unwrap_or_default());
    }
    out.push_str(rest);
    if !out.is_empty() && !rest.is_empty() {
        out.push_str("\r\n");
    }
    out
}

/// `mixed(alternative(text, related(html, pictures)), files)`, without the containers that would hold one part.
fn tree<'a>(mail: &'a Outgoing, bodies: &'a Bodies) -> MimePart<'a> {
    let boundary = boundary(mail, bodies);
    let referenced = bodies.html.as_deref().map(content_ids).unwrap_or_default();
    let (shown, attached) = sorted(&mail.files, &referenced);
    let text = text_part("text/plain", &bodies.text);
    let body = match bodies.html.as_deref() {
        None => text,
        Some(html) => {
            let mut html = text_part("text/html", html);
            if !shown.is_empty() {
                let kind = ContentType::new("multipart/related").attribute("type", "text/html");
                html = container(kind, format!("{boundary}-r"), html, shown);
            }
            container(ContentType::new("multipart/alternative"), format!("{boundary}-a"), text, vec![html])
        }
    };
    if attached.is_empty() {
        return body;
    }
    container(ContentType::new("multipart/mixed"), format!("{boundary}-m"), body, attached)
}

/// The files that the text shows, each Content-ID once, and all others.
fn sorted<'a>(files: &'a [OutgoingFile], referenced: &HashSet<String>) -> (Vec<MimePart<'a>>, Vec<MimePart<'a>>) {
    let (mut shown, mut attached) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for (index, file) in files.iter().enumerate() {
        let reference = files::reference(file).filter(|id| referenced.contains(id));
        if reference.is_some_and(|id| seen.insert(id)) {
            shown.push(files::part(index, file, true));
        } else {
            attached.push(files::part(index, file, false));
        }
    }
    (shown, attached)
}

fn text_part<'a>(kind: &'static str, text: &'a str) -> MimePart<'a> {
    MimePart::new(ContentType::new(kind).attribute("charset", "utf-8"), text)
}

fn container<'a>(
    kind: ContentType<'a>,
    boundary: String,
    first: MimePart<'a>,
    others: Vec<MimePart<'a>>,
) -> MimePart<'a> {
    let parts: Vec<_> = std::iter::once(first).chain(others).collect();
    MimePart::new(kind.attribute("boundary", boundary), parts)
}

/// A line between parts that is the same for the same mail and stands in none of its texts. Quoted-printable and base64
/// cannot contain `=_`; a text that is short and ASCII goes as it is, so it is looked through.
fn boundary(mail: &Outgoing, bodies: &Bodies) -> String {
    let mut try_number = 0_u32;
    loop {
        let digest = sha256_hex(format!("boundary {try_number} {}", mail.message_id).as_bytes());
        let boundary = format!("=_{}", crate::mail::limits::prefix(&digest, 32));
        let taken =
            bodies.text.contains(&boundary) || bodies.html.as_deref().is_some_and(|html| html.contains(&boundary));
        if !taken {
            return boundary;
        }
        try_number = try_number.wrapping_add(1);
    }
}
