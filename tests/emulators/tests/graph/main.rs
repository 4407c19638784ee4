//! The Graph emulator from outside, over HTTP, rule by rule.

mod attachments;
mod control;
mod delta;
mod description;
mod faults;
mod folders;
mod messages;
mod oauth;
mod queries;
mod support;
mod tokens;
