//! Makes the provider's mailbox equal to what is shown here, folder by folder.

use std::collections::HashMap;

use super::failure::Reason;
use super::plan::{FolderPlan, Plan};
use super::session::{Session, SessionError};
use crate::ids::{EmailId, FolderId};
use crate::messages::{DueItem, Fields, Flag, MailDiff, PlaceRow};
use crate::providers::imap::{self, ImapError, ImapErrorKind, Mailbox};

/// What could not be done, by mail.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    flags: HashMap<EmailId, Reason>,
    places: HashMap<EmailId, Reason>,
    /// Why nothing more could be done at all.
    broken: Option<Reason>,
    /// Whether mails were brought somewhere and the server did not say under which number.
    unsettled: bool,
}

impl Outcomes {
    /// Why an item is not done; none when it is.
    pub fn of(&self, item: &DueItem) -> Option<Reason> {
        let flags = (item.todo.is_read || item.todo.is_starred).then(|| self.flags.get(&item.key.email)).flatten();
        let places = item.todo.places.then(|| self.places.get(&item.key.email)).flatten();
        flags.or(places).or(self.broken.as_ref()).cloned()
    }

    /// Whether the mailbox is to be looked through for mails that were brought somewhere.
    pub fn unsettled(&self) -> bool {
        self.unsettled
    }

    pub(super) fn note_unsettled(&mut self) {
        self.unsettled = true;
    }

    pub(super) fn fail_flags<'a>(&mut self, places: impl IntoIterator<Item = &'a PlaceRow>, reason: &Reason) {
        self.flags.extend(places.into_iter().map(|place| (place.email, reason.clone())));
    }

    pub(super) fn fail_places<'a>(&mut self, places: impl IntoIterator<Item = &'a PlaceRow>, reason: &Reason) {
        self.places.extend(places.into_iter().map(|place| (place.email, reason.clone())));
    }

    /// Whether a mail could not be brought to where it is wanted.
    pub(super) fn failed_places(&self, email: EmailId) -> bool {
        self.places.contains_key(&email)
    }

    /// Nothing of a folder could be done.
    fn fail_folder(&mut self, folder: &FolderPlan, reason: &Reason) {
        self.fail_flags(folder.stores.values().flatten(), reason);
        let moved = folder.moves.values().chain(folder.copies.values()).flatten();
        self.fail_places(moved.chain(&folder.removals), reason);
    }
}

/// Whether to go on after an error.
pub(super) enum Trouble {
    /// The connection is no good any more.
    Broken(ImapError),
    /// The outcome could not be written.
    Session(SessionError),
}

impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        Self::Session(error.into())
    }
}

impl Session<'_> {
    /// Does what is to be done for these mails, as far as it goes.
    pub(super) async fn carry(
        &mut self,
        diffs: &[MailDiff],
        todo: &HashMap<EmailId, Fields>,
    ) -> Result<Outcomes, SessionError> {
        let plan = Plan::of(diffs, todo);
        let mut outcomes = Outcomes::default();
        outcomes.places.extend(plan.lost.iter().map(|email| (*email, Reason::gone())));
        outcomes.places.extend(plan.awaited.iter().map(|email| (*email, Reason::awaited())));
        for (&(folder, generation), work) in &plan.folders {
            match self.carry_folder(&plan, (folder, generation), work, &mut outcomes).await {
                Ok(()) => {}
                Err(Trouble::Session(error)) => return Err(error),
                Err(Trouble::Broken(error)) => {
                    self.hang_up();
                    outcomes.broken = Some(Reason { passes: true, ..Reason::from(&error) });
                    break;
                }
            }
        }
        Ok(outcomes)
    }

    async fn carry_folder(
        &mut self,
        plan: &Plan,
        (folder, generation): (FolderId, u32),
        work: &FolderPlan,
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        let Some(name) = plan.names.get(&folder) else { return Ok(()) };
        let connection = self.connection().await.map_err(Trouble::Broken)?;
        let mailbox = match connection.select(name).await {
            Ok(mailbox) => mailbox,
            // Renamed or deleted meanwhile: the next sync tells where its mails are.
            Err(error) if error.kind == ImapErrorKind::NoSuchFolder => {
                outcomes.fail_folder(work, &Reason::elsewhere());
                return Ok(());
            }
            Err(error) => return Err(Trouble::Broken(error)),
        };
        if mailbox.uid_validity != generation {
            outcomes.fail_folder(work, &Reason::elsewhere());
            return Ok(());
        }
        self.carry_flags(folder, &mailbox, work, outcomes).await?;
        if mailbox.read_only {
            let moved = work.moves.values().flatten().chain(&work.removals);
            outcomes.fail_places(moved, &Reason::read_only());
        } else {
            for (to, places) in &work.moves {
                if let Some(name) = plan.names.get(to) {
                    self.carry_moves((*to, name), places, outcomes).await?;
                }
            }
        }
        for (to, places) in &work.copies {
            if let Some(name) = plan.names.get(to) {
                self.carry_copies((*to, name), places, outcomes).await?;
            }
        }
        if !mailbox.read_only {
            self.carry_removals(&work.removals, outcomes).await?;
        }
        Ok(())
    }

    async fn carry_flags(
        &mut self,
        folder: FolderId,
        mailbox: &Mailbox,
        work: &FolderPlan,
        outcomes: &mut Outcomes,
    ) -> Result<(), Trouble> {
        for (&(flag, value), places) in &work.stores {
            if mailbox.can_store(wire_flag(flag)) {
                self.store(folder, mailbox, (flag, value), places, outcomes).await?;
            } else {
                outcomes.fail_flags(places, &Reason::read_only());
            }
        }
        Ok(())
    }
}

/// The protocol's word for a flag.
pub(super) fn wire_flag(flag: Flag) -> imap::Flag {
    match flag {
        Flag::Read => imap::Flag::Seen,
        Flag::Starred => imap::Flag::Flagged,
    }
}
