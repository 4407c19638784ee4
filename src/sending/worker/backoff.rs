//! When something is tried again.

use chrono::Duration;

/// Tries of one mail: the short pauses of the list, then one an hour for three days.
pub const MOST_ATTEMPTS: i32 = 80;

/// The pauses between the first tries, in seconds: the first within a minute, since greylisting often lasts no longer.
const PAUSES: [i64; 7] = [45, 120, 300, 600, 1_200, 1_800, 2_700];

const HOUR: i64 = 3_600;

/// The pause after so many tries.
pub fn pause(attempts: i32) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    Duration::seconds(PAUSES.get(index).copied().unwrap_or(HOUR))
}

/// The pause before the copy of a sent mail is looked for or made again; nothing after a day.
pub fn filing(attempts: i32) -> Option<Duration> {
    match attempts {
        0..=1 => Some(Duration::seconds(5)),
        2..=4 => Some(Duration::seconds(30)),
        5..=9 => Some(Duration::seconds(120)),
        10..=15 => Some(Duration::seconds(600)),
        16..=40 => Some(Duration::seconds(HOUR)),
        _ => None,
    }
}

/// The pause before a draft is mirrored again.
pub fn mirroring(attempts: i32) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    Duration::seconds([15, 60, 300, 900].get(index).copied().unwrap_or(HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_comes_within_a_minute_and_the_last_after_three_days() {
        assert!(pause(1) < Duration::seconds(60));
        let all = (1..MOST_ATTEMPTS).fold(Duration::zero(), |sum, attempt| sum + pause(attempt));
        assert!(all > Duration::days(2) && all < Duration::days(4), "{all}");
    }

    #[test]
    fn a_copy_is_looked_for_often_in_the_first_minutes_and_for_a_day() {
        let mut sum = Duration::zero();
        let mut looks_in_five_minutes = 0;
        for attempt in 0..100 {
            let Some(pause) = filing(attempt) else { break };
            sum += pause;
            looks_in_five_minutes += i32::from(sum <= Duration::minutes(5));
        }
        assert!(looks_in_five_minutes >= 5 && sum >= Duration::hours(24), "{looks_in_five_minutes} {sum}");
    }
}
