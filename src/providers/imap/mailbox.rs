//! Opens folders.

use super::connection::Use;
use super::response::{Response, Status, object_id};
use super::{ImapConnection, ImapError, ImapErrorKind, Mailbox};

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
                Ok(Use::Extra)
            })
            .await
            .map_err(as_missing_folder)?;
        // What was told about the folder that was open before is of no use any more.
        self.news = false;
        mailbox.read_only = done.code_name() == "READ-ONLY" || words.starts_with("EXAMINE");
        self.read_only = mailbox.read_only;
        mailbox.uid_validity = uid_validity
            .ok_or_else(|| ImapError::protocol("the mail server keeps no lasting ids in a folder (UIDVALIDITY)"))?;
        Ok(mailbox)
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
            let listed = argument.trim_matches(['(', ')']).split_ascii_whitespace();
            mailbox.permanent_flags = Some(listed.map(str::to_owned).collect());
        }
        "MAILBOXID" => mailbox.mailbox_id = object_id(argument.trim_matches(['(', ')'])),
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
