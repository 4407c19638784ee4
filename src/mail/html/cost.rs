//! Estimates what building and writing a document would cost, before anyone pays it.
//!
//! Three things grow with the square of their length in an HTML parser and serialiser: nesting, formatting
//! elements that are opened again in every paragraph, and long texts full of characters to escape.

use std::collections::HashMap;

/// Most elements open at once; browsers themselves stop nesting at 512.
const MAX_OPEN: usize = 512;
/// Most elements that formatting left open may multiply to.
const MAX_REOPENED: usize = 2_000_000;
/// Most bytes searched while escaping.
const MAX_ESCAPING: usize = 500_000_000;

/// Elements that a parser opens again in every following block until they are closed.
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Elements without an end tag, or that close their like.
const SHORT: [&str; 14] =
    ["br", "img", "hr", "meta", "link", "col", "p", "li", "td", "tr", "th", "input", "wbr", "area"];
/// Elements that surely end the text before them wherever they stand.
const BREAKING: [&str; 12] = ["br", "p", "div", "span", "a", "b", "i", "font", "li", "img", "strong", "hr"];

/// Whether showing the document as HTML would cost far more than its length warrants.
pub fn is_costly(html: &str) -> bool {
    let mut state = State::default();
    let mut rest = html;
    let mut run = 0;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        run += text.len();
        state.escapes += escapes(text);
        let inner = tag.get(1..).unwrap_or_default();
        let closing = inner.starts_with('/');
        let name = name(inner.trim_start_matches('/'));
        if !closing && BREAKING.contains(&name.as_str()) {
            state.escaping = state.escaping.saturating_add(run.saturating_mul(state.escapes));
            (run, state.escapes) = (0, 0);
        }
        state.tag(name, closing);
        if state.is_over() {
            return true;
        }
        run += 1;
        rest = inner;
    }
    let last = (run + rest.len()).saturating_mul(state.escapes + escapes(rest));
    state.escaping.saturating_add(last) > MAX_ESCAPING
}

#[derive(Default)]
struct State {
    open: HashMap<String, usize>,
    depth: usize,
    formatting: usize,
    tags: usize,
    escapes: usize,
    escaping: usize,
}

impl State {
    /// Counts a tag. An end tag counts only where such an element is open: parsers ignore it otherwise.
    fn tag(&mut self, name: String, closing: bool) {
        if name.is_empty() {
            return;
        }
        self.tags += 1;
        if SHORT.contains(&name.as_str()) {
            return;
        }
        let formatting = usize::from(FORMATTING.contains(&name.as_str()));
        if !closing {
            self.depth += 1;
            self.formatting += formatting;
            *self.open.entry(name).or_default() += 1;
        } else if let Some(count) = self.open.get_mut(&name)
            && *count > 0
        {
            *count -= 1;
            self.depth -= 1;
            self.formatting -= formatting;
        }
    }

    fn is_over(&self) -> bool {
        self.depth > MAX_OPEN
            || self.formatting.saturating_mul(self.tags) > MAX_REOPENED
            || self.escaping > MAX_ESCAPING
    }
}

fn name(tag: &str) -> String {
    let tag = crate::mail::limits::prefix(tag, 16);
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric());
    let name = tag.get(..end.unwrap_or(tag.len())).unwrap_or_default();
    name.to_ascii_lowercase()
}

fn escapes(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'&' | 0xc2 | b'>')).count()
}
