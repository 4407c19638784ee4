//! HTML to text in one pass, for snippets, search and quote folding; it does not make anything safe.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::mail::visible::QUOTE_MARK;

/// Identifiers and classes of the elements in which mail programs put the mail they answer.
const QUOTE_IDS: [&str; 4] =
    ["appendonsend", "divrplyfwdmsg", "mail-editor-reference-message-container", "yahoo_quoted"];

/// Most references to embedded images that are looked at.
const MAX_CONTENT_IDS: usize = 2_000;

/// The text of an HTML document with line breaks where blocks end and `> ` before quoted lines.
pub fn to_text(html: &str) -> String {
    let mut text = to_marked_text(html);
    text.retain(|c| c != QUOTE_MARK);
    text
}

/// Like [`to_text`], with a mark where a mail program says that its quotation begins.
pub fn to_marked_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut reader = Reader::new(html);
    while let Some(token) = reader.next() {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Tag { name, closing, attributes } => writer.tag(&name, closing, attributes),
        }
    }
    let end = writer.out.trim_end().len();
    writer.out.truncate(end);
    writer.out
}

enum Token<'a> {
    Text(&'a str),
    Tag { name: String, closing: bool, attributes: &'a str },
}

/// Cuts HTML into tags and text. Every failed search for an end is remembered, so the work stays linear.
struct Reader<'a> {
    rest: &'a str,
    quotes_broken: bool,
    comments_broken: bool,
}

impl<'a> Reader<'a> {
    fn new(html: &'a str) -> Self {
        Self { rest: html, quotes_broken: false, comments_broken: false }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if !self.rest.starts_with('<') {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            }
            let after = self.rest.as_bytes().get(1).copied().unwrap_or_default();
            match after {
                b'!' | b'?' => self.skip_declaration(),
                b'/' | b'a'..=b'z' | b'A'..=b'Z' => return self.tag(),
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    fn skip_declaration(&mut self) {
        if self.rest.starts_with("<!--") && !self.comments_broken {
            match self.rest.get(4..).and_then(|rest| rest.find("-->")) {
                Some(end) => {
                    self.take(end + 7);
                    return;
                }
                None => self.comments_broken = true,
            }
        }
        let end = self.rest.find('>').map_or(self.rest.len(), |end| end + 1);
        self.take(end);
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let end = self.tag_end();
        let tag = self.take(end);
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let closing = inner.starts_with('/');
        let inner = inner.trim_start_matches('/');
        let name_end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_end);
        let name = crate::mail::limits::prefix(name, 20).to_ascii_lowercase();
        if !closing && matches!(name.as_str(), "style" | "script" | "title" | "template") {
            self.skip_content(&name);
        }
        Some(Token::Tag { name, closing, attributes })
    }

    fn tag_end(&mut self) -> usize {
        if !self.quotes_broken {
            let mut quote = None;
            for (at, byte) in self.rest.bytes().enumerate() {
                match (quote, byte) {
                    (None, b'>') => return at + 1,
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (Some(open), _) if open == byte => quote = None,
                    _ => {}
                }
            }
            self.quotes_broken = true;
        }
        self.rest.find('>').map_or(self.rest.len(), |end| end + 1)
    }

    /// Skips to the end tag of an element whose content is no text to read.
    fn skip_content(&mut self, name: &str) {
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while let Some(offset) = self.rest.get(at..).and_then(|rest| rest.find("</")) {
            at += offset + 2;
            let candidate = bytes.get(at..at + name.len()).unwrap_or_default();
            if candidate.eq_ignore_ascii_case(name.as_bytes()) {
                self.take(at - 2);
                return;
            }
        }
        self.rest = "";
    }
}

/// Lays text out in lines.
#[derive(Default)]
struct Writer {
    out: String,
    depth: usize,
    breaks: usize,
    space: bool,
    preformatted: usize,
}

impl Writer {
    fn text(&mut self, raw: &str) {
        let decoded = match raw.contains('&') {
            true => html_escape::decode_html_entities(raw),
            false => Cow::Borrowed(raw),
        };
        if self.preformatted > 0 {
            for (at, line) in decoded.split('\n').enumerate() {
                self.breaks = self.breaks.max(usize::from(at > 0));
                self.word(line);
            }
            return;
        }
        if decoded.starts_with([' ', '\n', '\t', '\r']) {
            self.space = true;
        }
        let mut words = decoded.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            self.word(word);
            self.space = words.peek().is_some();
        }
        if decoded.ends_with([' ', '\n', '\t', '\r']) {
            self.space = true;
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.breaks > 0 || self.out.is_empty() {
            self.start_line();
        } else if self.space && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.space = false;
        let clean = |c: char| {
            if c == '\u{a0}' { Some(' ') } else { (!c.is_control() || c == '\t').then_some(c) }
        };
        if word.is_ascii() && !word.bytes().any(|byte| byte.is_ascii_control()) {
            self.out.push_str(word);
        } else {
            self.out.extend(word.chars().filter_map(clean));
        }
    }

    fn start_line(&mut self) {
        let breaks = if self.out.is_empty() { 0 } else { self.breaks.min(2) };
        for _ in 0..breaks {
            self.out.push('\n');
        }
        self.breaks = 0;
        for _ in 0..self.depth.min(5) {
            self.out.push_str("> ");
        }
    }

    fn tag(&mut self, name: &str, closing: bool, attributes: &str) {
        if !closing && matches!(name, "div" | "blockquote" | "hr") && is_quote(attributes) {
            self.breaks = self.breaks.max(1);
            self.start_line();
            self.out.push(QUOTE_MARK);
            self.breaks = 1;
        }
        match name {
            "br" => self.breaks += 1,
            "blockquote" => {
                self.breaks = self.breaks.max(1);
                self.depth = if closing { self.depth.saturating_sub(1) } else { self.depth + 1 };
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" => {
                self.breaks = self.breaks.max(2);
            }
            "li" if !closing => {
                self.breaks = self.breaks.max(1);
                self.word("- ");
            }
            "pre" => {
                self.breaks = self.breaks.max(1);
                self.preformatted = if closing { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
            }
            "div" | "tr" | "table" | "hr" | "section" | "article" | "header" | "footer" | "center" | "dt" | "dd"
            | "body" | "form" | "address" => self.breaks = self.breaks.max(1),
            "td" | "th" => self.space = true,
            _ => {}
        }
    }
}

/// Whether an element is where a mail program puts the mail that is answered.
fn is_quote(attributes: &str) -> bool {
    if attributes.len() < 12 || !attributes.contains(['i', 'I', 'c', 'C']) {
        return false;
    }
    let head = crate::mail::limits::prefix(attributes, 300).to_ascii_lowercase();
    QUOTE_IDS.iter().any(|id| {
        let position = head.find(id);
        position.is_some_and(|at| {
            let before = head.get(..at).unwrap_or_default().trim_end_matches(['"', '\'', ' ']);
            before.ends_with("id=") || before.ends_with("class=")
        })
    })
}

/// The Content-IDs that an HTML text refers to, decoded and in lower case.
pub fn content_ids(html: &str) -> HashSet<String> {
    let mut ids = HashSet::new();
    let mut tries = 0;
    let bytes = html.as_bytes();
    let mut at = 0;
    while let Some(offset) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b':')) {
        at += offset + 1;
        let scheme = bytes.get(at.saturating_sub(4)..at).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(b"cid:") {
            continue;
        }
        tries += 1;
        if tries > MAX_CONTENT_IDS {
            break;
        }
        let rest = crate::mail::limits::prefix(html.get(at..).unwrap_or_default(), 300);
        let end = rest.find(['"', '\'', ')', '>', '<', ' ', '\n', '&']).unwrap_or(rest.len());
        ids.insert(content_id(rest.get(..end).unwrap_or_default()));
    }
    ids
}

/// The form in which Content-IDs are compared: percent-decoded, without brackets, in lower case.
pub fn content_id(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, tail)) = rest.split_first() {
        let hex = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    let text = String::from_utf8_lossy(&out).to_lowercase();
    text.trim_matches(['<', '>', ' ']).to_owned()
}
