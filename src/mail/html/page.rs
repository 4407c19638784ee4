//! The document in which a mail is shown, for a sandboxed frame.

/// Wraps sanitised HTML into a complete document.
///
/// The policy in the document repeats what the answer's headers should say: no scripts, no frames, nothing
/// from elsewhere. A mail that sets colours of its own stays on white, because its author chose them for white.
pub fn page(sanitised: &str) -> String {
    let scheme = if sets_colours(sanitised) { "light" } else { "light dark" };
    let mut out = String::with_capacity(sanitised.len() + 1_200);
    out.push_str("<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' data:; ");
    out.push_str("style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'\">\n");
    out.push_str("<meta name=\"referrer\" content=\"no-referrer\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"");
    out.push_str(scheme);
    out.push_str("\">\n<style>:root{color-scheme:");
    out.push_str(scheme);
    out.push('}');
    out.push_str(STYLE);
    out.push_str("</style>\n</head>\n<body>\n");
    out.push_str(sanitised);
    out.push_str("\n</body>\n</html>\n");
    out
}

/// Base rules that any style of the mail overrides.
const STYLE: &str = "body{margin:0;padding:16px;font:14px/22px system-ui,sans-serif;overflow-wrap:break-word}\
    img{max-width:100%}img:not([src]){display:inline-block;background:rgba(128,128,128,.12)}\
    blockquote{margin:8px 0 8px 4px;padding-left:12px;border-left:2px solid rgba(128,128,128,.4)}\
    pre,.text{white-space:pre-wrap}";

fn sets_colours(html: &str) -> bool {
    html.contains("bgcolor=") || html.contains("background") || html.contains("<style>") || html.contains("<font color")
}
