//! The Gmail API and the Pub/Sub subscriptions that tell of its news.
//!
//! One [`Gmail`] serves the whole process: one HTTP client, one governor of quota. A [`GmailMailbox`] speaks for one mailbox,
//! with its tokens, in a lane: what a person waits for goes before what nobody waits for. What Google says and is told is in the
//! types of the library `google-gmail1`; how it travels is ours: quota, batches, waiting, trying again, telling errors apart.
//!
//! A call goes down these files: `messages` and its neighbours say what is asked; `call` tries, in its turn by `governor`;
//! `transport` sends; `answer` reads, or `error` tells what a refusal means and `wait` for how long. `batch` does the same for
//! many mails at once.

mod answer;
mod batch;
mod call;
mod client;
mod convert;
mod drafts;
mod error;
mod governor;
mod history;
mod labels;
mod messages;
mod model;
mod multipart;
mod pubsub;
mod settings;
mod transport;
mod wait;

pub use client::{Gmail, GmailMailbox, GmailSettings};
pub use governor::Lane;
pub use messages::MOST_IN_BATCH;
pub use model::{
    Draft, DraftPage, HistoryLabels, HistoryMessage, HistoryPage, HistoryRecord, Label, LabelCounts, ListPage,
    ListQuery, MessageMetadata, MessageRef, MessageState, Profile, RawMessage, SendAs, Watch,
};
pub use pubsub::{Notification, PubSub, Received, notification};

#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod governor_tests;
#[cfg(test)]
mod hostile_tests;
