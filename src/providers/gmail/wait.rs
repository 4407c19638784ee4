//! How long to wait: what Google says, in its three ways, and what is usual where it says nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use ring::rand::{SecureRandom, SystemRandom};

/// The first wait before another try; it doubles.
const FIRST: Duration = Duration::from_secs(2);

/// The longest wait before another try that nobody asked for.
const LONGEST: Duration = Duration::from_secs(32);

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(until(http_date(value)?, headers))
}

/// «… Retry after 2026-11-22T10:00:00.000Z», which Gmail says in words only.
pub(super) fn told_in_words(message: &str, headers: &HeaderMap) -> Option<Duration> {
    let at = message.to_ascii_lowercase().find("retry after ")?;
    let time = message.get(at + "retry after ".len()..)?.split_whitespace().next()?;
    let time = DateTime::parse_from_rfc3339(time.trim_end_matches(['.', ')'])).ok()?;
    Some(until(time.to_utc(), headers))
}

/// Dates are by Google's clock, which the answer tells.
fn until(time: DateTime<Utc>, headers: &HeaderMap) -> Duration {
    let now = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
    (time - now.unwrap_or_else(Utc::now)).to_std().unwrap_or_default()
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.to_utc())
}

/// The wait before the next try after so many: anything up to a bound that doubles.
pub(super) fn backoff(tries: u32) -> Duration {
    let bound = (FIRST * 2_u32.saturating_pow(tries.saturating_sub(1).min(10))).min(LONGEST);
    let mut random = [0; 4];
    // Without random numbers the wait is as long as it may be.
    let share = match SystemRandom::new().fill(&mut random) {
        Ok(()) => f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    bound.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Sun, 22 Nov 2026 10:00:00 GMT";

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap()), (DATE, NOW.parse().unwrap())])
    }

    #[test]
    fn how_long_to_wait_is_read_in_seconds_and_as_a_date_by_googles_clock() {
        assert_eq!(retry_after(&headers("7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers("Sun, 22 Nov 2026 10:00:30 GMT")), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(&headers("Sun, 22 Nov 2026 09:00:00 GMT")), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", ""] {
            assert_eq!(retry_after(&headers(nonsense)), None, "{nonsense:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn how_long_to_wait_is_read_from_words() {
        let read = |message| told_in_words(message, &headers("x"));
        let thirty = Some(Duration::from_secs(30));
        assert_eq!(read("User-rate limit exceeded.  Retry after 2026-11-22T10:00:30.000Z"), thirty);
        assert_eq!(read("User-rate limit exceeded. Retry after 2026-11-22T11:00:30+01:00 (Mail sending)"), thirty);
        assert_eq!(read("Retry after a while"), None);
        assert_eq!(read("Retry after "), None);
    }

    #[test]
    fn waits_are_spread_below_a_bound_that_doubles_and_ends() {
        for (tries, bound) in [(1, 2), (2, 4), (3, 8), (5, 32), (60, 32)] {
            let waits: Vec<Duration> = (0..200).map(|_| backoff(tries)).collect();
            let bound = Duration::from_secs(bound);
            assert!(waits.iter().all(|wait| *wait <= bound), "{tries}");
            assert!(waits.iter().any(|wait| *wait > bound / 2), "{tries}");
            assert!(waits.iter().any(|wait| *wait < bound / 2), "{tries}");
        }
    }
}
