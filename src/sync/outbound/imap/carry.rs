//! Makes the provider's mailbox equal to what is shown here, folder by folder.

use std::collections::HashMap;

use super::super::desk::SessionError;
use super::super::failure::Reason;
use super::super::outcomes::Outcomes;
use super::Imap;
use super::plan::{FolderPlan, Plan};
use crate::ids::{EmailId, FolderId};
use crate::messages::{Fields, Flag, MailDiff, PlaceRow};
use crate::providers::imap::{self, ImapError, ImapErrorKind, Mailbox};

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

impl Imap<'_> {
    /// Does what is to be done for these mails, as far as it goes.
    pub async fn carry(
        &mut self,
        diffs: &[MailDiff],
        todo: &HashMap<EmailId, Fields>,
    ) -> Result<Outcomes, SessionError> {
        let plan = Plan::of(diffs, todo);
        let mut outcomes = Outcomes::default();
        outcomes.fail_places(plan.lost.iter().copied(), &Reason::gone());
        outcomes.fail_places(plan.awaited.iter().copied(), &Reason::awaited());
        for (&(folder, generation), work) in &plan.folders {
            match self.carry_folder(&plan, (folder, generation), work, &mut outcomes).await {
                Ok(()) => {}
                Err(Trouble::Session(error)) => return Err(error),
                Err(Trouble::Broken(error)) => {
                    self.hang_up();
                    outcomes.break_off(Reason { passes: true, ..Reason::from(&error) });
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
                fail_folder(work, outcomes);
                return Ok(());
            }
            Err(error) => return Err(Trouble::Broken(error)),
        };
        if mailbox.uid_validity != generation {
            fail_folder(work, outcomes);
            return Ok(());
        }
        self.carry_flags(folder, &mailbox, work, outcomes).await?;
        if mailbox.read_only {
            let moved = work.moves.values().flatten().chain(&work.removals);
            outcomes.fail_places(mails(moved), &Reason::read_only());
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
                outcomes.fail_flags(mails(places), &Reason::read_only());
            }
        }
        Ok(())
    }
}

/// Nothing of a folder could be done: it is not what it was.
fn fail_folder(folder: &FolderPlan, outcomes: &mut Outcomes) {
    let reason = Reason::elsewhere();
    outcomes.fail_flags(mails(folder.stores.values().flatten()), &reason);
    let moved = folder.moves.values().chain(folder.copies.values()).flatten();
    outcomes.fail_places(mails(moved.chain(&folder.removals)), &reason);
}

/// The mails of places.
pub(super) fn mails<'p>(places: impl IntoIterator<Item = &'p PlaceRow>) -> impl Iterator<Item = EmailId> {
    places.into_iter().map(|place| place.email)
}

/// The protocol's word for a flag.
pub(super) fn wire_flag(flag: Flag) -> imap::Flag {
    match flag {
        Flag::Read => imap::Flag::Seen,
        Flag::Starred => imap::Flag::Flagged,
    }
}
