//! Makes the HTML of a stranger safe to show: an allow list of elements, attributes, links and styles.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ammonia::{Builder, UrlRelative};

use super::cost::is_costly;
use super::to_text::{content_id, to_text};
use super::{css, from_text};

/// Most bytes of HTML that are sanitised as HTML.
const MAX_HTML_BYTES: usize = 2 * 1024 * 1024;

const TAGS: [&str; 62] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
];
const MORE_TAGS: [&str; 7] = ["thead", "time", "tr", "tt", "u", "ul", "wbr"];

/// Elements that go with everything in them.
const DROPPED: [&str; 24] = [
    "script",
    "svg",
    "math",
    "iframe",
    "frame",
    "frameset",
    "object",
    "embed",
    "applet",
    "video",
    "audio",
    "source",
    "track",
    "canvas",
    "template",
    "noscript",
    "title",
    "textarea",
    "select",
    "option",
    "button",
    "xmp",
    "plaintext",
    "noembed",
];

const ATTRIBUTES: [&str; 24] = [
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "class",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "hspace",
    "lang",
    "nowrap",
    "rowspan",
    "size",
    "start",
    "style",
    "title",
    "type",
    "valign",
    "vspace",
    "width",
];

/// HTML that is safe to show in a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sanitized {
    /// The clean fragment.
    pub html: String,
    /// How many images would have been loaded from elsewhere and are blocked.
    pub blocked_images: usize,
}

/// Sanitises HTML; images embedded in the mail are left out.
pub fn sanitize(html: &str) -> String {
    sanitize_with(html, &HashMap::new()).html
}

/// Sanitises HTML and points `cid:` images to the addresses in `embedded`.
///
/// The keys are Content-IDs in any case; the values must be addresses of our own, they are not checked.
/// HTML that is too large or would cost too much is shown as its text.
pub fn sanitize_with(html: &str, embedded: &HashMap<String, String>) -> Sanitized {
    if html.len() > MAX_HTML_BYTES || is_costly(html) {
        return Sanitized { html: from_text::text_to_html(&to_text(html)), blocked_images: 0 };
    }
    let blocked = Arc::new(AtomicUsize::new(0));
    let filter = Filter {
        embedded: embedded.iter().map(|(id, url)| (content_id(id), url.clone())).collect(),
        blocked: Arc::clone(&blocked),
        outgoing: false,
    };
    let clean = builder(filter).clean(html).to_string();
    Sanitized { html: clean_sheets(&clean), blocked_images: blocked.load(Ordering::Relaxed) }
}

/// Sanitises HTML that goes out again in a quotation: its images stay, embedded ones and those elsewhere, since whoever
/// receives the mail decides about them anew.
pub fn sanitize_outgoing(html: &str) -> String {
    if html.len() > MAX_HTML_BYTES || is_costly(html) {
        return from_text::text_to_html(&to_text(html)).replace('\n', "<br>");
    }
    let filter = Filter { outgoing: true, ..Filter::default() };
    clean_sheets(&builder(filter).clean(html).to_string())
}

fn builder(filter: Filter) -> Builder<'static> {
    // Relative addresses pass here so that our own do; the filter takes all others out.
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.iter().chain(&MORE_TAGS).copied().collect())
        .clean_content_tags(HashSet::from(DROPPED))
        .generic_attributes(HashSet::from(ATTRIBUTES))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"])), ("img", HashSet::from(["src"]))]))
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::PassThrough)
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| filter.attribute(element, attribute, value));
    builder
}

#[derive(Default)]
struct Filter {
    embedded: HashMap<String, String>,
    blocked: Arc<AtomicUsize>,
    outgoing: bool,
}

impl Filter {
    fn attribute<'v>(&self, element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
        match (element, attribute) {
            (_, "style") => {
                let kept = css::declarations(value);
                (!kept.is_empty()).then_some(Cow::Owned(kept))
            }
            ("img", "src") => self.image(value),
            (_, "href") => is_link(value).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        }
    }

    /// The address of an image: ours for embedded ones, none for those elsewhere.
    fn image<'v>(&self, source: &'v str) -> Option<Cow<'v, str>> {
        let trimmed = source.trim();
        let lower = crate::mail::limits::prefix(trimmed, 40).to_ascii_lowercase();
        let is_remote = lower.starts_with("http://") || lower.starts_with("https://");
        if self.outgoing && (is_remote || lower.starts_with("cid:")) {
            return Some(Cow::Borrowed(source));
        }
        if lower.starts_with("cid:") {
            let id = content_id(trimmed.get(4..).unwrap_or_default());
            return self.embedded.get(&id).cloned().map(Cow::Owned);
        }
        let raster = ["data:image/png;", "data:image/jpeg;", "data:image/jpg;", "data:image/gif;", "data:image/webp;"];
        if raster.iter().any(|kind| lower.starts_with(kind)) {
            return Some(Cow::Borrowed(source));
        }
        if lower.starts_with("http") {
            self.blocked.fetch_add(1, Ordering::Relaxed);
        }
        None
    }
}

fn is_link(value: &str) -> bool {
    let scheme = value.trim().split(':').next().unwrap_or_default().to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel")
}

/// Filters the content of the `<style>` elements that the sanitiser passed, and their attributes.
fn clean_sheets(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<style") {
        out.push_str(before);
        let content = after.split_once('>').map_or("", |(_, content)| content);
        let Some((sheet, tail)) = content.split_once("</style>") else {
            return out;
        };
        let kept = css::sheet(sheet);
        if !kept.is_empty() {
            out.push_str("<style>");
            out.push_str(&kept);
            out.push_str("</style>");
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
