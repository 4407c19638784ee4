//! Why a change could not be carried out, and what follows from it.

use chrono::Duration;

use crate::clock::Timestamp;
use crate::providers::imap::{ImapError, ImapErrorKind};

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
}

impl Reason {
    pub fn new(code: &str, message: &str, passes: bool) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), passes }
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
        Self { code: error.code().to_owned(), message: error.detail.clone(), passes: !final_word }
    }
}

/// When to try again what was tried so often and asked for at that time; none when it is given up.
pub(super) fn next_try(now: Timestamp, attempts: u32, asked_at: Timestamp) -> Option<Timestamp> {
    if now > asked_at + GIVE_UP {
        return None;
    }
    let wait = Duration::seconds(2) * 2_i32.pow(attempts.min(9));
    Some(now + wait.min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_after_three_days_a_change_is_given_up() {
        let asked = Timestamp::from_micros(0).unwrap();
        assert_eq!(next_try(asked, 0, asked), Some(asked + Duration::seconds(2)));
        assert_eq!(next_try(asked, 3, asked), Some(asked + Duration::seconds(16)));
        assert_eq!(next_try(asked, 60, asked), Some(asked + MAX_WAIT));
        assert_eq!(next_try(asked + Duration::days(4), 1, asked), None);
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
