//! HTML of mails: made safe to show, made from text, and turned into text.

mod cost;
mod css;
mod from_text;
mod page;
mod sanitize;
mod to_text;

pub use from_text::text_to_html;
pub use page::page;
pub use sanitize::{Sanitized, sanitize, sanitize_with};
pub use to_text::{content_ids, to_text};

pub(super) use sanitize::sanitize_outgoing;
pub(super) use to_text::to_marked_text;
