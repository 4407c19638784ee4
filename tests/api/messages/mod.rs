//! Mails as they are stored and read.

mod api;
pub mod ground;
pub mod served;
mod store;
