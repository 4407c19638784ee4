//! A filter for CSS: what ammonia does not look into (CSS Syntax Level 3, reduced to what mail needs).
//!
//! Only known properties with harmless values pass. Anything that could load, run, escape the frame or hide
//! the true page is dropped: `url()`, `@import`, `@font-face`, `expression()`, escapes, fixed positions.

/// Longest style sheet that is looked at, in bytes.
const MAX_SHEET_BYTES: usize = 256 * 1024;
/// Deepest nesting of `@media` that is kept.
const MAX_NESTING: usize = 4;

/// Prefixes of the properties that pass.
const PROPERTIES: [&str; 33] = [
    "color",
    "background",
    "background-color",
    "font",
    "text-",
    "line-height",
    "letter-spacing",
    "word-",
    "white-space",
    "margin",
    "padding",
    "border",
    "width",
    "height",
    "min-width",
    "max-width",
    "min-height",
    "max-height",
    "display",
    "float",
    "clear",
    "vertical-align",
    "list-style",
    "table-layout",
    "overflow",
    "opacity",
    "direction",
    "box-sizing",
    "box-shadow",
    "caption-side",
    "empty-cells",
    "color-scheme",
    "visibility",
];

/// Parts of values that never pass.
const FORBIDDEN: [&str; 13] = [
    "url(",
    "image(",
    "image-set(",
    "src(",
    "expression",
    "javascript:",
    "vbscript:",
    "data:",
    "@",
    "\\",
    "<",
    "behavior",
    "-moz-binding",
];

/// The declarations of a `style` attribute that pass, or an empty text.
pub fn declarations(style: &str) -> String {
    let clean = without_comments(style);
    let mut out = String::with_capacity(clean.len());
    for declaration in clean.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let (property, value) = (property.trim().to_ascii_lowercase(), value.trim());
        if is_allowed(&property, value) {
            if !out.is_empty() {
                out.push_str("; ");
            }
            out.push_str(&property);
            out.push_str(": ");
            out.push_str(value);
        }
    }
    out
}

fn is_allowed(property: &str, value: &str) -> bool {
    let known = PROPERTIES.iter().any(|allowed| match allowed.ends_with('-') {
        true => property.starts_with(allowed),
        false => {
            let rest = property.strip_prefix(allowed);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
    });
    let lower: String = value.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    known
        && !property.contains("image")
        && !lower.is_empty()
        && lower.len() < 500
        && !lower.contains(['{', '}', '\0'])
        && !FORBIDDEN.iter().any(|word| lower.contains(word))
}

/// A style sheet reduced to plain rules and `@media` blocks with declarations that pass.
pub fn sheet(css: &str) -> String {
    let css = crate::mail::limits::prefix(css, MAX_SHEET_BYTES);
    let clean = without_comments(css).replace("<!--", " ").replace("-->", " ");
    if clean.contains('<') {
        return String::new();
    }
    let mut out = String::with_capacity(clean.len());
    rules(&clean, 0, &mut out);
    out
}

fn rules(css: &str, depth: usize, out: &mut String) {
    let mut rest = css;
    while let Some(open) = rest.find(['{', ';', '}']) {
        let (head, tail) = rest.split_at(open);
        let head = head.trim();
        if !tail.starts_with('{') {
            rest = tail.get(1..).unwrap_or_default();
            continue;
        }
        let length = block_length(tail);
        let block = tail.get(1..length.saturating_sub(1).max(1)).unwrap_or_default();
        rest = tail.get(length..).unwrap_or_default();
        if let Some(at_rule) = head.strip_prefix('@') {
            if is_media(at_rule) && depth < MAX_NESTING {
                out.push_str(head);
                out.push('{');
                rules(block, depth + 1, out);
                out.push('}');
            }
        } else if is_selector(head) {
            let kept = declarations(block);
            if !kept.is_empty() {
                out.push_str(head);
                out.push('{');
                out.push_str(&kept);
                out.push('}');
            }
        }
    }
}

/// The length of a block from its opening to its closing brace.
fn block_length(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn is_media(at_rule: &str) -> bool {
    let condition = at_rule.to_ascii_lowercase();
    condition.starts_with("media") && condition.len() < 300 && !condition.contains(['\\', '"', '\'', '@'])
}

/// Selectors pass unless they carry strings or escapes: attribute selectors could spell out what a page holds.
fn is_selector(selector: &str) -> bool {
    !selector.is_empty() && selector.len() < 2_000 && !selector.contains(['\\', '"', '\'', '@', '\0'])
}

fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        let Some((_, tail)) = after.split_once("*/") else {
            return out;
        };
        out.push(' ');
        rest = tail;
    }
    out.push_str(rest);
    out
}
