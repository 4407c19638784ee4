//! The API, tested from outside, on both databases and with real servers.

#[macro_use]
#[allow(dead_code, reason = "a toolbox: not every tool is in use at every time")]
mod support;

mod harness;
