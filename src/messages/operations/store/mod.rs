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
mod written;

pub use outcomes::{appended, copied, flags_stored, moved, removed};
pub use settle::{confirm, fail, retry_later};
pub use work::{differences, due_items};
pub use written::{Leftover, expect_in, leftovers, removed_leftover, replaced, withdraw};
