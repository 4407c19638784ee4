//! Mail on its way out, and what comes back of it.

mod inbound;
