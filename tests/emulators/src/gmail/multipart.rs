//! `multipart/mixed` and `multipart/related` bodies.

use crate::shared::http::{Headers, parameter};
use bytes::Bytes;

/// One part: its header fields and its content.
#[derive(Clone, Debug)]
pub struct Part {
    /// Header fields.
    pub headers: Headers,
    /// Everything behind the empty line.
    pub content: Bytes,
}

/// Cuts a body at the boundary its content type names; none if it is not well formed.
pub fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    let mark = format!("--{boundary}");
    let starts: Vec<usize> = positions(body, mark.as_bytes());
    let mut found = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let inner = start + mark.len();
        if body.slice(inner..).starts_with(b"--") {
            return Some(found);
        }
        let end = *starts.get(number + 1)?;
        found.push(part(&without_line_end(body.slice(inner..end)))?);
    }
    None
}

/// Where the mark stands at the beginning of a line.
fn positions(body: &[u8], mark: &[u8]) -> Vec<usize> {
    let windows = body.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(at, _)| at);
    windows.filter(|at| *at == 0 || body.get(at - 1) == Some(&b'\n')).collect()
}

fn without_line_end(bytes: Bytes) -> Bytes {
    let end = if bytes.ends_with(b"\r\n") {
        bytes.len() - 2
    } else if bytes.ends_with(b"\n") {
        bytes.len() - 1
    } else {
        bytes.len()
    };
    bytes.slice(..end)
}

/// A part begins behind the line of the boundary.
fn part(bytes: &Bytes) -> Option<Part> {
    let line_end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (headers, content) = head(&bytes.slice(line_end + 1..));
    Some(Part { headers, content })
}

/// Header fields up to the empty line, and what follows.
pub fn head(bytes: &Bytes) -> (Headers, Bytes) {
    let mut headers = Headers::default();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let line = rest.split_to(end);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':') {
            headers.0.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    (headers, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_at_whole_boundaries() {
        let body = Bytes::from_static(b"--b\r\nA: 1\r\n\r\none --b two\r\n--b\r\n\r\nthree\r\n--b--\r\n");
        let found = parts("multipart/mixed; boundary=\"b\"", &body).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].headers.get("a"), Some("1"));
        assert_eq!(&found[0].content[..], b"one --b two");
        assert_eq!(&found[1].content[..], b"three");
    }

    #[test]
    fn a_body_without_its_end_is_refused() {
        assert!(parts("multipart/mixed; boundary=b", &Bytes::from_static(b"--b\r\n\r\none\r\n")).is_none());
        assert!(parts("multipart/mixed", &Bytes::from_static(b"--b--")).is_none());
    }
}
