//! Mails that leave, as "another client" sends them, and what left.

use super::mails::{MailIds, ids};
use crate::graph::drafts::{self, fill_content};
use crate::graph::mime;
use crate::graph::model::What;
use crate::graph::sending::hand_over;
use crate::graph::{Graph, Sent};
use serde_json::{Value, json};

impl Graph {
    /// A draft is written.
    pub fn add_draft(&self, user: &str, raw: &str) -> Option<MailIds> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        let content = drafts::from_mime(&state, &id, raw.as_bytes());
        let folder = state.mailboxes.get(&id)?.the("drafts");
        let mut journal = Vec::new();
        let key = drafts::place(&mut state, &id, content, folder, None, &mut journal)?;
        state.commit(&id, journal);
        let found = ids(state.mailboxes.get(&id)?, key);
        drop(state);
        self.bell.notify_waiters();
        found
    }

    /// A draft is edited: its subject, its text, or to whom it goes.
    pub fn edit_draft(&self, user: &str, draft: &str, raw: &str) -> Option<()> {
        let now = self.clock.now();
        self.change(user, |mailbox, journal| {
            let mail = mailbox.mail(draft).ok().filter(|mail| mail.is_draft)?;
            let (key, place, folder) = (mail.key, mail.place, mail.folder);
            let read = mime::content(raw.as_bytes(), now);
            let mail = mailbox.mails.get_mut(&key)?;
            let id = mail.content.message_id.clone();
            mail.content = read;
            mail.content.message_id = id;
            fill_content(&mut mail.content, &json!({}), now);
            let properties = vec!["subject", "body", "toRecipients", "ccRecipients", "bccRecipients"];
            journal.push(What::Changed { mail: key, place, folder, properties });
            Some(())
        })
    }

    /// A mail is sent from Outlook. It leaves when the transport's delay has passed.
    pub fn send_elsewhere(&self, user: &str, raw: &str) -> Option<()> {
        let id = self.user_id(user)?;
        let mut state = self.state();
        let content = drafts::from_mime(&state, &id, raw.as_bytes());
        hand_over(&mut state, &id, content, None, true, &Value::Null)?;
        drop(state);
        self.bell.notify_waiters();
        Some(())
    }

    /// Mails to this address come back, although it is nobody's here.
    pub fn bounce(&self, address: &str) {
        self.state().bouncing.insert(address.to_lowercase());
    }

    /// What left for the world so far, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        let mut state = self.state();
        state.settle();
        state.sent.clone()
    }

    /// Mails that were accepted and have not left yet.
    pub fn leaving(&self) -> usize {
        let mut state = self.state();
        state.settle();
        state.transit.len()
    }
}
