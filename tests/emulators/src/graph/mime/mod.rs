//! Mails in and out: taken apart as Exchange does when they come, put together anew when they are asked for.

mod html;
mod read;
mod write;

pub use html::{from_text, preview, served, to_text, unique};
pub use read::content;
pub use write::{Form, written};
