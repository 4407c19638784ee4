//! Delta queries: rounds of pages, each ending in a link to the next round.

mod folders;
mod items;
mod messages;
mod rounds;

pub use folders::folders;
pub use messages::messages;
pub use rounds::Rounds;
