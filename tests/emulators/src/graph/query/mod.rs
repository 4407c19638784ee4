//! What a query asks for: properties, expansions, filters, order, words.

mod filter;
mod options;
mod parse;
mod search;

pub use filter::{Expr, Item, Op, Scalar};
pub use options::{Expand, Options, Order};
