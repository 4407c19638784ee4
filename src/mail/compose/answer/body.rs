//! What a person wrote, with the signature and the quotation that go with it.

use super::quote::{QUOTE_START, Quoted};
use crate::mail::compose::build::derived_text;
use crate::mail::html::to_text;

/// The texts of a mail while it is put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The plain text; without one [`compose`](crate::mail::compose::compose) derives it from the HTML.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
}

impl Body {
    /// Adds a signature below what is written so far; call it before [`Body::with_quote`].
    #[must_use]
    pub fn with_signature(self, signature_html: &str) -> Self {
        if signature_html.trim().is_empty() {
            return self;
        }
        let text = self.text.map(|text| {
            let signature = to_text(signature_html);
            format!("{}\n\n-- \n{}\n", text.trim_end(), signature.trim_end())
        });
        let html = match (self.html, &text) {
            (Some(html), _) => Some(with_signature(&html, signature_html)),
            (None, Some(_)) => None,
            (None, None) => Some(with_signature("", signature_html)),
        };
        Self { text, html }
    }

    /// Adds the quoted original at the end, in each form that the body has.
    ///
    /// A plain text stays one; where nothing is written yet, both forms are made.
    #[must_use]
    pub fn with_quote(self, quote: &Quoted) -> Self {
        let nothing = self.text.is_none() && self.html.is_none();
        let text = match (self.text, &self.html) {
            (Some(text), _) => Some(below(&text, &quote.text)),
            // The quotation is better marked than it would be in a text derived from the whole.
            (None, Some(html)) => Some(below(&derived_text(html), &quote.text)),
            (None, None) => Some(quote.text.clone()),
        };
        let html = match self.html {
            Some(html) => Some(insert(&html, end_of_document(&html), &quote.html)),
            None => nothing.then(|| quote.html.clone()),
        };
        Self { text, html }
    }
}

fn below(text: &str, quote: &str) -> String {
    let own = text.trim_end();
    // The space of a signature's line belongs to it even if nothing follows.
    let own = if own.ends_with("\n--") { text.trim_end_matches('\n') } else { own };
    if own.is_empty() { quote.to_owned() } else { format!("{own}\n\n{quote}") }
}

/// Adds a signature to an HTML text: before the mail that it quotes, else at its end.
pub fn with_signature(html: &str, signature_html: &str) -> String {
    if signature_html.trim().is_empty() {
        return html.to_owned();
    }
    let at = html.find(QUOTE_START).unwrap_or_else(|| end_of_document(html));
    let break_before = if html.get(..at).is_some_and(|before| before.trim().is_empty()) { "" } else { "<br>" };
    let block = format!(
        "{break_before}<div class=\"gmail_signature_prefix\">-- <br></div>\
         <div class=\"gmail_signature\">{signature_html}</div>"
    );
    insert(html, at, &block)
}

/// Where more can be written: before the end tag of a whole document.
fn end_of_document(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    lower.rfind("</body").or_else(|| lower.rfind("</html")).unwrap_or(html.len())
}

fn insert(html: &str, at: usize, block: &str) -> String {
    let (before, after) = html.split_at_checked(at).unwrap_or((html, ""));
    format!("{before}{block}{after}")
}
