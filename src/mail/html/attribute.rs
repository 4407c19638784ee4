//! The attributes of a tag.

/// The value of an attribute as it is written, by its name in lower case; none where the tag has it not, or without a value.
pub(super) fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        // A sign of equality may begin a name (HTML, 13.2.5.32), and ends it everywhere else.
        let ends = |(at, c): (usize, char)| (c.is_ascii_whitespace() || c == '/' || (c == '=' && at > 0)).then_some(at);
        let (name, after) = rest.split_at_checked(rest.char_indices().find_map(ends).unwrap_or(rest.len()))?;
        rest = after;
        let Some(value) = after.trim_ascii_start().strip_prefix('=') else { continue };
        let (value, after) = cut(value.trim_ascii_start());
        rest = after;
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

/// Cuts a value, quoted or not, from what follows it.
fn cut(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = text.get(1..).unwrap_or_default();
        return inner.split_once(quote).unwrap_or((inner, ""));
    }
    text.split_at_checked(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len())).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn an_attribute_is_found_in_every_spelling() {
        for tag in
            [" href=x", " class=\"a href=y\" HREF = 'x'", "/id=a href=x target", " a = b href=\"x\"/", " hidden href=x"]
        {
            assert_eq!(attribute(tag, "href"), Some("x"), "{tag}");
        }
        for tag in ["", " hrefs=x", " data-href=x", " href", " =href=x", " title=' href=x", " a=\"b\"c=d"] {
            assert_eq!(attribute(tag, "href"), None, "{tag}");
        }
    }
}
