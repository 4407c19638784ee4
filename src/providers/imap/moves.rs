//! Moves, copies and removes mails, and makes folders for them (RFC 3501, 4315, 6851).

use super::command::Command;
use super::connection::{Use, is_done, refused_change};
use super::copy_map::{CopyMap, CopyNotes};
use super::fetch::MAX_SET;
use super::response::Response;
use super::{Flag, FlagSet, ImapConnection, ImapError, ImapErrorKind, UidSet};

/// What a server told about mails that it moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Where the mails are now, as far as the server told; none when it told nothing of use.
    pub copied: Option<CopyMap>,
    /// Mails of which it said that they are gone from here. Only servers with QRESYNC name them by
    /// UID: that one is missing here means nothing.
    pub gone: UidSet,
}

impl ImapConnection {
    /// Moves mails from the folder opened with [`Self::select`] to another (RFC 6851).
    ///
    /// Mails that are gone already are no error: what `copied` does not name was not moved, or the
    /// server does not tell.
    ///
    /// # Errors
    /// [`ImapErrorKind::NotSupported`] without MOVE: copy, mark as deleted and expunge instead.
    /// [`ImapErrorKind::TryCreate`] when the other folder is not there, [`ImapErrorKind::OverQuota`]
    /// and [`ImapErrorKind::NotPermitted`] as the server says. After any error some mails may have
    /// been moved.
    pub async fn move_mails(&mut self, uids: &UidSet, raw_name: &str) -> Result<Moved, ImapError> {
        if !self.capabilities.move_ {
            return Err(ImapError::not_supported("MOVE"));
        }
        self.must_be_writable()?;
        self.transfer("UID MOVE", uids, raw_name).await
    }

    /// Copies mails from the open folder to another, with their flags.
    ///
    /// The server takes the same mail as often as it is told to: after an error look first what
    /// is there before doing it again.
    ///
    /// # Errors
    /// As [`Self::move_mails`], but it is always supported, and the open folder may be read-only.
    pub async fn copy_mails(&mut self, uids: &UidSet, raw_name: &str) -> Result<Option<CopyMap>, ImapError> {
        Ok(self.transfer("UID COPY", uids, raw_name).await?.copied)
    }

    async fn transfer(&mut self, verb: &str, uids: &UidSet, raw_name: &str) -> Result<Moved, ImapError> {
        let mut notes = CopyNotes::default();
        let mut gone = UidSet::new();
        for part in uids.split(MAX_SET) {
            let command = self.named(&format!("{verb} {part} "), raw_name);
            let status = self
                .change(command, |response| {
                    if notes.untagged(&response, &part) {
                        return Ok(Use::Extra);
                    }
                    Ok(note_gone(response, &part, &mut gone))
                })
                .await
                .map_err(as_missing_target)?;
            notes.status(&status, &part);
        }
        Ok(Moved { copied: notes.finish(), gone })
    }

    /// Removes mails for good that are marked as deleted, and no others (RFC 4315). Gives those of
    /// which the server said by UID that they are gone, as in [`Moved::gone`].
    ///
    /// # Errors
    /// [`ImapErrorKind::NotSupported`] without UIDPLUS: see [`Self::expunge_all`]. Otherwise as the
    /// server refuses or the connection fails.
    pub async fn expunge(&mut self, uids: &UidSet) -> Result<UidSet, ImapError> {
        if !self.capabilities.uidplus {
            return Err(ImapError::not_supported("UIDPLUS"));
        }
        self.must_be_writable()?;
        let mut gone = UidSet::new();
        for part in uids.split(MAX_SET) {
            let command = Command::new(&format!("UID EXPUNGE {part}"));
            self.change(command, |response| Ok(note_gone(response, &part, &mut gone))).await?;
        }
        Ok(gone)
    }

    /// Removes for good **every** mail in the open folder that is marked as deleted, no matter by whom.
    ///
    /// Mails that people marked in another program and could still have taken back are lost with
    /// it. It is only for servers without UIDPLUS, right after [`Self::has_other_deleted`] said that
    /// nothing else is marked. What somebody marks in between is lost all the same, so whoever
    /// can leave the mails marked should do that instead.
    ///
    /// # Errors
    /// As the server refuses or the connection fails.
    pub async fn expunge_all(&mut self) -> Result<(), ImapError> {
        self.must_be_writable()?;
        self.change(Command::new("EXPUNGE"), |_| Ok(Use::Unasked)).await?;
        Ok(())
    }

    /// Removes mails for good from the open folder, and no others, on any server. Those that are gone already are no
    /// error.
    ///
    /// Without UIDPLUS an EXPUNGE takes whatever is marked, so it is done only when that is nothing but these.
    ///
    /// # Errors
    /// [`ImapErrorKind::OthersMarked`] when others would be lost with them; nothing is removed then. Otherwise as the
    /// server refuses or the connection fails; the mails may be marked as deleted then.
    pub async fn remove(&mut self, uids: &UidSet) -> Result<(), ImapError> {
        let marked = FlagSet { flag: Flag::Deleted, on: true };
        self.store_flags(uids, &marked, None).await?;
        if self.capabilities.uidplus {
            self.expunge(uids).await?;
            return Ok(());
        }
        if !self.has_other_deleted(uids).await? {
            return self.expunge_all().await;
        }
        let unmarked = FlagSet { flag: Flag::Deleted, on: false };
        match self.store_flags(uids, &unmarked, None).await {
            Err(error) if !error.keeps_connection() => return Err(error),
            Err(error) => tracing::debug!(%error, "a mark as deleted could not be taken back"),
            Ok(_) => {}
        }
        Err(ImapError::new(
            ImapErrorKind::OthersMarked,
            "The mail server cannot take out a single mail while others are marked as deleted in the folder.",
        ))
    }

    /// Makes a folder, and shows it in programs that list subscribed folders only. It is no error
    /// when it is there already.
    ///
    /// # Errors
    /// As the server refuses or the connection fails.
    pub async fn create_folder(&mut self, raw_name: &str) -> Result<(), ImapError> {
        let tag = self.start(self.named("CREATE ", raw_name)).await?;
        let created = self.verdict(&tag, |_| Ok(Use::Unasked)).await?;
        // Old servers have no code for it (RFC 5530).
        let exists = created.code_name() == "ALREADYEXISTS" || created.text.to_ascii_lowercase().contains("exists");
        if !is_done(&created) && !exists {
            return Err(refused_change(&created));
        }
        let tag = self.start(self.named("SUBSCRIBE ", raw_name)).await?;
        // A refusal does not matter: not every server keeps subscriptions.
        self.verdict(&tag, |_| Ok(Use::Unasked)).await?;
        Ok(())
    }
}

/// Takes note of mails that are gone because we wanted it; others are news.
fn note_gone(response: Response, asked: &UidSet, gone: &mut UidSet) -> Use {
    let Response::Vanished { earlier: false, uids } = response else {
        return Use::Unasked;
    };
    let ours = asked.intersection(&uids);
    let all = ours.len() == uids.len();
    gone.extend(ours);
    if all { Use::Extra } else { Use::Unasked }
}

/// The folder that mails come from is open: what is missing is the other.
pub(super) fn as_missing_target(mut error: ImapError) -> ImapError {
    if error.kind == ImapErrorKind::NoSuchFolder {
        error.kind = ImapErrorKind::TryCreate;
    }
    error
}
