//! Bytes to text: what the mail declares, corrected by what the bytes are.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::transfer::lenient_base64;

/// A decoded text and whether anything in it could not be decoded.
#[derive(Debug)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub damaged: bool,
}

/// Decodes `bytes` of the declared charset; never fails and never yields a NUL.
///
/// A byte order mark wins, then valid UTF-8 over any declared single-byte charset (senders mislabel UTF-8
/// far more often than Latin text happens to be valid UTF-8), then the declaration, then a detector.
pub fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Decoded<'a> {
    let mut decoded = decode_with_nul(bytes, declared);
    if decoded.text.contains('\0') {
        decoded.text = Cow::Owned(decoded.text.replace('\0', ""));
        decoded.damaged = true;
    }
    decoded
}

fn decode_with_nul<'a>(bytes: &'a [u8], declared: Option<&str>) -> Decoded<'a> {
    if let Some((encoding, skip)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes.get(skip..).unwrap_or_default());
    }
    let label = declared.map(clean_label).unwrap_or_default();
    if label.contains("utf-7") || label == "utf7" {
        return Decoded { text: Cow::Owned(decode_utf7(bytes)), damaged: false };
    }
    let encoding = for_label(&label);
    if let Some(encoding) = encoding.filter(|encoding| !is_single_byte(encoding)) {
        let decoded = with(encoding, bytes);
        if !decoded.damaged {
            return decoded;
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: Cow::Borrowed(text), damaged: false };
    }
    match encoding {
        Some(encoding) if encoding == UTF_8 => mislabelled(bytes),
        Some(encoding) => with(encoding, bytes),
        None => with(detect(bytes), bytes),
    }
}

/// Invalid bytes declared as UTF-8: mostly right with a slip, or another charset altogether.
fn mislabelled(bytes: &[u8]) -> Decoded<'_> {
    let as_utf8 = with(UTF_8, bytes);
    let bad = as_utf8.text.chars().filter(|c| *c == '\u{fffd}').count();
    let foreign = as_utf8.text.chars().filter(|c| !c.is_ascii()).count();
    if bad * 2 > foreign {
        let mut guess = with(detect(bytes), bytes);
        guess.damaged = true;
        return guess;
    }
    as_utf8
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    Decoded { text, damaged }
}

/// Guesses the charset of text that declares none.
fn detect(bytes: &[u8]) -> &'static Encoding {
    let sample = bytes.get(..64 * 1024).unwrap_or(bytes);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Allow)
}

fn clean_label(label: &str) -> String {
    let label = label.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    label.to_ascii_lowercase()
}

fn for_label(label: &str) -> Option<&'static Encoding> {
    let known = match label {
        "cp932" | "windows-31j" | "ms932" => "shift_jis",
        "cp936" | "ms936" => "gbk",
        "cp949" | "ms949" => "euc-kr",
        "cp950" => "big5",
        "iso-8859-8-i" => "iso-8859-8-i",
        "latin-1" | "iso8859_1" | "8859-1" => "iso-8859-1",
        "iso-2022-kr" | "hz-gb-2312" => return None,
        "utf_8" | "utf" | "utf-8mb4" => "utf-8",
        other => other,
    };
    Encoding::for_label_no_replacement(known.as_bytes())
}

fn is_single_byte(encoding: &'static Encoding) -> bool {
    encoding == WINDOWS_1252 || (encoding.is_single_byte() && encoding != UTF_8)
}

/// Whether a label names a charset that needs decoding although its bytes may be plain ASCII.
pub fn is_wide(label: &str) -> bool {
    let encoding = for_label(&clean_label(label));
    encoding.is_some_and(|encoding| encoding == UTF_16LE || encoding == UTF_16BE)
}

/// Decodes UTF-7 (RFC 2152): only where declared, because any ASCII text could be it.
fn decode_utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(plus) = rest.iter().position(|byte| *byte == b'+') {
        let (plain, shifted) = rest.split_at(plus);
        out.push_str(&String::from_utf8_lossy(plain));
        let shifted = shifted.get(1..).unwrap_or_default();
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let length = shifted.iter().position(|byte| !is_digit(byte));
        let (digits, tail) = shifted.split_at(length.unwrap_or(shifted.len()));
        if digits.is_empty() {
            out.push('+');
        } else {
            out.push_str(&utf7_run(digits));
        }
        rest = tail.strip_prefix(b"-").unwrap_or(tail);
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

fn utf7_run(digits: &[u8]) -> String {
    let bytes = lenient_base64(digits);
    let even = bytes.len() - bytes.len() % 2;
    let bytes = bytes.get(..even).unwrap_or_default();
    UTF_16BE.decode_without_bom_handling(bytes).0.into_owned()
}
