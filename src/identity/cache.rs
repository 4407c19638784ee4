//! Who a token belongs to, remembered for some seconds.
//!
//! Most requests of a person come in bursts, and each would ask the database the same question. An answer lives ten
//! seconds, which is how long another copy of the server may take to notice a sign-out or a revoked key. In this process
//! it is noticed at once: whatever changes rights raises the generation, and older answers no longer count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use super::IdentityError;
use crate::access::Access;
use crate::clock::Timestamp;

/// How long another copy of the server may lag behind.
const LIFETIME: Duration = Duration::from_secs(10);

const CAPACITY: u64 = 50_000;

/// Somebody whose token counts.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// What the caller may do.
    pub access: Access,
    /// When the token stops to count, if ever.
    pub expires_at: Option<Timestamp>,
    /// What only a browser's session has.
    pub session: Option<BrowserSession>,
}

/// What only a browser's session has.
#[derive(Debug, Clone)]
pub(super) struct BrowserSession {
    pub csrf_token: String,
    pub last_seen_at: Timestamp,
    pub created_at: Timestamp,
}

/// Remembers callers by the hash of their token.
#[derive(Clone)]
pub(super) struct Callers {
    entries: Cache<Vec<u8>, (u64, Arc<Caller>)>,
    generation: Arc<AtomicU64>,
}

impl Callers {
    pub fn new() -> Self {
        let entries = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build();
        Self { entries, generation: Arc::new(AtomicU64::new(0)) }
    }

    /// The caller of a token, from memory or else from the database; unknown tokens are not remembered.
    pub async fn find(
        &self,
        token_hash: Vec<u8>,
        load: impl AsyncFnOnce() -> Result<Option<Caller>, IdentityError>,
    ) -> Result<Option<Arc<Caller>>, IdentityError> {
        // Read before loading: a change that comes in between makes the answer count for this request only.
        let generation = self.generation.load(Ordering::Acquire);
        if let Some((made_in, caller)) = self.entries.get(&token_hash)
            && made_in == generation
        {
            return Ok(Some(caller));
        }
        let Some(caller) = load().await?.map(Arc::new) else { return Ok(None) };
        self.entries.insert(token_hash, (generation, caller.clone()));
        Ok(Some(caller))
    }

    /// Forgets one caller, whose row has changed harmlessly.
    pub fn forget(&self, token_hash: &[u8]) {
        self.entries.invalidate(token_hash);
    }

    /// Forgets everybody, after rights have changed.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}
