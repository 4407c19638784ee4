//! Waits for news in the open folder (RFC 2177).

use std::time::Duration;

use super::command::Command;
use super::connection::{Use, refusal};
use super::response::{Response, Status, Verdict};
use super::{ImapConnection, ImapError};

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleEnd {
    /// Mails came or went, or flags changed.
    News,
    /// The time is over. The connection was good a moment ago: the server answered.
    TimedOut,
    /// Whoever waits has something else to do. News that came all the same are still to be taken
    /// with [`ImapConnection::take_news`].
    Woken,
}

impl ImapConnection {
    /// Waits in the open folder until the server tells news, `longest` is over, or `wake` is ready.
    ///
    /// News that were told during an earlier command end it at once, so none is missed. The server
    /// says nothing while nothing happens, so a connection that is dead is found out at the end of
    /// the wait, by its not answering within [`super::Limits::stall`]: `longest` should be some
    /// minutes, and less than the 29 after which servers hang up. In the meantime the connection
    /// holds next to no memory.
    ///
    /// **Dropping this future before it is ready leaves the connection unusable**, as with every
    /// other command; to stop waiting, make `wake` ready.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::NotSupported`] without IDLE: look now and then instead. Otherwise as the
    /// server refuses or the connection fails.
    pub async fn idle(&mut self, longest: Duration, wake: impl Future<Output = ()>) -> Result<IdleEnd, ImapError> {
        if !self.capabilities.idle {
            return Err(ImapError::not_supported("IDLE"));
        }
        if self.take_news() {
            return Ok(IdleEnd::News);
        }
        let tag = self.start(Command::new("IDLE")).await?;
        self.await_go_ahead(&tag).await?;
        self.wire.rest();
        let end = {
            let news = self.until_news();
            tokio::select! {
                biased;
                told = news => told.map(|()| IdleEnd::News),
                () = wake => Ok(IdleEnd::Woken),
                () = tokio::time::sleep(longest) => Ok(IdleEnd::TimedOut),
            }
        };
        self.wire.rouse();
        let end = end?;
        self.wire.start_clock();
        self.wire.send(b"DONE\r\n").await?;
        self.finish(&tag, |_| Ok(Use::Unasked)).await?;
        // News may have come together with the end of the time.
        Ok(if end != IdleEnd::Woken && self.take_news() { IdleEnd::News } else { end })
    }

    async fn until_news(&mut self) -> Result<(), ImapError> {
        while !self.news {
            match self.read_unhurried().await? {
                Response::Status(status) if status.tag.is_some() => return Err(gave_up(&status)),
                other => self.note_unasked(&other)?,
            }
        }
        Ok(())
    }
}

/// A server that ends the wait by itself cannot wait: trying again at once would only go round in
/// circles.
fn gave_up(status: &Status) -> ImapError {
    match status.verdict {
        Verdict::Ok => ImapError::protocol("the mail server does not wait for news although it says that it can"),
        _ => refusal(status),
    }
}
