//! When the periodic sync of a mailbox is due.

use anyhow::Context;
use chrono::{Duration, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::clock::Timestamp;

/// Tells when the periodic sync of a mailbox is due next.
#[derive(Debug, Clone)]
pub struct SyncTimes(Cron);

impl SyncTimes {
    /// Reads `SYNC_CRON`: six fields, seconds first, in UTC.
    ///
    /// # Errors
    /// When it is no such line.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        let parser = CronParser::builder().seconds(Seconds::Required).build();
        parser.parse(line).map(Self).with_context(|| bad_line(line))
    }

    /// The next time after the given one; in ten minutes when the line never fires again.
    pub fn after(&self, time: Timestamp) -> Timestamp {
        match self.0.find_next_occurrence(&time.utc(), false) {
            Ok(next) => next.with_timezone(&Utc).into(),
            Err(_) => time + Duration::minutes(10),
        }
    }
}

fn bad_line(line: &str) -> String {
    format!("SYNC_CRON must be a cron line of six fields, seconds first, such as \"0 */10 * * * *\", not \"{line}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_line_fires_every_ten_minutes() {
        let times = SyncTimes::parse("0 */10 * * * *").unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        assert_eq!(times.after(at("2026-01-01T10:03:20Z")), at("2026-01-01T10:10:00Z"));
        assert_eq!(times.after(at("2026-01-01T10:10:00Z")), at("2026-01-01T10:20:00Z"));
        assert!(SyncTimes::parse("every now and then").is_err());
    }
}
