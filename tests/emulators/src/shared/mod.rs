//! What every emulator needs: a server that stops on drop, faults, latency, a log of calls, a clock.

pub mod args;
pub mod calls;
pub mod clock;
pub mod conditions;
pub mod faults;
pub mod forms;
pub mod head;
pub mod http;
pub mod in_flight;
pub mod jwt;
pub mod keys;
pub mod often;
pub mod outcome;
pub mod random;
pub mod server;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after another thread panicked while it held the lock: a test that failed has said so itself.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
