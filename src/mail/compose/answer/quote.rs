//! The original in an answer, in the forms that mail programs fold away or show as forwarded.

use html_escape::encode_double_quoted_attribute as escape;

use super::{ReplySource, one_line};
use crate::mail::Mailbox;
use crate::mail::html::{sanitize_outgoing, text_to_html, to_text};
use crate::mail::limits::{prefix, truncate};

/// Longest name in the line above a quotation: longer lines are not known as such any more.
const MAX_NAME_BYTES: usize = 100;
/// Begins what we quote; by it a signature finds its place before the quotation.
pub(super) const QUOTE_START: &str = "<div class=\"gmail_quote";

/// An original as it stands in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// For the plain text.
    pub text: String,
    /// For the HTML, safe whatever the original held. Its embedded images still need their files: those of the original
    /// that [`referenced_content_ids`](crate::mail::compose::referenced_content_ids) finds in it.
    pub html: String,
}

/// The original for a reply: who wrote it when, and each line marked as quoted.
pub fn quote_reply(original: &ReplySource) -> Quoted {
    let said = introduction(original);
    let mut text = String::with_capacity(512);
    text.push_str(&said.text);
    text.push('\n');
    for line in text_of(original).lines() {
        text.push_str(if line.is_empty() || line.starts_with('>') { ">" } else { "> " });
        text.push_str(line);
        text.push('\n');
    }
    // The rules of the original's own sheet would reach into the answer above it.
    let body = without_sheets(&html_of(original));
    let html = format!(
        "<br>{QUOTE_START} gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">{}<br></div>\
         <blockquote type=\"cite\" class=\"gmail_quote\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;\
         padding-left:1ex\">{body}</blockquote></div>",
        said.html
    );
    Quoted { text, html }
}

/// The original for a forward: its most important fields, and all that it says.
pub fn quote_forward(original: &ReplySource) -> Quoted {
    const TITLE: &str = "---------- Forwarded message ---------";
    let mut text = format!("{TITLE}\n");
    let mut html = format!("<br>{QUOTE_START}\"><div dir=\"ltr\" class=\"gmail_attr\">{TITLE}<br>");
    for (label, value) in fields(original).into_iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{label}: {value}\n"));
        html.push_str(&format!("{label}: {}<br>", escape(&value)));
    }
    text.push('\n');
    text.push_str(text_of(original).trim_matches('\n'));
    text.push('\n');
    html.push_str(&format!("</div><br>{}</div>", html_of(original)));
    Quoted { text, html }
}

fn fields(original: &ReplySource) -> [(&'static str, String); 5] {
    let list = |people: &[Mailbox]| people.iter().map(shown).collect::<Vec<_>>().join(", ");
    [
        ("From", original.from.as_ref().map(shown).unwrap_or_default()),
        ("Date", date(original).unwrap_or_default()),
        ("Subject", one_line(&original.subject)),
        ("To", list(&original.to)),
        ("Cc", list(&original.cc)),
    ]
}

/// `Ada Berg <ada@example.org>`, on one line.
fn shown(mailbox: &Mailbox) -> String {
    let address = one_line(&mailbox.address);
    let name = mailbox.name.as_deref().map(one_line).unwrap_or_default();
    if name.is_empty() { address } else { format!("{} <{address}>", prefix(&name, MAX_NAME_BYTES)) }
}

fn date(original: &ReplySource) -> Option<String> {
    let date = original.date?;
    Some(date.format("%a, %-d %b %Y at %H:%M UTC").to_string())
}

/// `On Tue, 3 Feb 2026 at 09:20 UTC, Ada Berg <ada@example.org> wrote:`, which other programs and our own know.
fn introduction(original: &ReplySource) -> Quoted {
    let author = original.from.as_ref().map_or_else(|| "an unknown sender".to_owned(), shown);
    let mut text = match date(original) {
        Some(date) => format!("On {date}, {author}"),
        None => author,
    };
    truncate(&mut text, 380);
    text.push_str(" wrote:");
    let html = escape(&text).into_owned();
    Quoted { text, html }
}

fn text_of(original: &ReplySource) -> String {
    let given = original.text.as_deref().filter(|text| !text.trim().is_empty());
    let text = match (given, original.html.as_deref()) {
        (Some(text), _) => text.replace("\r\n", "\n").replace('\r', "\n"),
        (None, Some(html)) => to_text(html),
        (None, None) => String::new(),
    };
    text.replace('\0', "").trim_end().to_owned()
}

/// The HTML of the original, safe; one that has only text keeps its lines without the help of a style sheet.
fn html_of(original: &ReplySource) -> String {
    match original.html.as_deref().filter(|html| !html.trim().is_empty()) {
        Some(html) => sanitize_outgoing(html),
        None => text_to_html(&text_of(original)).replace('\n', "<br>"),
    }
}

/// Cuts the `<style>` elements out of sanitised HTML, where they always have this form.
fn without_sheets(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<style>") {
        out.push_str(before);
        rest = after.split_once("</style>").map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}
