//! What goes in and out over HTTP.

mod message;
mod outgoing;
mod params;
mod place;

pub use message::{Header, LookupAnswer, LookupDto, MessageDetail, MessageDto, Person};
pub use outgoing::OutgoingDto;
pub use params::{BodyParams, DirectionParam, Images, LookupParams, MessageParams, StatusParam, ThreadParams};
pub use place::{FolderDto, FolderPatch, ThreadDto};
