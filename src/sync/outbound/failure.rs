//! Why a change could not be carried out, and what follows from it.

use std::time::Duration as StdDuration;

use chrono::Duration;

use crate::clock::Timestamp;
use crate::providers::imap::{ImapError, ImapErrorKind};
use crate::providers::{ProviderError, ProviderErrorKind};

/// The longest wait between two tries.
const MAX_WAIT: Duration = Duration::minutes(10);

/// After this time a change that the provider never took is given up.
const GIVE_UP: Duration = Duration::days(3);

/// A reason, as the journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// The stable word.
    pub code: String,
    /// What happened and what to do, for a person.
    pub message: String,
    /// Whether it may pass by itself.
    pub passes: bool,
    /// Whether a person must act first, however long that takes.
    pub needs_person: bool,
    /// How long the provider asks to be left alone.
    pub wait: Option<StdDuration>,
}

impl Reason {
    pub fn new(code: &str, message: &str, passes: bool) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self { code, message, passes, needs_person: false, wait: None }
    }

    /// When to try again what was tried so often and asked for at that time; none when it is given up.
    pub fn next_try(&self, now: Timestamp, attempts: u32, asked_at: Timestamp) -> Option<Timestamp> {
        if !self.passes || (now > asked_at + GIVE_UP && !self.needs_person) {
            return None;
        }
        let wait = Duration::seconds(2) * 2_i32.pow(attempts.min(9));
        let asked = self.wait.and_then(|wait| Duration::from_std(wait).ok()).unwrap_or_default();
        Some(now + wait.min(MAX_WAIT).max(asked))
    }

    /// A folder in which nothing can be changed.
    pub fn read_only() -> Self {
        let message = "The mail server lets nobody change this folder. What is shown is its state there.";
        Self::new("folder_read_only", message, false)
    }

    /// The mail is gone at the provider.
    pub fn gone() -> Self {
        let message = "The mail was deleted or moved away in the mailbox before the change could be carried out.";
        Self::new("message_gone", message, false)
    }

    /// A label that a mail was to get was deleted.
    pub fn label_gone() -> Self {
        let message = "The label was deleted in the mailbox before the change could be carried out.";
        Self::new("label_gone", message, false)
    }

    /// Something is wanted of a mail that nobody can do at its provider.
    pub fn fixed() -> Self {
        let message = "Gmail itself decides which mails are sent mails and drafts and which All Mail shows; \
             no mail can be put there or taken away from there.";
        Self::new("label_fixed", message, false)
    }

    /// The mail is on its way to the provider.
    pub fn awaited() -> Self {
        let message = "The mail is still being brought to the mailbox. The change is tried again when it is there.";
        Self::new("message_awaited", message, true)
    }

    /// The mail is not where it was: the next sync will tell where it is.
    pub fn elsewhere() -> Self {
        let message =
            "The mail is not where it was. The mailbox is being looked through; then the change is tried again.";
        Self::new("message_elsewhere", message, true)
    }
}

impl From<&ImapError> for Reason {
    fn from(error: &ImapError) -> Self {
        use ImapErrorKind::{
            NoSuchFolder, NotPermitted, NotSupported, NotUnderstood, OthersMarked, OverQuota, Rejected, TooLarge,
            TryCreate,
        };
        let final_word = matches!(
            error.kind,
            NoSuchFolder
                | NotPermitted
                | NotSupported
                | NotUnderstood
                | OthersMarked
                | OverQuota
                | Rejected
                | TooLarge
                | TryCreate
        );
        Self::new(error.code(), &error.detail, !final_word)
    }
}

impl From<&ProviderError> for Reason {
    fn from(error: &ProviderError) -> Self {
        use ProviderErrorKind::{CursorExpired, NeedsOperator, NeedsPerson};
        let needs_person = matches!(error.kind, NeedsPerson | NeedsOperator);
        let passes = needs_person || error.passes() || error.kind == CursorExpired;
        Self { needs_person, wait: error.retry_after, ..Self::new(error.code, &error.detail, passes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_after_three_days_a_change_is_given_up() {
        let asked = Timestamp::from_micros(0).unwrap();
        let passes = Reason::new("away", "It is away.", true);
        assert_eq!(passes.next_try(asked, 0, asked), Some(asked + Duration::seconds(2)));
        assert_eq!(passes.next_try(asked, 3, asked), Some(asked + Duration::seconds(16)));
        assert_eq!(passes.next_try(asked, 60, asked), Some(asked + MAX_WAIT));
        assert_eq!(passes.next_try(asked + Duration::days(4), 1, asked), None);
        assert_eq!(Reason::gone().next_try(asked, 0, asked), None);
    }

    #[test]
    fn the_provider_is_left_alone_as_long_as_it_asks_and_a_person_may_take_their_time() {
        let asked = Timestamp::from_micros(0).unwrap();
        let reason = |kind, wait: Option<u64>| {
            let error = ProviderError::new(kind, "word", "It said so.");
            Reason::from(&ProviderError { retry_after: wait.map(StdDuration::from_secs), ..error })
        };
        let busy = reason(ProviderErrorKind::Throttled, Some(3_600));
        assert_eq!(busy.next_try(asked, 0, asked), Some(asked + Duration::hours(1)));
        let late = asked + Duration::days(4);
        assert!(reason(ProviderErrorKind::NeedsPerson, None).next_try(late, 1, asked).is_some());
        assert!(reason(ProviderErrorKind::NeedsOperator, None).next_try(late, 1, asked).is_some());
        assert!(reason(ProviderErrorKind::Unavailable, None).next_try(late, 1, asked).is_none());
        for kind in [ProviderErrorKind::Refused, ProviderErrorKind::NotFound, ProviderErrorKind::OverQuota] {
            assert!(!reason(kind, None).passes, "{kind:?}");
        }
    }

    #[test]
    fn a_refusal_is_final_and_a_lost_connection_passes() {
        let reason = |kind| Reason::from(&ImapError::new(kind, "said so"));
        assert!(!reason(ImapErrorKind::OverQuota).passes);
        assert!(!reason(ImapErrorKind::Rejected).passes);
        assert!(reason(ImapErrorKind::ConnectionLost).passes);
        assert!(reason(ImapErrorKind::Unavailable).passes);
    }
}
