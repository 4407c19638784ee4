//! Mailboxes whose mail leaves over SMTP and whose copies and drafts are kept over IMAP.

mod conclude;
mod deliver;
mod file;
mod mailbox;
mod mirror;

use super::desk::Desk;
use crate::providers::imap::ImapConnection;
use crate::providers::smtp::SmtpConnection;

/// The code and the words for a mail whose fate is not known.
pub(super) const UNCERTAIN: (&str, &str) = (
    "smtp_no_answer",
    "The connection ended after the mail was handed over and before the server answered, so it may have been sent. It is \
     being looked for among the sent mails. Trying it again may send it twice.",
);

/// The way over SMTP and IMAP.
pub(super) struct Imap<'a> {
    desk: &'a Desk<'a>,
    /// Connections that wait for the next mail.
    idle: Vec<SmtpConnection>,
    /// The connection to the mailbox, for copies and drafts.
    mailbox: Option<ImapConnection>,
}

impl<'a> std::ops::Deref for Imap<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        self.desk
    }
}

impl<'a> Imap<'a> {
    /// Without a connection for now.
    pub(super) fn new(desk: &'a Desk<'a>) -> Self {
        Self { desk, idle: Vec::new(), mailbox: None }
    }

    /// Ends the connections.
    pub(super) async fn close(&mut self) {
        for connection in self.idle.drain(..) {
            connection.quit().await;
        }
        if let Some(connection) = self.mailbox.take() {
            connection.logout().await;
        }
    }
}
