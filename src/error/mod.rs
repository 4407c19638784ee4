//! Errors: which type belongs where.
//!
//! - A **store** answers `diesel::QueryResult`.
//! - A **module** with rules of its own has a `thiserror` enum that says what can go wrong in its own words.
//! - A **route** answers [`ApiError`]: a code from the one public table ([`ErrorCode`]), and a detail that tells what to
//!   do next. What went wrong inside is logged with its cause and never sent to a client.
//! - The **command line** and the start of the server use `anyhow`: one clear line, then exit status 1.

mod api;
mod code;
mod database;

pub use api::{ApiError, ApiResult, FieldError, Problem};
pub use code::ErrorCode;
pub use database::{is_unavailable, is_unique_violation};
