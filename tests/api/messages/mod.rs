//! Mails as they are stored and read.

mod ground;
mod store;
