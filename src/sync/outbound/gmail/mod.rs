//! Carries changes to Gmail: each mail gets labels and loses others, the same for many mails in one call.
//!
//! A call may be made again without harm, so an answer that was lost costs nothing but the call. What one mail may be to
//! blame for (it is gone) or one label (somebody deleted it) does not stop the others: a batch that is refused is halved
//! until the culprit stands alone.

mod calls;
mod carry;
mod labels;
mod plan;

use std::collections::BTreeSet;

use super::desk::{Desk, SessionError};
use super::failure::Reason;
use crate::providers::ProviderError;
use crate::providers::gmail::{GmailMailbox, Lane};

/// The way to a mailbox at Gmail.
pub(super) struct Gmail<'a> {
    desk: Desk<'a>,
    mailbox: GmailMailbox,
    /// Labels that somebody deleted; their ids never come back.
    gone: BTreeSet<String>,
    /// Whether the trash is reached by calls of its own: giving and taking its label is cheaper, but was refused.
    trash_by_call: bool,
}

impl<'a> std::ops::Deref for Gmail<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        &self.desk
    }
}

impl<'a> Gmail<'a> {
    /// Takes the mailbox; the first call follows when it is needed.
    pub fn open(desk: Desk<'a>) -> Self {
        let tokens = desk.parts.accounts.tokens(&desk.account);
        let mailbox = desk.parts.gmail.mailbox(desk.account.id.to_string(), tokens, Lane::Interactive);
        Self { desk, mailbox, gone: BTreeSet::new(), trash_by_call: false }
    }
}

/// Why to stop.
enum Trouble {
    /// Nothing more can be done now.
    Broken(Reason),
    /// The outcome could not be written.
    Session(SessionError),
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        Self::Session(error.into())
    }
}

impl From<&ProviderError> for Trouble {
    fn from(error: &ProviderError) -> Self {
        Self::Broken(Reason::from(error))
    }
}
