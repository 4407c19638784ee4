//! What came of carrying out changes, mail by mail.

use std::collections::HashMap;

use super::failure::Reason;
use crate::ids::EmailId;
use crate::messages::DueItem;

/// What could not be done, by mail.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    flags: HashMap<EmailId, Reason>,
    places: HashMap<EmailId, Reason>,
    /// Why nothing more could be done at all.
    broken: Option<Reason>,
    /// Whether the mailbox is to be looked through: it is not as it was thought to be.
    unsettled: bool,
}

impl Outcomes {
    /// Why an item is not done; none when it is.
    pub fn of(&self, item: &DueItem) -> Option<Reason> {
        let flags = (item.todo.is_read || item.todo.is_starred).then(|| self.flags.get(&item.key.email)).flatten();
        let places = item.todo.places.then(|| self.places.get(&item.key.email)).flatten();
        flags.or(places).or(self.broken.as_ref()).cloned()
    }

    /// Whether a pass over the mailbox is to follow.
    pub fn unsettled(&self) -> bool {
        self.unsettled
    }

    /// Asks for a pass over the mailbox.
    pub fn note_unsettled(&mut self) {
        self.unsettled = true;
    }

    /// Flags of these mails could not be set.
    pub fn fail_flags(&mut self, mails: impl IntoIterator<Item = EmailId>, reason: &Reason) {
        self.flags.extend(mails.into_iter().map(|email| (email, reason.clone())));
    }

    /// These mails could not be brought to where they are wanted.
    pub fn fail_places(&mut self, mails: impl IntoIterator<Item = EmailId>, reason: &Reason) {
        self.places.extend(mails.into_iter().map(|email| (email, reason.clone())));
    }

    /// Nothing more can be done now.
    pub fn break_off(&mut self, reason: Reason) {
        self.broken = Some(reason);
    }

    /// Whether a mail could not be brought to where it is wanted.
    pub fn failed_places(&self, email: EmailId) -> bool {
        self.places.contains_key(&email)
    }
}
