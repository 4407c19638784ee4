//! News at once: what makes providers ring, and what is done when they do.
//!
//! A ring is never believed to hold data. It makes a pass due, which reads from the place up to which the mailbox is known;
//! a ring that is lost, doubled or late therefore costs time at most. How soon a mailbox is looked at when nobody rings is
//! decided in `sync`.
//!
//! Gmail publishes to a topic of Pub/Sub, which either pushes to `POST /api/email/webhooks/gmail` or is pulled from; the
//! order for that (`users.watch`) lasts seven days and is renewed daily.

mod gmail;
mod model;
mod routes;
mod service;

pub use model::{GmailPush, Pusher};
pub use routes::configure;
pub use service::{Push, PushParts};
