//! How fast new connections to one mail server may follow each other.
//!
//! When a server comes back after a restart, all its mailboxes want to connect again: in a burst that would only make it
//! stumble again, and it might take us for an attacker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two connections to one host: at most twenty in any second, also when a timer is a little late.
const SPACING: Duration = Duration::from_millis(53);

/// Spaces connections out, host by host; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Mutex<HashMap<String, Instant>>>);

impl Gate {
    /// Waits for this connection's turn.
    pub async fn wait(&self, host: &str) {
        tokio::time::sleep_until(self.turn(host, Instant::now())).await;
    }

    fn turn(&self, host: &str, now: Instant) -> Instant {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Hosts whose turn has passed need no memory.
        next.retain(|_, at| *at > now);
        let turn = next.get(host).copied().unwrap_or(now).max(now);
        next.insert(host.to_owned(), turn + SPACING);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_to_one_host_take_turns_and_other_hosts_do_not_wait() {
        let gate = Gate::default();
        let now = Instant::now();
        assert_eq!(gate.turn("a", now), now);
        assert_eq!(gate.turn("a", now), now + SPACING);
        assert_eq!(gate.turn("a", now), now + SPACING * 2);
        assert_eq!(gate.turn("b", now), now);
        let later = now + Duration::from_secs(60);
        assert_eq!(gate.turn("a", later), later);
        assert_eq!(gate.0.lock().unwrap().len(), 1);
    }
}
