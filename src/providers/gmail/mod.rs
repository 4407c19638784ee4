//! The Gmail API and the Pub/Sub subscriptions that tell of its news.
//!
//! One [`Gmail`] serves the whole process: one HTTP client, one governor of quota. A [`GmailMailbox`] speaks for one mailbox,
//! with its tokens, in a lane: what a person waits for goes before what nobody waits for. Requests are made by the library
//! `google-gmail1`; around it stand what it does not do: quota, waiting, trying again, telling errors apart.

mod client;
mod drafts;
mod error;
mod governor;
mod history;
mod labels;
mod messages;
mod model;
mod pubsub;
mod settings;

pub use client::{Gmail, GmailMailbox, GmailSettings};
pub use governor::Lane;
pub use model::{
    Draft, DraftPage, HistoryLabels, HistoryMessage, HistoryPage, HistoryRecord, Label, LabelCounts, ListPage,
    ListQuery, MessageMetadata, MessageRef, MessageState, Profile, RawMessage, SendAs, Watch,
};
pub use pubsub::{Notification, PubSub, Received, notification};
