//! Mail that leaves over the Gmail API, each once (docs/adr/0019-sending-by-draft.md).
//!
//! Gmail sends a draft by deleting it and putting a mail among the sent ones, both or neither. So a mail becomes a draft first,
//! whose id is on disk before it is sent: while the draft is there, it was not sent and may be sent again, and when it is gone,
//! the mailbox's history since before it was made tells whether it was sent ([`find`]). Our mark in its head says which mail it
//! is, for Gmail replaces Message-IDs.

mod craft;
mod deliver;
mod doubt;
mod find;
mod learn;
mod mirror;

use super::desk::Desk;
use crate::messages::{self, Folder, FolderRole, Layout, Sighted, Whereabouts};
use crate::providers::gmail::{GmailMailbox, Lane};

/// The code and the words for a mail whose fate is not known.
pub(super) const UNCERTAIN: (&str, &str) = (
    "provider_no_answer",
    "Gmail did not answer when the mail was handed over, so it may have been sent. It is being looked for in the mailbox; that \
     decides by itself whether it is sent again.",
);

/// The code and the words for a mail that somebody else had a hand in.
const TAKEN: (&str, &str) = (
    "draft_taken",
    "Another program changed, deleted or sent the mail while it lay among the drafts of the mailbox, so it was not sent from \
     here. Look among the drafts and the sent mails first; then try it again if it is still to be sent.",
);

/// The label of drafts.
const DRAFT: &str = "DRAFT";

/// The label of sent mails, which Gmail alone gives.
const SENT: &str = "SENT";

/// The way over the Gmail API.
pub(super) struct Gmail<'a> {
    desk: &'a Desk<'a>,
    mailbox: GmailMailbox,
}

impl<'a> std::ops::Deref for Gmail<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        self.desk
    }
}

impl<'a> Gmail<'a> {
    /// Speaks for the mailbox of the desk.
    pub(super) fn new(desk: &'a Desk<'a>) -> Self {
        let tokens = desk.parts.accounts.tokens(&desk.account);
        let mailbox = desk.parts.gmail.mailbox(desk.account.id.to_string(), tokens, Lane::Interactive);
        Self { desk, mailbox }
    }

    /// The folders as far as sync knows them; nothing before it has listed them.
    async fn folders(&self) -> diesel::QueryResult<Option<Vec<Folder>>> {
        let folders = messages::list_folders(&mut self.parts.db.read().await?, self.account.id).await?;
        let is_listed = folders.iter().any(|folder| folder.role == Some(FolderRole::Sent));
        Ok(is_listed.then_some(folders))
    }
}

/// What the labels of a mail say about it.
fn sighted(folders: &[Folder], id: &str, labels: &[String]) -> (Layout, Sighted) {
    let has = |label: &str| labels.iter().any(|it| it == label);
    let those = folders.iter().filter(|folder| has(&folder.external_id)).map(|folder| folder.id);
    let word = Sighted {
        external_id: id.to_owned(),
        places: Whereabouts::In(those.collect()),
        is_read: Some(!has("UNREAD")),
        is_starred: Some(has("STARRED")),
    };
    (Layout::of(folders), word)
}
