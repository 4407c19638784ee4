//! The Gmail emulator from outside, over HTTP, rule by rule.

mod batch;
mod control;
mod discovery;
mod drafts;
mod faults;
mod history;
mod labels;
mod lists;
mod messages;
mod oauth;
mod pull;
mod push;
mod quota;
mod sending;
mod service_account;
mod settings;
mod strictness;
mod support;
mod threads;
mod uploads;
