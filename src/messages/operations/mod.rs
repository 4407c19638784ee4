//! The journal: what people change of their mails, applied here at once and carried to the provider afterwards.

mod model;
mod store;

pub use model::{
    Change, DueItem, Fields, Flag, Former, FormerPlace, ItemKey, MailDiff, Number, OperationChange, OperationState,
    PlaceRow,
};
pub use store::{confirm, copied, differences, due_items, fail, flags_stored, moved, removed, retry_later};
