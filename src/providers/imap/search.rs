//! Searches the open folder (RFC 3501 §6.4.4, 4731).

use chrono::NaiveDate;

use super::command::Command;
use super::connection::Use;
use super::mailbox::within;
use super::response::Response;
use super::{ImapConnection, ImapError, ImapErrorKind, UidSet};

impl ImapConnection {
    /// The UIDs of all mails in the open folder.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_all(&mut self) -> Result<UidSet, ImapError> {
        let command = self.search("").words("ALL");
        self.uid_search(command).await
    }

    /// The UIDs of the mails in the open folder from `start` on.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_from(&mut self, start: u32) -> Result<UidSet, ImapError> {
        let window = UidSet::from_uid(start);
        let command = self.search("").words(&format!("UID {window}"));
        let found = self.uid_search(command).await?;
        // `n:*` names the last mail even when its UID is below n.
        let below: UidSet = start.checked_sub(1).map(|last| UidSet::range(0..=last)).unwrap_or_default();
        Ok(found.difference(&below))
    }

    /// The UIDs of the mails in the open folder that arrived on that day or later.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn uid_search_since(&mut self, day: NaiveDate) -> Result<UidSet, ImapError> {
        let command = self.search("").words(&format!("SINCE {}", day.format("%-d-%b-%Y")));
        self.uid_search(command).await
    }

    /// The UIDs of the mails in the open folder with this Message-ID, with or without its angle
    /// brackets. Servers compare without regard to case, and several mails may have the same.
    ///
    /// # Errors
    /// [`ImapErrorKind::Rejected`] for what cannot be a Message-ID, otherwise as the connection fails.
    pub async fn uid_search_message_id(&mut self, message_id: &str) -> Result<UidSet, ImapError> {
        let bare = message_id.trim();
        let bare = bare.strip_prefix('<').unwrap_or(bare);
        let bare = bare.strip_suffix('>').unwrap_or(bare);
        // An empty string would find every mail.
        if bare.is_empty() || bare.chars().any(char::is_control) {
            return Err(ImapError::new(ImapErrorKind::Rejected, "this cannot be the Message-ID of a mail"));
        }
        // Once UTF-8 is on, naming it is an error (RFC 6855 §3).
        let charset = if bare.is_ascii() || self.utf8 { "" } else { "CHARSET UTF-8 " };
        let command = self.search(charset).words("HEADER Message-ID ");
        let command = command.value(&format!("<{bare}>"), &self.capabilities, self.utf8);
        self.uid_search(command).await
    }

    /// Whether mails other than these are marked as deleted in the open folder.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn has_other_deleted(&mut self, uids: &UidSet) -> Result<bool, ImapError> {
        let command = self.search("").words("DELETED");
        Ok(!self.uid_search(command).await?.difference(uids).is_empty())
    }

    /// The beginning of a search.
    fn search(&self, charset: &str) -> Command {
        let compact = if self.capabilities.esearch { "RETURN (ALL) " } else { "" };
        Command::new("UID SEARCH ").words(compact).words(charset)
    }

    async fn uid_search(&mut self, command: Command) -> Result<UidSet, ImapError> {
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
