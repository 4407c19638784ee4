//! The manners of the HTTP API: how bodies, parameters, pages and client addresses are read, the same for every route.

mod body;
mod client;
mod limit;
mod page;
mod security;

pub use body::{Body, PathId, QueryParams, body_config};
pub use client::{ClientIp, Proxies};
pub use limit::{Limited, RateLimiter};
pub use page::{Keyset, Limit, Page};
pub use security::{CONTENT_SECURITY_POLICY, harden};
