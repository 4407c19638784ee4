//! The ways to a provider: one arm each, closed, matched where they differ.

use diesel::QueryResult;

use super::chores::{ChoreError, Filed};
use super::desk::Desk;
use super::gmail::Gmail;
use super::imap::{self, Imap};
use crate::accounts::Provider;
use crate::sending::model::Outgoing;

/// How a mailbox sends, files and mirrors.
pub(super) enum Arm<'a> {
    /// Over SMTP, with copies and drafts over IMAP.
    Imap(Imap<'a>),
    /// Over the Gmail API.
    Gmail(Gmail<'a>),
}

impl<'a> Arm<'a> {
    /// The way of a mailbox; there is none yet to Outlook, whose mail is refused at the door.
    pub(super) fn of(desk: &'a Desk<'a>) -> Option<Self> {
        match desk.account.provider {
            Provider::Imap => Some(Self::Imap(Imap::new(desk))),
            Provider::Gmail => Some(Self::Gmail(Gmail::new(desk))),
            Provider::Outlook => None,
        }
    }

    /// Hands over mails that were begun; those that cannot be tried for now are put back.
    pub(super) async fn deliver(&mut self, mails: Vec<Outgoing>) -> QueryResult<()> {
        match self {
            Self::Imap(imap) => imap.deliver(mails).await,
            Self::Gmail(gmail) => gmail.deliver(mails).await,
        }
    }

    /// The code and the words for a mail that may have been sent and may not.
    pub(super) fn doubt(&self) -> (&'static str, &'static str) {
        match self {
            Self::Imap(_) => imap::UNCERTAIN,
            Self::Gmail(_) => super::gmail::UNCERTAIN,
        }
    }

    /// Sees to the copy of a mail that was sent, or looks for one that may have been.
    pub(super) async fn file(&mut self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        match self {
            Self::Imap(imap) => imap.file(mail).await,
            Self::Gmail(gmail) => gmail.file(mail).await,
        }
    }

    /// Brings the provider's copy of a draft in step; answers whether it is.
    pub(super) async fn mirror(&mut self, mail: &Outgoing) -> Result<bool, ChoreError> {
        match self {
            Self::Imap(imap) => imap.mirror(mail).await,
            Self::Gmail(gmail) => gmail.mirror(mail).await,
        }
    }

    /// Takes note of an error: a connection may be of no use any more.
    pub(super) fn failed(&mut self, error: &ChoreError) {
        match self {
            Self::Imap(imap) => imap.drop_broken(error),
            Self::Gmail(_) => {}
        }
    }

    /// Ends what was kept for the next mail.
    pub(super) async fn close(&mut self) {
        match self {
            Self::Imap(imap) => imap.close().await,
            Self::Gmail(_) => {}
        }
    }
}
