//! How soon a mailbox is looked at again whose provider is asked over HTTP (Gmail, Outlook).
//!
//! One rule for all of them, and one measure: how long nothing has happened. A look that finds nothing costs one request.
//!
//! | | soon after something happened | later |
//! |---|---|---|
//! | nobody rings | every ten seconds | a tenth of the silence, to a minute; after a day of it a thousandth, to `SYNC_CRON` |
//! | the provider rings | after three seconds | each time as long as the silence, so that it doubles; soon only `SYNC_CRON` |
//!
//! Looks that follow a ring are not idle: Gmail drops what comes within a second of another notification, and a notification
//! may be ahead of the history that it speaks of. A bell that stayed silent when there was news is not relied on until it
//! rings again.

use chrono::Duration;

use crate::accounts::Signs;
use crate::clock::Timestamp;

/// The shortest time between two looks while nobody rings.
const SHORTEST: Duration = Duration::seconds(10);

/// The longest, in the first day of silence.
const MINUTE: Duration = Duration::seconds(60);

/// The first look after a ring.
const ECHO: Duration = Duration::seconds(3);

/// When to look again, at the latest when the periodic sync is due.
pub(super) fn next_look(now: Timestamp, periodic: Timestamp, signs: &Signs) -> Timestamp {
    let last = signs.active_at.max(signs.rung_at);
    let Some(last) = last else { return periodic };
    let silence = (now - last).max(Duration::zero());
    let wait = if signs.bell_is_good(now) {
        silence.max(ECHO)
    } else {
        (silence / 10).clamp(SHORTEST, MINUTE).max(silence / 1_000)
    };
    (now + wait).min(periodic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    const NOW: i64 = 10_000_000;

    /// Seconds until the next look, after so many seconds of silence; the periodic sync is due in ten minutes.
    fn wait(silence: i64, signs: Signs) -> i64 {
        let signs = Signs { active_at: Some(at(NOW - silence)), ..signs };
        (next_look(at(NOW), at(NOW + 600), &signs) - at(NOW)).num_seconds()
    }

    /// A bell that rang when it was last asked to.
    fn good_bell() -> Signs {
        let (rings_until, missed_at, rung_at) = (Some(at(NOW + 86_400)), Some(at(100)), Some(at(101)));
        Signs { rings_until, missed_at, rung_at, active_at: None }
    }

    #[test]
    fn without_a_bell_the_looks_follow_the_silence() {
        for (silence, expected) in [
            (0, 10),
            (90, 10),
            (300, 30),
            (600, 60),
            (3_600, 60),
            (43_200, 60),
            (86_400, 86),
            (3 * 86_400, 259),
            (30 * 86_400, 600),
        ] {
            assert_eq!(wait(silence, Signs::default()), expected, "{silence} s of silence");
        }
    }

    #[test]
    fn with_a_bell_some_looks_follow_each_ring_and_then_only_the_net() {
        for (silence, expected) in [(0, 3), (3, 3), (6, 6), (12, 12), (300, 300), (900, 600), (86_400, 600)] {
            assert_eq!(wait(silence, good_bell()), expected, "{silence} s of silence");
        }
        let mut looks = 0;
        let mut time = 0;
        while time < 600 {
            time += wait(time, good_bell());
            looks += 1;
        }
        assert!(looks <= 9, "{looks} looks after one ring");
    }

    #[test]
    fn a_ring_is_a_sign_of_life_too() {
        let signs = Signs { rung_at: Some(at(NOW - 2)), ..good_bell() };
        assert_eq!(wait(300, signs), 3);
    }

    #[test]
    fn a_bell_that_missed_news_is_not_relied_on_until_it_rings() {
        let missed = Signs { missed_at: Some(at(200)), ..good_bell() };
        assert_eq!(wait(300, missed), 30);
        let heard = Signs { rung_at: Some(at(201)), ..missed };
        assert_eq!(wait(300, heard), 300);
        let never = Signs { rung_at: None, missed_at: None, ..good_bell() };
        assert_eq!(wait(300, never), 30);
        let over = Signs { rings_until: Some(at(NOW)), ..good_bell() };
        assert_eq!(wait(300, over), 30);
    }

    #[test]
    fn where_nothing_is_known_the_periodic_sync_counts() {
        assert_eq!(next_look(at(NOW), at(NOW + 600), &Signs::default()), at(NOW + 600));
        let ahead = Signs { active_at: Some(at(NOW + 3_600)), ..Signs::default() };
        assert_eq!(next_look(at(NOW), at(NOW + 600), &ahead), at(NOW + 10), "a clock that was set back");
    }
}
