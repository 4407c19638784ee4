//! Idempotency keys: a POST that is sent again is answered with its first answer.
//!
//! A client that lost an answer repeats the request with the same `Idempotency-Key`. Within 24 hours the same request of
//! the same user gets the same answer, without being carried out again; another request under the key is refused. Requests
//! that come while the first still runs wait for its answer. An answer that says "try again" (429 and 5xx) is not kept.

mod middleware;
mod store;

use std::sync::Arc;

pub use middleware::replay;

use crate::db::Db;

/// The name of this process beside the keys whose requests it carries out.
#[derive(Debug, Clone)]
pub struct Holder(Arc<str>);

impl Holder {
    /// Takes the name that the process has in leases.
    pub fn new(instance: &str) -> Self {
        Self(instance.into())
    }

    /// Frees the keys that it held when it died: their requests can be made again at once, not only when nobody can
    /// be at work on them any more. To be called before it answers anything.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn release_own(&self, db: &Db) -> diesel::QueryResult<()> {
        let freed = store::release(&mut db.write().await?, &self.0).await?;
        if freed > 0 {
            tracing::info!(keys = freed, "requests that were cut off can be made again");
        }
        Ok(())
    }
}
