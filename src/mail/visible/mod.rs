//! What the author of a mail wrote: the text without quoted mail, its introduction and the signature.
//!
//! Folding only ever takes the end of a mail away. Answers between quoted lines stay, forwards stay whole, and
//! where nothing would remain everything stays: a reader who misses something is worse off than one who scrolls.

mod marks;

use super::limits::MAX_SNIPPET_CHARS;

/// A line that stands for the place where a mail program began its quotation in HTML.
pub const QUOTE_MARK: char = '\u{1}';

/// The visible part of a plain text; `forward` tells that the mail passes another one on.
pub fn strip(text: &str, forward: bool) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    if forward {
        return whole(&lines);
    }
    let mut end = first_quotation(&lines).unwrap_or(lines.len());
    end = before_signature(&lines, end);
    end = before_trailing_quote(&lines, end);
    end = before_signature(&lines, end);
    let kept = lines.get(..end).unwrap_or_default();
    let visible = whole(kept);
    if visible.is_empty() {
        return whole(&lines);
    }
    visible
}

/// All lines but the marks, trimmed.
fn whole(lines: &[&str]) -> String {
    let mut out = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines.iter().filter(|line| !line.starts_with(QUOTE_MARK)) {
        out.push_str(line);
        out.push('\n');
    }
    out.trim().to_owned()
}

/// The line where a quotation begins that runs to the end of the mail.
fn first_quotation(lines: &[&str]) -> Option<usize> {
    let mut previous = "";
    let mut introductions = 0;
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        if text.is_empty() {
            continue;
        }
        if marks::is_forward(text) {
            return None;
        }
        let rest = lines.get(at..).unwrap_or_default();
        if text.starts_with(QUOTE_MARK) || marks::is_original_message(text) || marks::is_header_block(rest) {
            let ruled = previous.len() > 9 && previous.chars().all(|c| matches!(c, '_' | '-' | '='));
            return Some(if ruled { line_before(lines, at) } else { at });
        }
        if introductions < 50
            && let Some(length) = marks::introduction(rest)
        {
            introductions += 1;
            if runs_to_the_end(lines, at + length) {
                return Some(at);
            }
        }
        previous = text;
    }
    None
}

/// The last line above `at` that is not blank.
fn line_before(lines: &[&str], at: usize) -> usize {
    let above = lines.get(..at).unwrap_or_default();
    above.iter().rposition(|line| !line.trim().is_empty()).unwrap_or(at)
}

/// Whether nothing but quoted lines follows, or nothing quoted at all: then the program quotes without marks.
fn runs_to_the_end(lines: &[&str], from: usize) -> bool {
    let rest = lines.get(from..).unwrap_or_default();
    let end = before_signature(rest, rest.len());
    let content = rest.get(..end).unwrap_or_default();
    let mut content = content.iter().filter(|line| !line.trim().is_empty()).peekable();
    let quotes = content.peek().is_some_and(|line| is_quoted(line));
    !quotes || content.all(|line| is_quoted(line))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// The end without a run of quoted lines and the line that introduces it.
fn before_trailing_quote(lines: &[&str], end: usize) -> usize {
    let kept = lines.get(..end).unwrap_or_default();
    let last = kept.iter().rposition(|line| !line.trim().is_empty() && !is_quoted(line));
    let Some(last) = last else { return end };
    let quoted = kept.iter().skip(last + 1).any(|line| is_quoted(line));
    if !quoted {
        return end;
    }
    for start in (last.saturating_sub(3)..=last).rev() {
        let rest = kept.get(start..=last).unwrap_or_default();
        if marks::introduction(rest) == Some(rest.len()) {
            return start;
        }
    }
    last + 1
}

/// The end without a signature: all below a `-- ` line, or a line that a phone adds.
fn before_signature(lines: &[&str], end: usize) -> usize {
    let kept = lines.get(..end).unwrap_or_default();
    let from = kept.len().saturating_sub(30);
    let delimiter = kept.iter().skip(from).rposition(|line| *line == "--");
    if let Some(at) = delimiter
        && kept.get(..from + at).is_some_and(|above| above.iter().any(|line| !line.trim().is_empty()))
    {
        return from + at;
    }
    let last = kept.iter().rposition(|line| !line.trim().is_empty());
    match last {
        Some(last) if last > 0 && kept.get(last).is_some_and(|line| marks::is_device_line(line)) => last,
        _ => end,
    }
}

/// The beginning of a visible text on one line.
pub fn snippet(visible: &str) -> String {
    let own =
        line_of_words(visible.lines().filter(|line| !is_quoted(line) && marks::introduction(&[line.trim()]).is_none()));
    if own.is_empty() {
        return line_of_words(visible.lines());
    }
    own
}

fn line_of_words<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::with_capacity(MAX_SNIPPET_CHARS);
    let mut count = 0;
    for word in lines.flat_map(str::split_whitespace).filter(|word| !is_ornament(word)) {
        if count > 0 {
            out.push(' ');
            count += 1;
        }
        for c in word.chars().filter(|c| !is_invisible(*c)) {
            if count >= MAX_SNIPPET_CHARS {
                return out.trim_end().to_owned();
            }
            out.push(c);
            count += 1;
        }
    }
    out.trim_end().to_owned()
}

/// Rules drawn with characters, and padding that newsletters add to fill the preview.
fn is_ornament(word: &str) -> bool {
    let drawn = |c: char| matches!(c, '-' | '=' | '_' | '*' | '#' | '~' | '+' | '.');
    (word.len() > 4 && word.chars().all(drawn)) || word.chars().all(is_invisible)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2007}')
        || c.is_control()
}
