//! All SQL of sending.

pub mod files;
pub mod load;
pub mod outcome;
pub mod queue;
pub mod write;
