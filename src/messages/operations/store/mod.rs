//! All SQL of the journal.

pub(super) mod apply;
pub(super) mod folders;
pub(super) mod journal;
pub(super) mod list;
pub(super) mod load;
mod outcomes;
pub(super) mod places;
mod settle;
mod shields;
mod work;

pub use outcomes::{copied, flags_stored, moved, removed};
pub use settle::{confirm, fail, retry_later};
pub use work::{differences, due_items};
