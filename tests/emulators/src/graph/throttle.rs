//! Allowances of each application with each mailbox.

use super::errors::ApiError;
use super::switches::Settings;
use std::collections::{BTreeMap, VecDeque};

const TEN_MINUTES: i64 = 600_000;
const REQUESTS: f64 = 10_000.0;
const FIVE_MINUTES: i64 = 300_000;
const UPLOADED: f64 = 150.0 * 1024.0 * 1024.0;

/// What was used within a while.
#[derive(Debug, Default)]
struct Window {
    used: VecDeque<(i64, u64)>,
    sum: u64,
}

impl Window {
    /// Adds to it, also what is refused. Says how long to wait if it is too much.
    fn add(&mut self, amount: u64, allowance: f64, length: i64, now: i64) -> Result<(), i64> {
        while let Some((_, old)) = self.used.front().copied().filter(|(at, _)| *at + length <= now) {
            self.sum -= old;
            self.used.pop_front();
        }
        self.sum += amount;
        match self.used.back_mut() {
            Some((at, used)) if now - *at < 100 => *used += amount,
            _ => self.used.push_back((now, amount)),
        }
        if self.sum as f64 <= allowance {
            return Ok(());
        }
        Err(self.used.front().map_or(length, |(at, _)| at + length - now))
    }
}

/// The windows of all applications and mailboxes.
#[derive(Debug, Default)]
pub struct Throttle {
    requests: BTreeMap<String, Window>,
    uploads: BTreeMap<String, Window>,
    refused: u64,
}

impl Throttle {
    /// Counts a request with its bytes, or refuses it. A refused one counts as well.
    pub fn spend(&mut self, key: &str, bytes: usize, settings: &Settings, now: i64) -> Result<(), ApiError> {
        let Some(scale) = settings.quota_scale else {
            return Ok(());
        };
        let window = self.requests.entry(key.to_owned()).or_default();
        let requests = window.add(1, REQUESTS * scale, TEN_MINUTES, now);
        let window = self.uploads.entry(key.to_owned()).or_default();
        let uploads = window.add(u64::try_from(bytes).unwrap_or(u64::MAX), UPLOADED * scale, FIVE_MINUTES, now);
        requests.and(uploads).map_err(|wait| {
            self.refused += 1;
            // The same thing has more than one name.
            let code = if self.refused.is_multiple_of(2) { "TooManyRequests" } else { "ApplicationThrottled" };
            let seconds = u64::try_from(wait / 1000 + 1).unwrap_or(1);
            ApiError::new(429, code, "Application is over its request limit.")
                .retry_after(settings.throttle_retry_after.with(seconds), now)
        })
    }

    /// Forgets what was used.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
