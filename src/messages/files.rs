//! Answers that carry a file: ranges (RFC 9110 §14), names (RFC 6266, RFC 8187), and headers that keep browsers from
//! running what strangers sent.

use std::ops::Range;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpResponse, HttpResponseBuilder};

/// What a range header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that do not exist.
    Nothing,
}

/// Reads `Range` and `If-Range`; several ranges are answered with the whole, as any server may.
pub(super) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(ranges) = text(header::RANGE).and_then(|value| value.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    if text(header::IF_RANGE).is_some_and(|condition| condition != etag) || ranges.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Wanted::Whole,
    };
    if range.start >= range.end { Wanted::Nothing } else { Wanted::Part(range) }
}

/// Whether the client has this version already (`If-None-Match`).
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let value = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
}

/// The media type to send: one that a browser would run becomes plain bytes.
pub(super) fn safe_type(declared: Option<&str>) -> &str {
    let Some(declared) = declared.filter(|text| is_media_type(text)) else { return "application/octet-stream" };
    let active = ["html", "xml", "svg", "script", "x-shockwave-flash"];
    if active.iter().any(|word| declared.contains(word)) || declared.starts_with("multipart/") {
        return "application/octet-stream";
    }
    declared
}

/// Whether a text has the form of a media type, so that it can stand in a header.
fn is_media_type(text: &str) -> bool {
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub)) && text.len() < 128
}

/// Raster images, which may be shown inside a mail.
pub(super) fn is_raster(declared: Option<&str>) -> bool {
    matches!(
        declared,
        Some(
            "image/png"
                | "image/jpeg"
                | "image/jpg"
                | "image/gif"
                | "image/webp"
                | "image/bmp"
                | "image/avif"
                | "image/x-icon"
        )
    )
}

/// `attachment` with the name in both forms that browsers read.
pub(super) fn disposition(file_name: &str) -> String {
    let plain: String = file_name
        .chars()
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%' | ';') { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in file_name.bytes() {
        // attr-char of RFC 8187 §3.2.1
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// The beginning of an answer with a stranger's file.
pub(super) fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "private, max-age=3600"))
        // Compressed on the way, ranges and lengths would no longer be those of the file.
        .insert_header((header::CONTENT_ENCODING, "identity"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let ask = |range: &str| wanted(&headers(&[(header::RANGE, range)]), "\"x\"", 10);
        assert_eq!(ask("bytes=0-3"), Wanted::Part(0..4));
        assert_eq!(ask("bytes=4-"), Wanted::Part(4..10));
        assert_eq!(ask("bytes=-3"), Wanted::Part(7..10));
        assert_eq!(ask("bytes=-30"), Wanted::Part(0..10));
        assert_eq!(ask("bytes=5-99"), Wanted::Part(5..10));
        assert_eq!(ask("bytes=10-"), Wanted::Nothing);
        assert_eq!(ask("bytes=-0"), Wanted::Nothing);
        for odd in ["bytes=3-1", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=-"] {
            assert_eq!(ask(odd), Wanted::Whole, "{odd}");
        }
        let changed = headers(&[(header::RANGE, "bytes=0-3"), (header::IF_RANGE, "\"y\"")]);
        assert_eq!(wanted(&changed, "\"x\"", 10), Wanted::Whole);
    }

    #[test]
    fn a_name_is_given_in_both_forms_and_cannot_break_out() {
        assert_eq!(
            disposition("résumé \"1\".pdf"),
            "attachment; filename=\"r_sum_ _1_.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.pdf"
        );
        assert!(!disposition("a\r\nSet-Cookie: x").contains('\n'));
    }

    #[test]
    fn what_a_browser_would_run_is_sent_as_plain_bytes() {
        for active in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "no type", "a/b\r\nc"]
        {
            assert_eq!(safe_type(Some(active)), "application/octet-stream", "{active}");
        }
        assert_eq!(safe_type(Some("application/pdf")), "application/pdf");
        assert_eq!(safe_type(None), "application/octet-stream");
    }
}
