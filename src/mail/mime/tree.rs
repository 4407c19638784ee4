//! Takes a mail apart into its MIME parts (RFC 2046), within fixed bounds.

use super::header::{self, Headers, slice, trim_eol};
use super::params::{ContentType, Disposition};
use super::transfer;
use crate::mail::limits::{MAX_DEPTH, MAX_PARTS};
use crate::mail::model::Defect;

/// One node of the MIME tree.
#[derive(Debug, Default)]
pub struct Part<'a> {
    /// The position as IMAP counts it, for example `2.1`.
    pub id: String,
    pub headers: Headers<'a>,
    pub ctype: ContentType,
    pub disposition: Disposition,
    /// The content as transferred, without the headers.
    pub body: &'a [u8],
    pub children: Vec<Part<'a>>,
}

impl Part<'_> {
    /// The decoded content and whether its encoding was sound.
    pub fn content(&self) -> transfer::Content {
        transfer::decode(self.body, &self.encoding())
    }

    fn encoding(&self) -> String {
        let value = self.headers.first("content-transfer-encoding");
        value.map(transfer::label).unwrap_or_default()
    }
}

/// The MIME tree and what was wrong with it.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    pub root: Part<'a>,
    pub defects: Vec<Defect>,
}

/// Reads the tree of a whole mail.
pub fn read(raw: &[u8]) -> Tree<'_> {
    let mut walk = Walk::default();
    let root = walk.part(raw, String::new(), "text/plain", 0);
    Tree { root, defects: walk.defects }
}

/// Reads only the headers of a mail, as a part without content.
pub fn read_head(head: &[u8]) -> Tree<'_> {
    let mut walk = Walk::default();
    let root = walk.leaf(head, String::new(), "text/plain");
    Tree { root, defects: walk.defects }
}

#[derive(Default)]
struct Walk {
    parts: usize,
    defects: Vec<Defect>,
}

impl Walk {
    fn leaf<'a>(&mut self, raw: &'a [u8], id: String, fallback: &str) -> Part<'a> {
        self.parts += 1;
        let split = header::split(raw);
        self.defects.extend(split.defects);
        let headers = split.headers;
        Part {
            id,
            ctype: ContentType::read(headers.first("content-type"), fallback),
            disposition: Disposition::read(headers.first("content-disposition")),
            headers,
            body: split.body,
            children: Vec::new(),
        }
    }

    fn part<'a>(&mut self, raw: &'a [u8], id: String, fallback: &str, depth: usize) -> Part<'a> {
        let mut part = self.leaf(raw, id, fallback);
        if !part.ctype.is_multipart() {
            if part.id.is_empty() {
                part.id = "1".into();
            }
            return part;
        }
        if depth >= MAX_DEPTH {
            self.defects.push(Defect::TooDeep);
            return part;
        }
        self.children(&mut part, depth);
        if part.children.is_empty() && !part.body.trim_ascii().is_empty() && depth == 0 {
            part.ctype.mime = "text/plain".into();
            part.id = "1".into();
        }
        part
    }

    fn children<'a>(&mut self, part: &mut Part<'a>, depth: usize) {
        let Some(boundary) = self.boundary(part) else {
            return;
        };
        let mut sections = sections(part.body, &boundary);
        if sections.ranges.is_empty()
            && let Some(guess) = guess_boundary(part.body)
        {
            sections = self::sections(part.body, &guess);
        }
        if sections.ranges.is_empty() {
            self.defects.push(Defect::BoundaryNotFound);
        } else if !sections.closed {
            self.defects.push(Defect::MissingFinalBoundary);
        }
        let fallback = match part.ctype.mime.as_str() {
            "multipart/digest" => "message/rfc822",
            _ => "text/plain",
        };
        let mut number = 0;
        for (start, end) in sections.ranges {
            if self.parts >= MAX_PARTS {
                self.defects.push(Defect::TooManyParts);
                return;
            }
            number += 1;
            let id = match part.id.as_str() {
                "" => number.to_string(),
                parent => format!("{parent}.{number}"),
            };
            let raw = slice(part.body, start, end);
            part.children.push(self.part(raw, id, fallback, depth + 1));
        }
    }

    /// The declared boundary, or the first line that looks like one.
    fn boundary(&mut self, part: &Part<'_>) -> Option<Vec<u8>> {
        let declared = part.ctype.param("boundary").map(str::trim_end);
        if let Some(boundary) = declared.filter(|text| !text.is_empty()) {
            return Some(boundary.as_bytes().to_vec());
        }
        self.defects.push(Defect::MissingBoundary);
        guess_boundary(part.body)
    }
}

/// The first line that looks like a boundary.
fn guess_boundary(body: &[u8]) -> Option<Vec<u8>> {
    let lines = body.split(|byte| *byte == b'\n').take(200);
    let candidates = lines.filter_map(|line| line.trim_ascii_end().strip_prefix(b"--"));
    let mut plausible = candidates.filter(|rest| rest.len() > 4 && !rest.contains(&b' ') && !rest.ends_with(b"--"));
    plausible.next().map(<[u8]>::to_vec)
}

#[derive(Default)]
struct Sections {
    ranges: Vec<(usize, usize)>,
    closed: bool,
}

/// The byte ranges between the boundary lines; only whole lines count, so no boundary matches a longer one.
fn sections(body: &[u8], boundary: &[u8]) -> Sections {
    let mut out = Sections::default();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while at < body.len() && out.ranges.len() < MAX_PARTS + 1 {
        let end = header::line_end(body, at);
        let line = slice(body, at, end);
        if let Some(closing) = boundary_line(line, boundary) {
            if let Some(start) = open.take() {
                out.ranges.push((start, before_eol(body, start, at)));
            }
            if closing {
                out.closed = true;
                return out;
            }
            open = Some(end);
        }
        at = end;
    }
    if let Some(start) = open.filter(|start| *start < body.len()) {
        out.ranges.push((start, body.len()));
    }
    out
}

/// Whether a line is the boundary, and if so whether it is the last one.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let rest = trim_eol(rest).trim_ascii();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line ending before a boundary belongs to the boundary (RFC 2046 §5.1.1).
fn before_eol(body: &[u8], start: usize, end: usize) -> usize {
    let content = slice(body, start, end);
    start + trim_eol(content).len()
}
