//! What becomes of a mail after an attempt to send it.

use crate::messages::{Identity, MailStatus};
use crate::sending::store::outcome::RecipientResult;

/// What becomes of a mail after an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conclusion {
    /// The results of the recipients that were tried.
    pub results: Vec<RecipientResult>,
    /// How far the mail is.
    pub status: MailStatus,
    /// A stable code and words for a person, where not all is well.
    pub why: Option<(&'static str, String)>,
    /// How long to wait before the next try, while it is queued.
    pub pause: Option<chrono::Duration>,
    /// How long until its copy at the provider is looked for; not at all when absent.
    pub look_after: Option<chrono::Duration>,
    /// What the provider calls it now, where it told.
    pub identity: Option<Identity>,
}

impl Conclusion {
    /// Nothing but how far the mail is.
    pub fn of(status: MailStatus) -> Self {
        Self { results: Vec::new(), status, why: None, pause: None, look_after: None, identity: None }
    }

    /// It cannot be sent, for this reason.
    pub fn failed(code: &'static str, why: impl Into<String>) -> Self {
        Self { why: Some((code, why.into())), ..Self::of(MailStatus::Failed) }
    }

    /// It may have been sent; its copy is looked for after a while.
    pub fn uncertain(code: &'static str, why: &str, look_after: chrono::Duration) -> Self {
        Self { why: Some((code, why.to_owned())), look_after: Some(look_after), ..Self::of(MailStatus::Uncertain) }
    }
}

/// Words of an error as a sentence.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if words.ends_with(['.', '?', '!', ')']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Words for a mail that waits for its next try.
pub(super) fn waits(words: &str) -> String {
    format!("{} The next try is made by itself.", sentence(words))
}

/// Words for a mail that was tried for too long.
pub(super) fn given_up(words: &str) -> String {
    format!("Given up after three days. {}", sentence(words))
}
