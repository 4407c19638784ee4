//! The tables, as both databases have them.
