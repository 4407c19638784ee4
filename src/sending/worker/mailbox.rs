//! The mailbox beside the sending: a connection for copies and drafts.

use super::session::Session;
use crate::events::Event;
use crate::messages::{Folder, FolderRole};
use crate::providers::imap::{AppendError, Flag, ImapConnection, ImapError};
use crate::sending::compose::{self, BodyError, Form};
use crate::sending::model::Outgoing;
use crate::sending::store::folder_of;

/// Why a copy or a draft could not be seen to now.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChoreError {
    /// The database, or a claim that was lost.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The mailbox.
    #[error(transparent)]
    Imap(#[from] ImapError),
    /// The credentials, or the mail itself.
    #[error("{0}")]
    Unusable(String),
}

impl From<AppendError<BodyError>> for ChoreError {
    fn from(error: AppendError<BodyError>) -> Self {
        match error {
            AppendError::Body(BodyError::Database(error)) => Self::Database(error),
            AppendError::Body(error) => Self::Unusable(error.to_string()),
            AppendError::WrongSize => Self::Unusable(BodyError::Changed.to_string()),
            AppendError::Imap(error) => Self::Imap(error),
        }
    }
}

impl Session<'_> {
    /// The connection to the mailbox, signed in.
    pub(super) async fn imap(&mut self) -> Result<&mut ImapConnection, ChoreError> {
        let connection = match self.mailbox.take() {
            Some(connection) => connection,
            None => {
                let settings = self.parts.accounts.imap_settings(&self.account).await;
                let settings = settings.map_err(|error| ChoreError::Unusable(format!("{error:#}")))?;
                self.parts.gate.wait(&settings.host).await;
                ImapConnection::connect(&self.parts.net, &settings).await?
            }
        };
        Ok(self.mailbox.insert(connection))
    }

    /// The folder for this; one that is missing is made, and known after the next sync.
    pub(super) async fn folder(&mut self, role: FolderRole, name: &str) -> Result<Option<Folder>, ChoreError> {
        let found = folder_of(&mut self.parts.db.read().await?, self.account.id, role).await?;
        if found.is_none() && self.account.last_sync_at.is_some() {
            self.imap().await?.create_folder(name).await?;
            self.want_sync().await?;
        }
        Ok(found)
    }

    /// Puts a mail into a folder. Answers its number there, where the server tells it.
    pub(super) async fn append(
        &mut self,
        mail: &Outgoing,
        form: Form,
        folder: &Folder,
        flags: &[Flag],
    ) -> Result<Option<crate::messages::Number>, ChoreError> {
        let built = compose::build(mail, form).map_err(|error| ChoreError::Unusable(error.to_string()))?;
        let octets = compose::octets(&self.parts.storage, mail, &built);
        let (name, at, size) = (folder.external_id.clone(), mail.sent_at.utc(), built.size());
        let number = self.imap().await?.append(&name, flags, Some(at), size, octets).await?;
        Ok(number.map(|(uid_validity, uid)| crate::messages::Number { uid_validity, uid }))
    }

    /// Wants the mailbox to be looked into.
    pub(super) async fn want_sync(&self) -> Result<(), ChoreError> {
        self.parts.accounts.request_pass(self.account.id).await?;
        self.parts.events.publish(Event::SyncRequested(self.owner.reference()));
        Ok(())
    }

    /// Drops the connection after an error, unless it can be used on.
    pub(super) fn drop_broken(&mut self, error: &ChoreError) {
        match error {
            ChoreError::Imap(error) if error.keeps_connection() => {}
            _ => self.mailbox = None,
        }
    }
}
