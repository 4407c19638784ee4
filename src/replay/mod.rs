//! Idempotency keys: a POST that is sent again is answered with its first answer.
//!
//! A client that lost an answer repeats the request with the same `Idempotency-Key`. Within 24 hours the same request of
//! the same user gets the same answer, without being carried out again; another request under the key is refused. Requests
//! that come while the first still runs wait for its answer. An answer that says "try again" (429 and 5xx) is not kept.

mod middleware;
mod store;

pub use middleware::replay;
