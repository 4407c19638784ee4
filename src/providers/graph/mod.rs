//! Microsoft Graph: mail of Outlook and Exchange Online.
//!
//! One [`Graph`] serves the whole process. The SDK (`graph-rs-sdk`) writes the requests; they are sent by the HTTP client that
//! everything else uses, so that private authorities count here too and no token but the mailbox's own can slip in. At most
//! four requests of a mailbox are on their way, and every one asks for immutable ids: the default ones change with each move.

mod batch;
mod client;
mod delta;
mod drafts;
mod error;
mod folders;
mod messages;
mod model;
mod subscriptions;

pub use batch::{BatchAnswer, BatchRequest};
pub use client::{Graph, GraphMailbox, GraphSettings, MailboxRoot};
pub use delta::{DeltaItem, DeltaPage, Link};
pub use drafts::{OUTBOX_PROPERTY, Reply};
pub use model::{
    Body, BodyType, Flag, FlagStatus, GraphAttachment, GraphFolder, GraphMessage, GraphUser, Recipient, Subscription,
};
