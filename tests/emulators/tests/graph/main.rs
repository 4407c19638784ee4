//! The Graph emulator from outside, over HTTP, rule by rule.

mod attachments;
mod batch;
mod changes;
mod control;
mod delta;
mod description;
mod drafts;
mod faults;
mod folders;
mod hook;
mod messages;
mod oauth;
mod queries;
mod sending;
mod subscriptions;
mod support;
mod tokens;
mod uploads;
