//! Gmail: what it tells of, and the orders by which it does.

mod hear;
mod orders;
mod pull;

pub(super) use hear::{Answer, Heard};
pub(super) use orders::{begin, keep_orders, leave, silence};
pub(super) use pull::pull;
