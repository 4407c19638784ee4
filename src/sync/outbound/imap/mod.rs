//! Carries changes to IMAP servers: folder by folder, over a connection that is kept for the next change.

mod carry;
mod commands;
mod flags;
mod plan;

use super::desk::{Desk, SessionError};
use crate::providers::imap::{ImapConnection, ImapError, ImapSettings};

/// The way to a mailbox on an IMAP server.
pub(super) struct Imap<'a> {
    desk: Desk<'a>,
    settings: ImapSettings,
    connection: Option<ImapConnection>,
}

impl<'a> std::ops::Deref for Imap<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        &self.desk
    }
}

impl<'a> Imap<'a> {
    /// Opens the credentials; the connection follows when it is needed.
    pub async fn open(desk: Desk<'a>) -> Result<Self, SessionError> {
        let settings = desk.parts.accounts.imap_settings(&desk.account).await.map_err(SessionError::SetUp)?;
        Ok(Self { desk, settings, connection: None })
    }

    /// Signs out.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            connection.logout().await;
        }
    }

    /// The connection, signed in.
    async fn connection(&mut self) -> Result<&mut ImapConnection, ImapError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.desk.parts.gate.wait(&self.settings.host).await;
                ImapConnection::connect(&self.desk.parts.net, &self.settings).await?
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Forgets a connection that is no good any more.
    fn hang_up(&mut self) {
        self.connection = None;
    }
}
