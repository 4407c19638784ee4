//! Opens folders and searches them.

use chrono::NaiveDate;

use super::command::Command;
use super::connection::Use;
use super::response::{Response, Status};
use super::{ImapConnection, ImapError, ImapErrorKind, Mailbox, UidSet};

impl ImapConnection {
    /// Opens a folder for reading only: nothing we do changes a flag.
    ///
    /// # Errors
    /// [`ImapErrorKind::NoSuchFolder`] when it is gone.
    pub async fn examine(&mut self, raw_name: &str) -> Result<Mailbox, ImapError> {
        self.open("EXAMINE ", raw_name).await
    }

    /// Opens a folder for reading and changing.
    ///
    /// # Errors
    /// [`ImapErrorKind::NoSuchFolder`] when it is gone.
    pub async fn select(&mut self, raw_name: &str) -> Result<Mailbox, ImapError> {
        self.open("SELECT ", raw_name).await
    }

    async fn open(&mut self, words: &str, raw_name: &str) -> Result<Mailbox, ImapError> {
        let mut command = self.named(words, raw_name);
        if self.capabilities.condstore {
            command = command.words(" (CONDSTORE)");
        }
        let mut mailbox = Mailbox::default();
        let mut uid_validity = None;
        let done = self
            .run(command, |response| {
                match response {
                    Response::Exists(count) => mailbox.exists = count,
                    Response::Status(status) => note(&mut mailbox, &mut uid_validity, &status),
                    _ => {}
                }
                Ok(Use::Unasked)
            })
            .await
            .map_err(as_missing_folder)?;
        mailbox.read_only = done.code_name() == "READ-ONLY";
        mailbox.uid_validity = uid_validity
            .ok_or_else(|| ImapError::protocol("the mail server keeps no lasting ids in a folder (UIDVALIDITY)"))?;
        Ok(mailbox)
    }

    /// The UIDs of all mails in the open folder.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_all(&mut self) -> Result<UidSet, ImapError> {
        self.uid_search("ALL").await
    }

    /// The UIDs of the mails in the open folder from `start` on.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_from(&mut self, start: u32) -> Result<UidSet, ImapError> {
        let window = UidSet::from_uid(start);
        let found = self.uid_search(&format!("UID {window}")).await?;
        // `n:*` names the last mail even when its UID is below n.
        let below: UidSet = start.checked_sub(1).map(|last| UidSet::range(0..=last)).unwrap_or_default();
        Ok(found.difference(&below))
    }

    /// The UIDs of the mails in the open folder that arrived on that day or later.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_since(&mut self, day: NaiveDate) -> Result<UidSet, ImapError> {
        self.uid_search(&format!("SINCE {}", day.format("%-d-%b-%Y"))).await
    }

    async fn uid_search(&mut self, criteria: &str) -> Result<UidSet, ImapError> {
        let compact = if self.capabilities.esearch { "RETURN (ALL) " } else { "" };
        let command = Command::new(&format!("UID SEARCH {compact}{criteria}"));
        let limits = *self.wire.limits();
        let mut found = UidSet::new();
        self.wire.set_line_limit(limits.search_line);
        let done = self
            .run(command, |response| {
                if let Response::Search(uids) = response {
                    found.extend(uids);
                    // Each UID of a plain answer may be a range of its own.
                    within(found.range_count(), limits.entries * 8)?;
                }
                Ok(Use::Unasked)
            })
            .await;
        self.wire.set_line_limit(limits.line);
        done?;
        Ok(found)
    }
}

/// Refuses an answer that has more entries than may be held.
pub(super) fn within(count: usize, limit: usize) -> Result<(), ImapError> {
    if count > limit {
        return Err(ImapError::new(
            ImapErrorKind::TooLarge,
            format!("the mail server's answer has more than {limit} entries"),
        ));
    }
    Ok(())
}

fn note(mailbox: &mut Mailbox, uid_validity: &mut Option<u32>, status: &Status) {
    let argument = status.code_argument();
    match status.code_name().as_str() {
        "UIDVALIDITY" => *uid_validity = argument.parse().ok(),
        "UIDNEXT" => mailbox.uid_next = argument.parse().ok(),
        "HIGHESTMODSEQ" => mailbox.highest_modseq = argument.parse().ok().filter(|n| *n > 0),
        "PERMANENTFLAGS" => {
            mailbox.permanent_flags =
                argument.trim_matches(['(', ')']).split_ascii_whitespace().map(str::to_owned).collect();
        }
        _ => {}
    }
}

/// A plain NO to opening a folder means that it is not there: few servers give the code for it.
pub(super) fn as_missing_folder(mut error: ImapError) -> ImapError {
    if error.kind == ImapErrorKind::Rejected {
        error.kind = ImapErrorKind::NoSuchFolder;
    }
    error
}
