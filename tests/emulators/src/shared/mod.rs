//! What every emulator needs: a server that stops on drop, faults, latency, a log of calls, a clock.

pub mod calls;
pub mod clock;
pub mod conditions;
pub mod faults;
pub mod http;
pub mod jwt;
pub mod keys;
pub mod random;
pub mod server;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after another thread panicked while it held the lock: a test that failed has said so itself.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
