//! Content-Type and Content-Disposition: `mailparse` reads the parameters (RFC 2045, RFC 2231).

use std::collections::BTreeMap;

use mailparse::{DispositionType, parse_content_disposition, parse_content_type};

use super::words::{clean_line, decode_str, hex};
use super::{charset, header};
use crate::mail::limits::{MAX_FILE_NAME_BYTES, truncate};

/// A media type and its parameters.
#[derive(Debug, Clone, Default)]
pub struct ContentType {
    pub mime: String,
    params: BTreeMap<String, String>,
}

impl ContentType {
    /// Reads a Content-Type; what is missing or no media type counts as `fallback`.
    pub fn read(value: Option<&[u8]>, fallback: &str) -> Self {
        let Some(value) = value else {
            return Self { mime: fallback.to_owned(), params: BTreeMap::new() };
        };
        let parsed = parse_content_type(&flat(value));
        let mut mime = media_type(&parsed.mimetype);
        if mime.is_empty() {
            mime = fallback.to_owned();
        }
        Self { mime, params: parsed.params }
    }

    /// A parameter by its lower-case name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    pub fn is_multipart(&self) -> bool {
        self.mime.starts_with("multipart/")
    }
}

/// What a part's Content-Disposition says.
#[derive(Debug, Clone, Default)]
pub struct Disposition {
    pub attachment: bool,
    pub inline: bool,
    params: BTreeMap<String, String>,
}

impl Disposition {
    pub fn read(value: Option<&[u8]>) -> Self {
        let Some(value) = value else {
            return Self::default();
        };
        let parsed = parse_content_disposition(&flat(value));
        Self {
            attachment: matches!(parsed.disposition, DispositionType::Attachment),
            inline: matches!(parsed.disposition, DispositionType::Inline),
            params: parsed.params,
        }
    }
}

/// The declared file name: `filename` before `name`, the extended form of each (RFC 2231) before the plain one.
pub fn file_name(disposition: &Disposition, ctype: &ContentType) -> Option<String> {
    let declared = extended(&disposition.params, "filename")
        .or_else(|| extended(&ctype.params, "name"))
        .or_else(|| extended(&ctype.params, "filename"))?;
    let name = clean_file_name(&decode_str(&declared));
    (!name.is_empty()).then_some(name)
}

fn extended(params: &BTreeMap<String, String>, name: &str) -> Option<String> {
    if let Some(encoded) = params.get(&format!("{name}*")) {
        return Some(percent_decode(encoded));
    }
    params.get(name).cloned()
}

/// Decodes `charset'language'text` where `mailparse` left it as it was: next to a plain form, or an unknown charset.
fn percent_decode(encoded: &str) -> String {
    let mut fields = encoded.splitn(3, '\'');
    let (label, text) = match (fields.next(), fields.next(), fields.next()) {
        (Some(label), Some(_), Some(text)) => (Some(label), text),
        _ => (None, encoded),
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, hex(tail.first()), hex(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*byte),
        }
    }
    charset::decode(&bytes, label).text.into_owned()
}

/// A name safe to show and to save: no folders, no control characters, no bidirectional overrides.
pub fn clean_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_bidi_control(*c)).collect();
    let mut clean = clean_line(&visible);
    if matches!(clean.as_str(), "." | "..") {
        clean.clear();
    }
    shorten(&mut clean);
    clean
}

/// Cuts in the stem, so that the extension survives.
fn shorten(name: &mut String) {
    if name.len() <= MAX_FILE_NAME_BYTES {
        return;
    }
    let extension = name.rfind('.').map(|at| name.split_off(at));
    let extension = extension.filter(|text| text.len() <= 20).unwrap_or_default();
    truncate(name, MAX_FILE_NAME_BYTES - extension.len());
    name.push_str(&extension);
}

/// Characters that reorder the text around them and so disguise names.
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

fn flat(value: &[u8]) -> String {
    let flat = header::unfold(value);
    charset::decode(&flat, None).text.into_owned()
}

/// The bare `type/subtype` in lower case, or nothing.
fn media_type(value: &str) -> String {
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '(' | ',' | '"'));
    let token = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
    let token = token.trim();
    let valid = token.split_once('/').is_some_and(|(kind, subtype)| {
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        is_token(kind) && is_token(subtype)
    });
    if valid && token.len() <= 127 { token.to_ascii_lowercase() } else { String::new() }
}
