//! Plain text to HTML: escaped, with links and quotations.

/// Longest address that becomes a link.
const MAX_LINK_BYTES: usize = 2_000;

/// Turns plain text into safe HTML; lines keep their breaks, `>` becomes quotation blocks.
pub fn text_to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 64);
    out.push_str("<div class=\"text\">");
    let mut depth = 0;
    let mut first = true;
    for line in text.lines() {
        let (level, content) = quotation(line);
        if level == depth && !first {
            out.push('\n');
        }
        while depth < level {
            out.push_str("<blockquote>");
            depth += 1;
        }
        while depth > level {
            out.push_str("</blockquote>");
            depth -= 1;
        }
        linkify(content, &mut out);
        first = false;
    }
    for _ in 0..depth {
        out.push_str("</blockquote>");
    }
    out.push_str("</div>");
    out
}

/// How many `>` a line begins with (at most ten) and what follows them.
fn quotation(line: &str) -> (usize, &str) {
    let mut level = 0;
    let mut rest = line;
    while level < 10
        && let Some(inner) = rest.strip_prefix('>')
    {
        level += 1;
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    (level, rest)
}

fn linkify(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(start) = next_link(rest) {
        let (before, after) = rest.split_at(start);
        escape(before, out);
        let end = link_end(after);
        let (link, tail) = after.split_at(end);
        if end <= "https://".len() || end > MAX_LINK_BYTES {
            escape(link, out);
        } else {
            out.push_str("<a href=\"");
            if link.starts_with("www.") {
                out.push_str("https://");
            }
            escape(link, out);
            out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
            escape(link, out);
            out.push_str("</a>");
        }
        rest = tail;
    }
    escape(rest, out);
}

/// Where the next web address begins, at the start of a word.
fn next_link(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let offset = rest.find(['h', 'w'])?;
        at += offset;
        let rest = text.get(at..)?;
        let begins = rest.starts_with("http://") || rest.starts_with("https://") || rest.starts_with("www.");
        let before = text.get(..at)?.chars().next_back();
        if begins && !before.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        at += 1;
    }
}

/// Where an address ends: before white space and brackets, without the punctuation of the sentence.
fn link_end(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`'));
    let link = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let mut trimmed = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']', '*']);
    if trimmed.ends_with(')') && !trimmed.contains('(') {
        trimmed = trimmed.trim_end_matches(')').trim_end_matches('.');
    }
    trimmed.len().max(1)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}
