//! Splits a header block into fields, tolerant of what real mail contains.

use crate::mail::limits::{MAX_HEADER_BYTES, MAX_HEADER_FIELDS};
use crate::mail::model::Defect;

/// One header field: its name and its value as found, folds included.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
}

/// The fields of one header block in their order.
#[derive(Debug, Clone, Default)]
pub struct Headers<'a> {
    fields: Vec<Field<'a>>,
}

impl<'a> Headers<'a> {
    /// The first field of that name: later duplicates are forgeries or accidents.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// All fields of that name.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// Whether there is not a single field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// A header block and what follows it.
#[derive(Debug, Default)]
pub struct Split<'a> {
    pub headers: Headers<'a>,
    pub body: &'a [u8],
    pub defects: Vec<Defect>,
}

/// The raw header block: everything up to and including the blank line that ends it.
///
/// It is what an IMAP server returns for `BODY[HEADER]`, so it can be hashed without the body.
pub fn header_block(raw: &[u8]) -> &[u8] {
    let mut at = 0;
    while at < raw.len() {
        let end = line_end(raw, at);
        if trim_eol(slice(raw, at, end)).is_empty() {
            return slice(raw, 0, end);
        }
        at = end;
    }
    raw
}

/// Reads the fields of a header block and finds where the body begins.
pub fn split(raw: &[u8]) -> Split<'_> {
    let mut out = Split::default();
    let mut at = 0;
    let mut open: Option<(&[u8], usize, usize)> = None;
    while at < raw.len() {
        let end = line_end(raw, at);
        let line = trim_eol(slice(raw, at, end));
        if line.is_empty() {
            close(&mut out, raw, open.take());
            out.body = slice(raw, end, raw.len());
            return out;
        }
        if at > MAX_HEADER_BYTES || out.headers.fields.len() >= MAX_HEADER_FIELDS {
            out.defects.push(Defect::HeaderTooLarge);
            close(&mut out, raw, open.take());
            let block = header_block(slice(raw, at, raw.len())).len();
            out.body = slice(raw, at + block, raw.len());
            return out;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some((_, _, value_end)) = &mut open {
                *value_end = at + line.len();
            }
        } else if let Some(colon) = name_length(line) {
            close(&mut out, raw, open.take());
            let name = slice(line, 0, colon).trim_ascii_end();
            open = Some((name, at + colon + 1, at + line.len()));
        } else if !is_separator_of_mailbox(line) && !followed_by_field(raw, end) {
            out.defects.push(Defect::MissingHeaderEnd);
            close(&mut out, raw, open.take());
            out.body = slice(raw, at, raw.len());
            return out;
        } else if at > 0 {
            out.defects.push(Defect::MalformedHeader);
        }
        at = end;
    }
    close(&mut out, raw, open.take());
    out
}

fn close<'a>(out: &mut Split<'a>, raw: &'a [u8], open: Option<(&'a [u8], usize, usize)>) {
    let Some((name, start, end)) = open else {
        return;
    };
    if end.saturating_sub(start) > MAX_HEADER_BYTES {
        out.defects.push(Defect::HeaderTooLarge);
    }
    let value = slice(raw, start, end.min(start + MAX_HEADER_BYTES));
    out.headers.fields.push(Field { name, value });
}

/// The position of the colon if the line begins like a field: printable ASCII without spaces (RFC 5322 §3.6.8).
fn name_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(200).position(|byte| *byte == b':')?;
    let name = slice(line, 0, colon).trim_ascii_end();
    let printable = name.iter().all(|byte| (33..127).contains(byte));
    (printable && !name.is_empty()).then_some(colon)
}

/// Whether a line is the envelope line that mbox files put before each mail.
fn is_separator_of_mailbox(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// Whether the next line continues a header block, so that one bad line is only a slip.
fn followed_by_field(raw: &[u8], at: usize) -> bool {
    let line = trim_eol(slice(raw, at, line_end(raw, at)));
    name_length(line).is_some_and(|colon| {
        let name = slice(line, 0, colon);
        name.len() > 1 && !name.contains(&b'/') && line.get(colon + 1) == Some(&b' ')
    })
}

/// Where the line that begins at `at` ends, its line feed included.
pub fn line_end(raw: &[u8], at: usize) -> usize {
    let rest = slice(raw, at, raw.len());
    let feed = rest.iter().position(|byte| *byte == b'\n');
    feed.map_or(raw.len(), |offset| at + offset + 1)
}

/// A line without its line ending.
pub fn trim_eol(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A slice that is empty instead of out of range.
pub fn slice(raw: &[u8], start: usize, end: usize) -> &[u8] {
    raw.get(start..end).unwrap_or_default()
}

/// A value on one line: folds become the white space they stand for (RFC 5322 §2.2.3).
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value.trim_ascii() {
        match byte {
            b'\r' | b'\n' => {}
            b'\t' => out.push(b' '),
            0 => {}
            _ => out.push(*byte),
        }
    }
    out
}
