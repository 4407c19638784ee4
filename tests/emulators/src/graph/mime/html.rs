//! Bodies as Exchange serves them: made safe, turned from text into HTML and back.

/// The head that Exchange puts into every HTML body.
const META: &str = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">";

/// HTML as it is served: wrapped if it was a fragment, with Exchange's own line in its head, and made safe
/// unless the client wants it as it is.
pub fn served(html: &str, is_unsafe: bool) -> String {
    let html = if is_unsafe { html.to_owned() } else { without_active(html) };
    let lower = html.to_ascii_lowercase();
    if let Some(at) = lower.find("<head>") {
        let (before, after) = html.split_at(at + "<head>".len());
        return format!("{before}{META}{after}");
    }
    if let Some(start) = lower.find("<html") {
        let end = lower.get(start..).and_then(|rest| rest.find('>')).map_or(start, |end| start + end + 1);
        let (before, after) = html.split_at(end);
        return format!("{before}<head>{META}</head>{after}");
    }
    format!("<html><head>\r\n{META}</head><body>{html}</body></html>")
}

/// The HTML without what runs: scripts, handlers, objects, addresses that are code.
fn without_active(html: &str) -> String {
    let mut safe = html.to_owned();
    for name in ["script", "object", "embed", "iframe", "applet", "form"] {
        safe = without_element(&safe, name);
    }
    let mut result = String::with_capacity(safe.len());
    let mut rest = safe.as_str();
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        result.push_str(before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        result.push_str(&without_handlers(tag));
        rest = after;
    }
    result.push_str(rest);
    result
}

fn without_element(html: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    loop {
        let lower = rest.to_ascii_lowercase();
        let Some(start) = lower.find(&open) else {
            break;
        };
        result.push_str(rest.get(..start).unwrap_or_default());
        let end = lower.get(start..).and_then(|rest| rest.find(&close)).map(|end| start + end + close.len());
        let end = end.or_else(|| lower.get(start..).and_then(|rest| rest.find('>')).map(|end| start + end + 1));
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
    }
    result.push_str(rest);
    result
}

/// A tag without attributes such as `onload`, and without addresses that are code.
fn without_handlers(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    if !lower.contains(" on") && !lower.contains("javascript:") && !lower.contains("vbscript:") {
        return tag.to_owned();
    }
    let mut kept = Vec::new();
    let mut skips = None::<char>;
    for piece in tag.trim_end_matches('>').split(' ') {
        if let Some(quote) = skips {
            skips = (!piece.ends_with(quote)).then_some(quote);
            continue;
        }
        let lower = piece.to_ascii_lowercase();
        let handler = lower.starts_with("on") && lower.contains('=');
        if !handler && !lower.contains("javascript:") && !lower.contains("vbscript:") {
            kept.push(piece);
            continue;
        }
        let value = piece.split_once('=').map(|(_, value)| value).unwrap_or_default();
        let quote = value.chars().next().filter(|quote| "\"'".contains(*quote));
        skips = quote.filter(|quote| value.len() < 2 || !value.ends_with(*quote));
    }
    format!("{}>", kept.join(" "))
}

/// Plain text as HTML, the way Exchange converts it.
pub fn from_text(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let lines = escaped.replace("\r\n", "\n").replace('\n', "<br>\r\n");
    format!(
        "<html><head>\r\n{META}<meta name=\"Generator\" content=\"Microsoft Exchange Server\">\r\n\
         <!-- converted from text --><style><!-- .EmailQuote {{ margin-left: 1pt; padding-left: 4pt; border-left: \
         #800000 2px solid; }} --></style></head>\r\n<body>\r\n<font size=\"2\"><span style=\"font-size:11pt;\"><div \
         class=\"PlainText\">{lines}</div></span></font>\r\n</body>\r\n</html>\r\n"
    )
}

/// HTML as plain text.
pub fn to_text(html: &str) -> String {
    let mut stripped = without_comments(html);
    for name in ["head", "style", "script", "title"] {
        stripped = without_element(&stripped, name);
    }
    let mut text = String::new();
    let mut rest = stripped.as_str();
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        push_text(&mut text, before);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(end);
        let name = tag.trim_start_matches(['<', '/']).split(|c: char| !c.is_ascii_alphanumeric()).next();
        if ["br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote", "hr"]
            .contains(&name.unwrap_or_default().to_ascii_lowercase().as_str())
            && !text.ends_with('\n')
            && !text.is_empty()
        {
            text.push_str("\r\n");
        }
        rest = after;
    }
    push_text(&mut text, rest);
    text.trim().to_owned()
}

fn without_comments(html: &str) -> String {
    let mut result = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        result.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    result.push_str(rest);
    result
}

fn push_text(text: &mut String, piece: &str) {
    let decoded = piece
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    let words: Vec<&str> = decoded.split(|c: char| c.is_ascii_whitespace()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return;
    }
    let spaced = decoded.starts_with(|c: char| c.is_ascii_whitespace());
    if spaced && !text.is_empty() && !text.ends_with(['\n', ' ']) {
        text.push(' ');
    }
    text.push_str(&words.join(" "));
    if decoded.ends_with(|c: char| c.is_ascii_whitespace()) {
        text.push(' ');
    }
}

/// The part of a body that is not in the mails before it.
pub fn unique(html: &str) -> String {
    const QUOTES: [&str; 5] =
        ["<div id=\"appendonsend\"", "<div id=\"divrplyfwdmsg\"", "<blockquote", "-----original message-----", "<hr"];
    let lower = html.to_ascii_lowercase();
    let end = QUOTES.iter().filter_map(|quote| lower.find(quote)).min().unwrap_or(html.len());
    let body = lower.find("<body").and_then(|at| lower.get(at..)?.find('>').map(|end| at + end + 1)).unwrap_or(0);
    let inner = html.get(body..end.max(body)).unwrap_or_default();
    let inner = inner.split("</body>").next().unwrap_or_default().trim();
    format!("<html><body>{inner}</body></html>")
}

/// The first 255 letters of the text.
pub fn preview(text: &str) -> String {
    let short: String = text.split("\r\n").map(str::trim_end).collect::<Vec<_>>().join("\r\n");
    short.trim().chars().take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_taken_out_and_nothing_else() {
        let html =
            "<p onclick=\"go( 1 )\" class=\"x\">Hi<script>alert(1)</script> <a href=\"javascript:x()\">y</a></p>";
        let safe = served(html, false);
        assert!(safe.contains("<p class=\"x\">Hi <a>y</a></p>"), "{safe}");
        assert!(served(html, true).contains("onclick"));
        assert!(safe.starts_with("<html><head>"));
    }

    #[test]
    fn text_survives_both_ways() {
        let text = "One & two\r\n<three>";
        assert_eq!(to_text(&from_text(text)), text);
        assert_eq!(to_text("<p>Hello <b>you</b></p><p>Bye</p>"), "Hello you\r\nBye");
    }

    #[test]
    fn quotes_are_not_unique() {
        let html = "<html><body><p>New</p><blockquote>Old</blockquote></body></html>";
        assert_eq!(unique(html), "<html><body><p>New</p></body></html>");
    }
}
