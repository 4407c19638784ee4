//! A token bucket per caller.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

/// Lets so many calls a period pass for each key, with a burst of the same size.
#[derive(Clone)]
pub struct RateLimiter<K> {
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
    burst: f64,
    per_second: f64,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// A call was over the limit; another makes sense after so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// Whole seconds to wait, at least one.
    pub retry_after: u64,
}

impl<K: Hash + Eq + Send + Sync + 'static> RateLimiter<K> {
    /// Allows `calls` in any `period`.
    pub fn new(calls: NonZeroU32, period: Duration) -> Self {
        let burst = f64::from(calls.get());
        // A bucket left alone for a period is full again, so forgetting it changes nothing.
        let buckets = Cache::builder().max_capacity(100_000).time_to_idle(period * 2).build();
        Self { buckets, burst, per_second: burst / period.as_secs_f64().max(0.001) }
    }

    /// Takes one call from the caller's bucket.
    ///
    /// # Errors
    /// When the bucket is empty.
    pub fn check(&self, key: K) -> Result<(), Limited> {
        self.check_at(key, Instant::now())
    }

    fn check_at(&self, key: K, now: Instant) -> Result<(), Limited> {
        let bucket = self.buckets.get_with(key, || Arc::new(Mutex::new(Bucket { tokens: self.burst, at: now })));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.per_second).min(self.burst);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let seconds = ((1.0 - bucket.tokens) / self.per_second).ceil();
        Err(Limited { retry_after: (seconds as u64).max(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limiter = RateLimiter::new(NonZeroU32::new(2).unwrap(), Duration::from_secs(10));
        let start = Instant::now();
        assert!(limiter.check_at("a", start).is_ok());
        assert!(limiter.check_at("a", start).is_ok());
        assert_eq!(limiter.check_at("a", start), Err(Limited { retry_after: 5 }));
        assert!(limiter.check_at("b", start).is_ok(), "another key has its own bucket");
        assert!(limiter.check_at("a", start + Duration::from_secs(5)).is_ok());
    }
}
