//! The journal: what people change of their mails, done here at once and carried to the provider afterwards.
//!
//! `email_locations` says where a mail lies as people see it. A change is decided by pure functions ([`plan`], [`undo`]),
//! applied to these rows in one transaction ([`carry`]), and written down: one operation, one item a mail, with the mail's
//! former state. What the provider has meanwhile stays known: the flag it last reported stands beside a flag that was changed
//! here, a place that a mail is to leave becomes a departure, and a place that it is to come to has no number yet. Carrying
//! out means making both sides equal ([`differences`]), so that a crash anywhere is repaired by looking again.

mod carry;
mod check;
mod dto;
mod facts;
mod ground;
mod model;
mod naming;
mod plan;
#[cfg(test)]
mod plan_tests;
mod revert;
mod routes;
mod service;
mod store;
mod undo;

pub use model::{
    Change, DueItem, Fields, Flag, Former, FormerPlace, ItemKey, MailDiff, Number, OperationChange, OperationState,
    PlaceRow,
};
pub(super) use routes::configure;
pub use store::{
    Leftover, appended, confirm, copied, differences, due_items, expect_in, fail, flags_stored, leftovers, moved,
    removed, removed_leftover, replaced, retry_later, withdraw,
};
