//! Mail on its way out, and what comes back of it.

mod campaign;
mod inbound;
mod never_twice;
mod soak;
