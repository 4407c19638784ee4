//! How often a password may be guessed.
//!
//! A guess is counted before it is checked, so that a hundred at once count as a hundred, and given back when it was
//! right. One person at one address has few tries; the whole world has more for one person, so that a stranger cannot
//! easily lock somebody out; and one network has a limit for all the people that it tries.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use moka::sync::Cache;

use super::IdentityError;
use crate::clock::{Clock, Timestamp};

/// Wrong guesses allowed in a window: for one person from one network, for one person, from one network.
const PAIR: u32 = 10;
const PERSON: u32 = 30;
const NETWORK: u32 = 50;

/// How long guesses count, in minutes.
const WINDOW: i64 = 15;

/// How many counters are remembered.
const CAPACITY: u64 = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Pair(String, IpAddr),
    Person(String),
    Network(IpAddr),
}

#[derive(Debug)]
struct Window {
    started: Timestamp,
    guesses: u32,
}

/// Counts wrong guesses.
#[derive(Clone)]
pub(super) struct Guesses {
    windows: Cache<Key, Arc<Mutex<Window>>>,
    clock: Clock,
}

/// A counted guess; tell when it was right.
pub(super) struct Guess {
    windows: Vec<Arc<Mutex<Window>>>,
}

impl Guesses {
    pub fn new(clock: Clock) -> Self {
        let lifetime = std::time::Duration::from_secs(WINDOW.unsigned_abs() * 60);
        Self { windows: Cache::builder().max_capacity(CAPACITY).time_to_idle(lifetime).build(), clock }
    }

    /// Counts one guess at the password of `person` (a normalised address).
    ///
    /// # Errors
    /// When too many were wrong; with the seconds to wait.
    pub fn count(&self, person: &str, ip: IpAddr) -> Result<Guess, IdentityError> {
        let now = self.clock.now();
        let network = network(ip);
        let limits = [
            (Key::Pair(person.to_owned(), network), PAIR),
            (Key::Person(person.to_owned()), PERSON),
            (Key::Network(network), NETWORK),
        ];
        let mut counted = Guess { windows: Vec::with_capacity(limits.len()) };
        for (key, limit) in limits {
            let window = self.windows.get_with(key, || Arc::new(Mutex::new(Window { started: now, guesses: 0 })));
            if let Err(seconds) = take(&window, limit, now) {
                counted.was_right();
                return Err(IdentityError::TooManyAttempts(seconds));
            }
            counted.windows.push(window);
        }
        Ok(counted)
    }
}

impl Guess {
    /// Gives the guess back.
    pub fn was_right(self) {
        for window in self.windows {
            let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
            window.guesses = window.guesses.saturating_sub(1);
        }
    }
}

fn take(window: &Mutex<Window>, limit: u32, now: Timestamp) -> Result<(), u64> {
    let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
    let passed = now - window.started;
    let length = Duration::minutes(WINDOW);
    if passed >= length {
        *window = Window { started: now, guesses: 0 };
    } else if window.guesses >= limit {
        return Err((length - passed).num_seconds().unsigned_abs().max(1));
    }
    window.guesses += 1;
    Ok(())
}

/// One household has a whole /64 of IPv6 addresses to itself (RFC 6177), so these count as one.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses() -> (Guesses, Clock) {
        let clock = Clock::fixed(Timestamp::from_micros(1_700_000_000_000_000).unwrap());
        (Guesses::new(clock.clone()), clock)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn wrong_guesses_run_out_and_come_back_with_time() {
        let (guesses, clock) = guesses();
        for _ in 0..PAIR {
            guesses.count("ada@example.com", ip("192.0.2.1")).unwrap();
        }
        clock.advance(Duration::minutes(5));
        let refused = guesses.count("ada@example.com", ip("192.0.2.1"));
        assert!(matches!(refused, Err(IdentityError::TooManyAttempts(600))));
        assert!(guesses.count("ada@example.com", ip("192.0.2.2")).is_ok(), "she may still sign in elsewhere");
        clock.advance(Duration::minutes(10));
        assert!(guesses.count("ada@example.com", ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn right_guesses_cost_nothing() {
        let (guesses, _) = guesses();
        for _ in 0..200 {
            guesses.count("ada@example.com", ip("192.0.2.1")).unwrap().was_right();
        }
    }

    #[test]
    fn a_network_runs_out_over_many_people_and_a_person_over_many_networks() {
        let (guesses, _) = guesses();
        for n in 0..NETWORK {
            guesses.count(&format!("{n}@example.com"), ip(&format!("2001:db8::{n:x}"))).unwrap();
        }
        assert!(guesses.count("new@example.com", ip("2001:db8::ffff")).is_err());
        for n in 0..PERSON {
            guesses.count("eve@example.com", ip(&format!("198.51.100.{n}"))).unwrap();
        }
        assert!(guesses.count("eve@example.com", ip("203.0.113.1")).is_err());
    }
}
