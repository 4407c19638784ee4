//! What carrying out the changes of one mailbox stands on, and the closed set of ways to its provider.

use std::collections::HashMap;

use super::gmail::Gmail;
use super::imap::Imap;
use super::outcomes::Outcomes;
use crate::accounts::{Account, Carrier, Provider};
use crate::ids::EmailId;
use crate::messages::{Fields, MailDiff, Mailbox};
use crate::sync::engine::EngineParts;

/// Why a session ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The database, or a claim that was lost.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The credentials cannot be opened.
    #[error("{0:#}")]
    SetUp(anyhow::Error),
}

/// One mailbox, with the claim on it.
#[derive(Clone)]
pub(super) struct Desk<'a> {
    pub parts: &'a EngineParts,
    pub carrier: Carrier,
    pub account: Account,
    pub owner: Mailbox,
}

impl<'a> Desk<'a> {
    /// Reads the mailbox; none when it is gone.
    pub async fn open(parts: &'a EngineParts, carrier: Carrier) -> Result<Option<Self>, SessionError> {
        let Some(account) = parts.accounts.find(carrier.org, carrier.account).await? else { return Ok(None) };
        let owner = Mailbox::of(&account);
        Ok(Some(Self { parts, carrier, account, owner }))
    }
}

/// The way to the provider of a mailbox. Each makes the mailbox there equal to what is shown here, and writes what it did
/// before it does the next thing.
pub(super) enum Arm<'a> {
    Imap(Imap<'a>),
    Gmail(Gmail<'a>),
}

impl<'a> Arm<'a> {
    /// The way to this mailbox.
    pub async fn of(desk: Desk<'a>) -> Result<Self, SessionError> {
        match desk.account.provider {
            Provider::Imap => Imap::open(desk).await.map(Self::Imap),
            Provider::Gmail => Ok(Self::Gmail(Gmail::open(desk))),
            Provider::Outlook => Err(SessionError::SetUp(anyhow::anyhow!("Outlook mailboxes cannot be changed yet"))),
        }
    }

    /// Does what is to be done for these mails, as far as it goes; `todo` says which fields of a mail people changed.
    pub async fn carry(
        &mut self,
        diffs: &[MailDiff],
        todo: &HashMap<EmailId, Fields>,
    ) -> Result<Outcomes, SessionError> {
        match self {
            Self::Imap(imap) => imap.carry(diffs, todo).await,
            Self::Gmail(gmail) => gmail.carry(diffs, todo).await,
        }
    }

    /// Ends it.
    pub async fn close(self) {
        match self {
            Self::Imap(imap) => imap.close().await,
            // Nothing stands between two calls.
            Self::Gmail(_) => {}
        }
    }
}
