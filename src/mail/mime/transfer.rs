//! Content-Transfer-Encoding: `mailparse` decodes what is well formed, a lenient reader the rest.

use mailparse::ParsedContentType;
use mailparse::body::Body;

use super::words::hex;

/// A decoded body and whether its encoding had errors.
#[derive(Debug)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub damaged: bool,
}

/// Decodes a body by its declared encoding; unknown encodings are taken as they are (RFC 2045 §6).
pub fn decode(body: &[u8], encoding: &str) -> Content {
    match encoding {
        "base64" => base64(body),
        "quoted-printable" => Content { bytes: quoted_printable(body), damaged: false },
        "x-uuencode" | "uuencode" | "x-uue" => uuencoded(body).unwrap_or_else(|| plain(body, true)),
        _ => plain(body, false),
    }
}

/// The declared encoding as one lower-case token.
pub fn label(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let text = text.split([';', '(']).next().unwrap_or_default();
    let token = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    match token.to_ascii_lowercase().as_str() {
        "quoted_printable" | "quotedprintable" | "quoted printable" => "quoted-printable".into(),
        "base-64" | "base64" => "base64".into(),
        other => other.to_owned(),
    }
}

fn plain(body: &[u8], damaged: bool) -> Content {
    Content { bytes: body.to_vec(), damaged }
}

fn base64(body: &[u8]) -> Content {
    let ctype = ParsedContentType::default();
    if let Body::Base64(encoded) = Body::new(body, &ctype, &Some("base64".into()))
        && let Ok(bytes) = encoded.get_decoded()
    {
        return Content { bytes, damaged: false };
    }
    Content { bytes: lenient_base64(body), damaged: true }
}

/// Skips what is not a digit, takes padding as the end of a quantum and does without a missing one.
pub fn lenient_base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in body {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6 | u32::from(digit)) & 0x00ff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

/// Decodes quoted-printable; what is not a valid escape stays as it is.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (content, eol) = split_eol(line);
        let content = content.trim_ascii_end();
        let soft = content.last() == Some(&b'=');
        let content = content.strip_suffix(b"=").unwrap_or(content);
        unescape(content, &mut out);
        if !soft {
            out.extend_from_slice(eol);
        }
    }
    out
}

fn split_eol(line: &[u8]) -> (&[u8], &[u8]) {
    let content = super::header::trim_eol(line);
    line.split_at(content.len())
}

fn unescape(content: &[u8], out: &mut Vec<u8>) {
    let mut rest = content;
    while let Some(at) = rest.iter().position(|byte| *byte == b'=') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        match (hex(escape.get(1)), hex(escape.get(2))) {
            (Some(high), Some(low)) => {
                out.push(high << 4 | low);
                rest = escape.get(3..).unwrap_or_default();
            }
            _ => {
                out.push(b'=');
                rest = escape.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
}

/// Decodes the first `begin … end` block, or nothing if there is none.
fn uuencoded(body: &[u8]) -> Option<Content> {
    let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut bytes = Vec::with_capacity(body.len() / 4 * 3);
    for line in lines {
        if line == b"end" {
            return Some(Content { bytes, damaged: false });
        }
        uu_line(line, &mut bytes);
    }
    Some(Content { bytes, damaged: true })
}

fn uu_line(line: &[u8], out: &mut Vec<u8>) {
    let six = |byte: u8| byte.wrapping_sub(32) & 63;
    let Some((length, digits)) = line.split_first() else {
        return;
    };
    let wanted = out.len() + usize::from(six(*length));
    for quantum in digits.chunks(4) {
        let digit = |at: usize| six(quantum.get(at).copied().unwrap_or(b' '));
        out.push(digit(0) << 2 | digit(1) >> 4);
        out.push(digit(1) << 4 | digit(2) >> 2);
        out.push(digit(2) << 6 | digit(3));
    }
    out.truncate(wanted);
}
