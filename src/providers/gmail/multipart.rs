//! Batches on the wire: requests as `application/http` parts of a `multipart/mixed` body, and their answers cut out of one.

use bytes::Bytes;
use memchr::memmem;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::transport::{Answer, Request, boundary};

/// Puts requests into one. Each part is named by its number.
pub(super) fn joined<'a>(requests: impl Iterator<Item = &'a Request>) -> Request {
    let boundary = boundary();
    let mut body = Vec::new();
    for (number, request) in requests.enumerate() {
        let part = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <part-{number}>\r\n\r\n{} {} HTTP/1.1\r\n\r\n\r\n",
            request.method,
            request.target()
        );
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Request::batch(&boundary, body)
}

/// Cuts the answers to the parts out of the answer to all, in whatever order they come. Nothing, when it is no such answer; what
/// is broken within one part is missing.
pub(super) fn parted(answer: &Answer) -> Option<Vec<(usize, Answer)>> {
    let media_type = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !media_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let mark = format!("--{}", parameter(media_type, "boundary")?);
    let starts: Vec<usize> = memmem::find_iter(&answer.body, mark.as_bytes())
        .filter(|at| *at == 0 || answer.body.get(at - 1) == Some(&b'\n'))
        .collect();
    let parts = starts.iter().zip(starts.iter().skip(1)).filter_map(|(start, end)| {
        let part = answer.body.slice(start + mark.len()..*end);
        let (_, part) = line(&part)?;
        let (headers, inner) = head(part)?;
        Some((number(headers.get("content-id")?.to_str().ok()?)?, http(inner)?))
    });
    Some(parts.collect())
}

/// The parameter of a media type, quoted or not.
fn parameter<'a>(media_type: &'a str, name: &str) -> Option<&'a str> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (known, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (known.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
    })
}

/// `<response-part-7>` answers the seventh part, whatever stands before the number.
fn number(content_id: &str) -> Option<usize> {
    content_id.trim().trim_end_matches('>').rsplit('-').next()?.parse().ok()
}

/// An answer inside a part.
fn http(part: Bytes) -> Option<Answer> {
    let (first, rest) = line(&part)?;
    let mut words = first.split(|byte| *byte == b' ');
    words.next().filter(|version| version.starts_with(b"HTTP/"))?;
    let status = std::str::from_utf8(words.next()?).ok()?.trim().parse().ok()?;
    let (headers, body) = head(rest)?;
    Some(Answer { status, headers, body })
}

/// Header fields up to the empty line, and what follows.
fn head(mut rest: Bytes) -> Option<(HeaderMap, Bytes)> {
    let mut headers = HeaderMap::new();
    loop {
        let (field, after) = line(&rest)?;
        rest = after;
        if field.is_empty() {
            return Some((headers, rest));
        }
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = field.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.trim_ascii()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
}

/// The first line without its end, and what follows.
fn line(bytes: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = memchr::memchr(b'\n', bytes)?;
    let mut line = bytes.slice(..end);
    if line.ends_with(b"\r") {
        line.truncate(end - 1);
    }
    Some((line, bytes.slice(end + 1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(media_type: &str, body: &str) -> Answer {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type.parse().unwrap())]);
        Answer { status: 200, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    const TWO: &str = "preamble --b\r\n--b\r\nContent-Type: application/http\r\nContent-ID: <response-part-1>\r\n\r\n\
        HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Type: application/json\r\n\r\n{\"error\":{}}\r\n\
        --b\nContent-Id: response-part-0\nContent-Type: application/http\n\nHTTP/1.1 200\n\n{\"a\":\n\"--b\"}\n--b--\n";

    #[test]
    fn answers_are_told_apart_by_their_number_in_any_order() {
        for media_type in ["multipart/mixed; boundary=b", "Multipart/Mixed; charset=x; Boundary=\"b\""] {
            let parts = parted(&answer(media_type, TWO)).unwrap();
            let [(1, first), (0, second)] = parts.as_slice() else { panic!("{parts:?}") };
            assert_eq!((first.status, &first.headers["retry-after"]), (429, &HeaderValue::from_static("7")));
            assert_eq!(&first.body[..], b"{\"error\":{}}\r\n");
            assert_eq!((second.status, &second.body[..]), (200, &b"{\"a\":\n\"--b\"}\n"[..]));
        }
    }

    #[test]
    fn what_is_broken_is_missing_and_nothing_panics() {
        let whole = answer("multipart/mixed; boundary=b", TWO);
        for end in 0..TWO.len() {
            let cut = Answer { body: whole.body.slice(..end), ..whole.clone() };
            assert!(parted(&cut).unwrap().len() <= 2);
        }
        assert!(parted(&answer("text/html", TWO)).is_none());
        assert!(parted(&answer("multipart/mixed", TWO)).is_none());
        let odd = "--b\r\n\r\n\r\n--b\r\nContent-ID: <x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b\r\nno head\r\n--b--";
        assert_eq!(parted(&answer("multipart/mixed; boundary=b", odd)).unwrap().len(), 0);
    }

    #[test]
    fn requests_stand_in_parts_of_their_own() {
        let requests = [Request::get(&["messages", "a"]), Request::get(&["messages", "b"]).with("format", "raw")];
        let text = format!("{:?}", joined(requests.iter()));
        assert!(text.contains("Content-ID: <part-0>\\r\\n\\r\\nGET /gmail/v1/users/me/messages/a HTTP/1.1"), "{text}");
        assert!(text.contains("GET /gmail/v1/users/me/messages/b?format=raw HTTP/1.1"), "{text}");
    }
}
