//! Mail that leaves over the Gmail API, and drafts there: each mail once, whatever is lost or dies when.

mod drafts;
mod kills;
mod once;
mod refusals;
mod sent;
mod world;
