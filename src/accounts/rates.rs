//! How fast imports run: a meter for each mailbox, in memory only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::ids::AccountId;

/// Seconds after which the past counts for a third.
const MEMORY: f64 = 8.0;

/// A meter that stood still for so long shows nothing.
const STALE: f64 = 20.0;

/// The meters.
#[derive(Clone, Default)]
pub struct Rates(Arc<Mutex<HashMap<AccountId, Meter>>>);

struct Meter {
    per_second: f64,
    at: Instant,
}

impl Rates {
    /// Counts mails that were just stored.
    pub fn record(&self, account: AccountId, mails: usize) {
        self.record_at(account, mails, Instant::now());
    }

    /// Mails a second at present; nothing when no import runs here.
    pub fn per_second(&self, account: AccountId) -> Option<f64> {
        let meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meters.get(&account).filter(|meter| meter.at.elapsed().as_secs_f64() < STALE).map(|meter| meter.per_second)
    }

    /// Forgets a mailbox whose import ended.
    pub fn forget(&self, account: AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&account);
    }

    fn record_at(&self, account: AccountId, mails: usize, now: Instant) {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(meter) = meters.get_mut(&account) else {
            meters.insert(account, Meter { per_second: 0.0, at: now });
            return;
        };
        let passed = now.saturating_duration_since(meter.at).as_secs_f64().max(0.001);
        let keep = if meter.per_second == 0.0 { 0.0 } else { (-passed / MEMORY).exp() };
        meter.per_second = meter.per_second * keep + (mails as f64 / passed) * (1.0 - keep);
        meter.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_steady_import_shows_its_rate() {
        let (rates, account, start) = (Rates::default(), AccountId::new(), Instant::now());
        assert_eq!(rates.per_second(account), None);
        for second in 0..30 {
            rates.record_at(account, 100, start + Duration::from_secs(second));
        }
        let rate = rates.0.lock().unwrap()[&account].per_second;
        assert!((95.0..105.0).contains(&rate), "{rate}");
    }
}
