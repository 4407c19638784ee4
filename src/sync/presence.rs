//! People at work: who uses a mailbox wants to see news soon, also where nobody rings for them.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::engine::{Bell, EngineParts};
use crate::events::Event;
use crate::ids::{AccountId, UserId};

/// A person's presence is noted so often at most, whatever the person does.
const PRESENT: Duration = Duration::from_secs(60);

/// A change or a mail in one mailbox, so often.
const CHANGED: Duration = Duration::from_secs(10);

/// What was noted a moment ago.
struct Noted {
    people: Cache<UserId, ()>,
    mailboxes: Cache<AccountId, ()>,
}

/// Works until it is told to stop.
pub(super) async fn run(parts: Arc<EngineParts>, bell: Bell, stop: CancellationToken) {
    let mut events = parts.events.subscribe();
    let noted = Noted { people: memory(PRESENT), mailboxes: memory(CHANGED) };
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        let who = match event {
            Ok(event) => noted.news(&event),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        let Some((user, only)) = who else { continue };
        match parts.accounts.note_use(user, only).await {
            Ok(true) => bell.ring(),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = %error, "it could not be noted that a mailbox is in use"),
        }
    }
}

fn memory<K: std::hash::Hash + Eq + Send + Sync + 'static>(time: Duration) -> Cache<K, ()> {
    Cache::builder().max_capacity(100_000).time_to_live(time).build()
}

impl Noted {
    /// Who is at work, with one mailbox or with all, unless that was noted a moment ago.
    fn news(&self, event: &Event) -> Option<(UserId, Option<AccountId>)> {
        match event {
            Event::PersonSeen(user) => self.people.entry(*user).or_insert(()).is_fresh().then_some((*user, None)),
            Event::MailQueued(at) | Event::OperationQueued(at) => {
                let is_new = self.mailboxes.entry(at.account).or_insert(()).is_fresh();
                is_new.then_some((at.user, Some(at.account)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::AccountRef;
    use crate::ids::OrgId;

    #[test]
    fn a_person_is_noted_once_in_a_while() {
        let noted = Noted { people: memory(PRESENT), mailboxes: memory(CHANGED) };
        let user = UserId::new();
        let at = AccountRef { org: OrgId::new(), user, account: AccountId::new() };
        assert_eq!(noted.news(&Event::PersonSeen(user)), Some((user, None)));
        assert_eq!(noted.news(&Event::PersonSeen(user)), None);
        assert_eq!(noted.news(&Event::MailQueued(at)), Some((user, Some(at.account))));
        assert_eq!(noted.news(&Event::OperationQueued(at)), None);
        assert_eq!(noted.news(&Event::SyncProgress(at)), None);
    }
}
