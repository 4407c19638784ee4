//! The errors of providers that are spoken to over HTTP: Google's and Microsoft's APIs and their sign-in services.

use std::time::Duration;

/// What kind of trouble it is: this, never the words of a message, decides what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderErrorKind {
    /// A person must connect the mailbox again: access was revoked, ran out, or lacks a permission.
    NeedsPerson,
    /// The operator must mend the set-up: client id, secret, an API that is not enabled, a policy of the domain.
    NeedsOperator,
    /// Too many calls; obey `retry_after` where it is given.
    Throttled,
    /// The daily limit of sent mails is reached: only sending waits.
    SendingLimit,
    /// Nobody answered, or the answer makes no sense; it may pass by itself.
    Unavailable,
    /// The thing is gone: a mail, a folder, a draft.
    NotFound,
    /// The place in the history from which changes were asked for is kept no longer.
    CursorExpired,
    /// Somebody else changed it at the same time.
    Conflict,
    /// It is larger than the provider takes.
    TooLarge,
    /// The mailbox is full.
    OverQuota,
    /// The provider understood and refuses; trying again would not help.
    Refused,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ProviderError {
    /// What follows from it.
    pub kind: ProviderErrorKind,
    /// The stable word for logs, answers and the journal, such as `provider_unavailable`.
    pub code: &'static str,
    /// What happened and what to do, for a person; no addresses, no secrets.
    pub detail: String,
    /// How long the provider asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the request may have been carried out although no (whole) answer came back.
    pub may_be_done: bool,
}

impl ProviderError {
    /// An error without a wait, of a request that was certainly not carried out.
    pub fn new(kind: ProviderErrorKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), retry_after: None, may_be_done: false }
    }

    /// Whether it may pass by itself.
    pub fn passes(&self) -> bool {
        use ProviderErrorKind::{Conflict, SendingLimit, Throttled, Unavailable};
        matches!(self.kind, Throttled | SendingLimit | Unavailable | Conflict)
    }
}
