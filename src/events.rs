//! News inside the process: bounded channels that say "look now", never what must survive a crash.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::ids::{AccountId, OrgId, UserId};

/// What happened; ids only, readers ask the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody wants a mailbox synced now.
    SyncRequested(AccountRef),
    /// The import or sync of a mailbox moved on, or its health changed.
    SyncProgress(AccountRef),
    /// Changes of a mailbox wait to be carried to its provider.
    OperationQueued(AccountRef),
    /// Mail of a mailbox waits to be sent, or a draft to be mirrored.
    MailQueued(AccountRef),
    /// Facts of an organization were committed and wait for their numbers.
    FactsRecorded(OrgId),
    /// Facts of an organization got their numbers and can be read.
    FactsNumbered(OrgId),
}

/// Which mailbox an event is about, and who may hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRef {
    /// The organization.
    pub org: OrgId,
    /// The owner of the mailbox.
    pub user: UserId,
    /// The mailbox.
    pub account: AccountId,
}

/// The bell rope: everybody in the process may pull it or listen.
#[derive(Debug, Clone)]
pub struct Events(Arc<broadcast::Sender<Event>>);

impl Default for Events {
    fn default() -> Self {
        // A listener that falls 1,024 events behind misses some and looks at the database instead.
        Self(Arc::new(broadcast::channel(1024).0))
    }
}

impl Events {
    /// Tells everybody who listens.
    pub fn publish(&self, event: Event) {
        // No listener is no error: the row is what counts.
        let _ = self.0.send(event);
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
