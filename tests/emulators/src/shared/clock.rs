//! The emulator's own time: the machine's, moved ahead on demand.

use chrono::{DateTime, SecondsFormat, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock that can be moved ahead, so that seven days pass within a test.
#[derive(Debug, Default)]
pub struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Milliseconds since 1970.
    pub fn now(&self) -> i64 {
        Utc::now().timestamp_millis() + self.ahead.load(Ordering::SeqCst)
    }

    /// Lets time pass at once.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4), Ordering::SeqCst);
    }
}

/// A moment as RFC 3339 with milliseconds.
pub fn rfc3339(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment as an HTTP date.
pub fn http_date(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A moment as the `Date` field of a mail.
pub fn mail_date(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc2822()
}

/// A moment as RFC 3339 in whole seconds.
pub fn rfc3339_seconds(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
