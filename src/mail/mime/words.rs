//! Encoded words in headers (RFC 2047), as strict as they must be and as lax as mail is.

use super::charset;
use super::header::{slice, unfold};
use super::transfer::lenient_base64;

/// Decodes a raw header value to one line of text.
pub fn decode(value: &[u8]) -> String {
    let flat = unfold(value);
    let text = decode_flat(&flat);
    clean_line(&text)
}

/// Decodes encoded words in a text that is already decoded otherwise.
pub fn decode_str(text: &str) -> String {
    if text.contains("=?") { decode_flat(text.as_bytes()) } else { text.to_owned() }
}

/// Replaces control characters by spaces, drops NUL and trims.
pub fn clean_line(text: &str) -> String {
    let clean = text.chars().filter(|c| *c != '\0');
    let spaced: String = clean.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let trimmed = spaced.trim();
    if trimmed.len() == spaced.len() { spaced } else { trimmed.to_owned() }
}

/// Bytes of adjacent words in one charset, decoded together because writers split characters between words.
#[derive(Default)]
struct Pending {
    charset: String,
    bytes: Vec<u8>,
}

impl Pending {
    fn flush(&mut self, out: &mut String) {
        if !self.bytes.is_empty() {
            out.push_str(&charset::decode(&self.bytes, Some(&self.charset)).text);
            self.bytes.clear();
        }
    }
}

struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
    end: usize,
}

fn decode_flat(flat: &[u8]) -> String {
    let mut out = String::with_capacity(flat.len());
    let mut pending = Pending::default();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(start) = find(flat, at, b"=?") {
        let Some(word) = parse_word(flat, start) else {
            at = start + 2;
            continue;
        };
        let between = slice(flat, plain_from, start);
        let adjacent = !pending.bytes.is_empty() && between.trim_ascii().is_empty();
        let charset = String::from_utf8_lossy(word.charset).to_ascii_lowercase();
        let stateful = charset.starts_with("iso-2022");
        if !adjacent || stateful || pending.charset != charset {
            pending.flush(&mut out);
        }
        if !adjacent {
            out.push_str(&charset::decode(between, None).text);
        }
        pending.charset = charset;
        pending.bytes.extend_from_slice(&word.bytes);
        if word.bytes.is_empty() {
            pending.flush(&mut out);
        }
        at = word.end;
        plain_from = word.end;
    }
    pending.flush(&mut out);
    let rest = slice(flat, plain_from, flat.len());
    out.push_str(&charset::decode(rest, None).text);
    out
}

/// Reads `=?charset*language?encoding?text?=` at `start`; a missing end is taken to be the end of the token.
fn parse_word(flat: &[u8], start: usize) -> Option<Word<'_>> {
    let charset_end = find(flat, start + 2, b"?")?;
    let label = slice(flat, start + 2, charset_end);
    let is_label = |byte: &u8| byte.is_ascii_graphic() && *byte != b'=';
    if label.is_empty() || label.len() > 60 || !label.iter().all(is_label) {
        return None;
    }
    let encoding = flat.get(charset_end + 1)?.to_ascii_lowercase();
    if flat.get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let text_start = charset_end + 3;
    let (text_end, end) = match find(flat, text_start, b"?=") {
        Some(close) => (close, close + 2),
        None => {
            let rest = slice(flat, text_start, flat.len());
            let stop = rest.iter().position(|byte| *byte == b' ');
            let close = stop.map_or(flat.len(), |offset| text_start + offset);
            (close, close)
        }
    };
    let text = slice(flat, text_start, text_end);
    let bytes = match encoding {
        b'q' => decode_q(text),
        b'b' => lenient_base64(text),
        _ => return None,
    };
    let charset = label.split(|byte| *byte == b'*').next().unwrap_or(label);
    Some(Word { charset, bytes, end })
}

fn decode_q(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'_' => out.push(b' '),
            b'=' => match (hex(text.get(at)), hex(text.get(at + 1))) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    at += 2;
                }
                _ => out.push(b'='),
            },
            _ => out.push(*byte),
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub fn hex(byte: Option<&u8>) -> Option<u8> {
    let digit = char::from(*byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The first position of `needle` in `haystack` at or after `from`.
pub fn find(haystack: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = haystack.get(from..)?;
    let first = *needle.first()?;
    let mut at = 0;
    while let Some(offset) = rest.get(at..)?.iter().position(|byte| *byte == first) {
        at += offset;
        if rest.get(at..)?.starts_with(needle) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}
