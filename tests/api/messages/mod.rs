//! Mails as they are stored and read.

mod api;
mod ground;
mod served;
mod store;
