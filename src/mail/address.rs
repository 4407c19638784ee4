//! Address lists (RFC 5322 §3.4), tolerant: what cannot be an address is left out, the rest is kept.

use super::limits::{MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_NAME_BYTES, truncate};
use super::mime::header::unfold;
use super::mime::params::is_bidi_control;
use super::mime::{charset, words};
use super::model::Mailbox;

/// Reads a raw header value as a list of mailboxes; members of groups count like any other.
pub fn parse_raw(value: &[u8]) -> Vec<Mailbox> {
    let flat = unfold(value);
    parse(&charset::decode(&flat, None).text)
}

/// Reads an address list from text in which encoded words are not yet decoded.
pub fn parse(text: &str) -> Vec<Mailbox> {
    let mut list = Vec::new();
    let mut entry = Entry::default();
    let mut chars = text.chars();
    // An opening mark without its end is an ordinary character, and so are all like it after that.
    let (mut quotes_end, mut comments_end) = (true, true);
    while let Some(c) = chars.next() {
        if list.len() >= MAX_ADDRESSES {
            return list;
        }
        match c {
            '"' if quotes_end => quotes_end = entry.quoted(&mut chars),
            '(' if comments_end => comments_end = entry.comment(&mut chars),
            '<' => entry.angle(&mut chars),
            ',' | ';' => entry.finish(&mut list),
            ':' if entry.begins_group() => entry = Entry::default(),
            _ => entry.text.push(c),
        }
    }
    entry.finish(&mut list);
    list
}

/// One list entry while it is read.
#[derive(Default)]
struct Entry {
    /// What stands outside of quotes, comments and angle brackets.
    text: String,
    /// What was quoted and where in `text` it stands, for display names.
    name: String,
    was_quoted: bool,
    comment: String,
    angle: Option<String>,
}

impl Entry {
    /// Reads a quoted string; false if it has no end.
    fn quoted(&mut self, chars: &mut std::str::Chars<'_>) -> bool {
        let mut inner = String::new();
        let mut closed = false;
        let mut rest = chars.clone();
        while let Some(c) = rest.next() {
            match c {
                '\\' => inner.extend(rest.next()),
                '"' => {
                    closed = true;
                    break;
                }
                _ => inner.push(c),
            }
        }
        if !closed {
            return false;
        }
        *chars = rest;
        if chars.as_str().starts_with('@') {
            self.text.push('"');
            self.text.push_str(&inner);
            self.text.push('"');
            return true;
        }
        self.name.push_str(&std::mem::take(&mut self.text));
        self.name.push_str(&inner);
        self.was_quoted = true;
        true
    }

    /// Reads a comment; false if it has no end.
    fn comment(&mut self, chars: &mut std::str::Chars<'_>) -> bool {
        let mut depth = 1;
        let mut rest = chars.clone();
        let mut inner = String::new();
        while let Some(c) = rest.next() {
            match c {
                '\\' => {
                    inner.extend(rest.next());
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                *chars = rest;
                self.comment = inner;
                return true;
            }
            inner.push(c);
        }
        self.text.push('(');
        false
    }

    fn angle(&mut self, chars: &mut std::str::Chars<'_>) {
        let rest = chars.as_str();
        let end = rest.find(['>', ',', '<', ';']).unwrap_or(rest.len());
        let inner = rest.get(..end).unwrap_or_default();
        let closed = rest.get(end..).is_some_and(|tail| tail.starts_with('>'));
        *chars = rest.get(end + usize::from(closed)..).unwrap_or_default().chars();
        let better = self.angle.as_ref().is_none_or(|old| !old.contains('@'));
        if better {
            self.angle = Some(inner.to_owned());
        }
    }

    /// Whether the text so far can be the name of a group, as in `team: a@example.org;`.
    fn begins_group(&self) -> bool {
        self.angle.is_none() && !self.text.contains('@')
    }

    /// Turns the entry into a mailbox if it holds an address, and begins the next one.
    fn finish(&mut self, list: &mut Vec<Mailbox>) {
        let entry = std::mem::take(self);
        let Entry { text, mut name, was_quoted, comment, angle } = entry;
        let (address, name) = match angle {
            Some(angle) => {
                name.push_str(&text);
                (angle, name)
            }
            None => {
                let decoded = decoded_if_word(&text);
                match bare_address(&decoded) {
                    Some((address, rest)) => {
                        name.push_str(&rest);
                        (address, name)
                    }
                    None if was_quoted && name.contains('@') => (name, String::new()),
                    None if is_local_name(&decoded, &comment) => (decoded, name),
                    None => return,
                }
            }
        };
        let name = if name.trim().is_empty() { comment } else { name };
        let Some(address) = clean_address(&address) else {
            return;
        };
        list.push(Mailbox { name: clean_name(&name), address });
    }
}

/// Some writers put the whole mailbox into an encoded word.
fn decoded_if_word(text: &str) -> String {
    words::decode_str(text)
}

/// Whether a word without a domain is meant as an address, as in `MAILER-DAEMON (Mail Delivery Subsystem)`.
fn is_local_name(text: &str, comment: &str) -> bool {
    let word = text.trim();
    let known = ["mailer-daemon", "postmaster", "root"];
    let is_known = known.iter().any(|name| word.eq_ignore_ascii_case(name));
    is_known || (!comment.is_empty() && !word.is_empty() && !word.contains(char::is_whitespace))
}

/// The address in a text without brackets, and the text around it.
fn bare_address(text: &str) -> Option<(String, String)> {
    if let (Some(open), Some(close)) = (text.find('<'), text.rfind('>'))
        && open < close
    {
        let address = text.get(open + 1..close)?.to_owned();
        return Some((address, text.get(..open)?.to_owned()));
    }
    let is_address = |token: &&str| token.contains('@') && token.len() > 2;
    let address = text.split_whitespace().find(is_address)?;
    let rest: Vec<&str> = text.split_whitespace().filter(|token| *token != address).collect();
    Some((address.to_owned(), rest.join(" ")))
}

/// The address without white space, route and stray marks, if it can be one.
fn clean_address(raw: &str) -> Option<String> {
    let decoded = words::decode_str(raw);
    let mut address: String =
        decoded.chars().filter(|c| !c.is_control() && !c.is_whitespace() && !is_bidi_control(*c)).collect();
    if address.starts_with('@')
        && let Some(colon) = address.find(':')
    {
        address.drain(..=colon);
    }
    if let Some(rest) = strip_prefix_ignoring_case(&address, "mailto:") {
        address = rest;
    }
    let trimmed = address.trim_matches(|c: char| matches!(c, '<' | '>' | ',' | ';' | '\''));
    let valid = trimmed.len() > 2 && trimmed.len() <= MAX_ADDRESS_BYTES;
    (valid && !trimmed.starts_with('@') && !trimmed.ends_with('@')).then(|| trimmed.to_owned())
}

fn strip_prefix_ignoring_case(text: &str, prefix: &str) -> Option<String> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default().to_owned())
}

fn clean_name(raw: &str) -> Option<String> {
    let decoded = words::decode_str(raw);
    let visible: String = decoded.chars().filter(|c| !is_bidi_control(*c)).collect();
    let line = words::clean_line(&visible);
    let line = line.trim_matches(|c: char| c == '"' || c.is_whitespace());
    let mut name = line.split_whitespace().collect::<Vec<_>>().join(" ");
    truncate(&mut name, MAX_NAME_BYTES);
    (!name.is_empty()).then_some(name)
}

/// The form to compare addresses by: trimmed, in lower case, the domain in its ASCII form (UTS 46).
pub fn normalize(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    let Some((local, domain)) = lower.rsplit_once('@') else {
        return lower;
    };
    if domain.is_ascii() {
        return lower;
    }
    match url::Host::parse(domain) {
        Ok(host) => format!("{local}@{host}"),
        Err(_) => lower,
    }
}
