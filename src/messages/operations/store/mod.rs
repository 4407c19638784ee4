//! All SQL of the journal.

mod outcomes;
mod settle;
mod work;

pub use outcomes::{copied, flags_stored, moved, removed};
pub use settle::{confirm, fail, retry_later};
pub use work::{differences, due_items};
