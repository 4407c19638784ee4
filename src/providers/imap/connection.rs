//! Runs commands on one connection and sorts the responses.

use bytes::Bytes;

use super::command::Command;
use super::response::{self, Response, Status, Verdict};
use super::wire::Wire;
use super::{Capabilities, ImapError, ImapErrorKind};

/// A logged-in connection. It runs one command at a time, except for bodies, which are pipelined.
///
/// After an error for which [`ImapError::keeps_connection`] is false it must be dropped.
#[derive(Debug)]
pub struct ImapConnection {
    pub(super) wire: Wire,
    pub(super) capabilities: Capabilities,
    /// Whether names go over the wire in UTF-8 (RFC 6855).
    pub(super) utf8: bool,
    next_tag: u32,
    /// The server's farewell, if it said one.
    farewell: Option<Status>,
    /// Responses since the last command that nobody asked for.
    unsolicited: usize,
    /// Whether one of them told that the open folder is no longer as it was.
    pub(super) news: bool,
    /// Whether the open folder takes no changes.
    pub(super) read_only: bool,
}

/// Whether a response was an answer to what was asked.
pub(super) enum Use {
    /// It was.
    Asked,
    /// It belongs to the answer, but no command needs many of these: they count as the unasked do.
    Extra,
    /// It was not; too many of these and the server is dropped.
    Unasked,
}

impl ImapConnection {
    pub(super) fn over(wire: Wire) -> Self {
        Self {
            wire,
            capabilities: Capabilities::default(),
            utf8: false,
            next_tag: 0,
            farewell: None,
            unsolicited: 0,
            news: false,
            read_only: false,
        }
    }

    /// What the server can do, as told after the login.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether what is sent and received is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.wire.is_encrypted()
    }

    /// Reads the next response.
    pub(super) async fn read(&mut self) -> Result<Response, ImapError> {
        let frame = match self.wire.read().await {
            Ok(frame) => frame,
            Err(error) => return Err(self.explain_loss(error)),
        };
        self.understand(&frame)
    }

    /// Reads the next response, however long it takes. Giving up the wait loses nothing.
    pub(super) async fn read_unhurried(&mut self) -> Result<Response, ImapError> {
        let frame = match self.wire.read_unhurried().await {
            Ok(frame) => frame,
            Err(error) => return Err(self.explain_loss(error)),
        };
        self.understand(&frame)
    }

    fn understand(&mut self, frame: &Bytes) -> Result<Response, ImapError> {
        let response = response::parse(frame)?;
        match &response {
            Response::Status(status) if status.verdict == Verdict::Bye => {
                self.farewell = Some(status.clone());
            }
            Response::Capability(capabilities) => self.capabilities = *capabilities,
            _ => {}
        }
        Ok(response)
    }

    /// A server that said why it hangs up is not simply lost.
    fn explain_loss(&self, error: ImapError) -> ImapError {
        match &self.farewell {
            Some(bye) if error.kind == ImapErrorKind::ConnectionLost => unavailable(bye),
            _ => error,
        }
    }

    /// Whether the server has told since the last call that the open folder is no longer as it
    /// was: mails came or went, or flags changed. It tells so in the middle of any command, and it
    /// tells but once.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Refuses to change what was opened for reading only: some servers answer OK and do nothing.
    pub(super) fn must_be_writable(&self) -> Result<(), ImapError> {
        if self.read_only {
            return Err(ImapError::new(ImapErrorKind::NotPermitted, "the folder is open for reading only"));
        }
        Ok(())
    }

    /// Notes a response that nobody asked for.
    pub(super) fn note_unasked(&mut self, response: &Response) -> Result<(), ImapError> {
        self.news |= response.is_news();
        self.count()
    }

    /// Counts a response of which no command needs many.
    fn count(&mut self) -> Result<(), ImapError> {
        self.unsolicited += 1;
        if self.unsolicited > self.wire.limits().unsolicited {
            return Err(ImapError::protocol("the mail server floods the connection with responses nobody asked for"));
        }
        Ok(())
    }

    /// Sends a command and gives its tag.
    pub(super) async fn start(&mut self, command: Command) -> Result<String, ImapError> {
        self.next_tag += 1;
        let tag = format!("a{}", self.next_tag);
        self.unsolicited = 0;
        self.wire.start_clock();
        let mut pieces = command.pieces(&tag).into_iter();
        if let Some(first) = pieces.next() {
            self.wire.send(&first).await?;
        }
        for piece in pieces {
            self.await_go_ahead(&tag).await?;
            self.wire.send(&piece).await?;
        }
        Ok(tag)
    }

    /// Waits until the server asks for the rest of a command.
    pub(super) async fn await_go_ahead(&mut self, tag: &str) -> Result<(), ImapError> {
        match self.go_ahead(tag).await? {
            None => Ok(()),
            Some(status) => Err(refusal(&status)),
        }
    }

    /// As [`Self::await_go_ahead`], but gives the verdict that came instead.
    pub(super) async fn go_ahead(&mut self, tag: &str) -> Result<Option<Status>, ImapError> {
        loop {
            match self.read().await? {
                Response::Continue => return Ok(None),
                Response::Status(status) if status.tag.as_deref() == Some(tag) => return Ok(Some(status)),
                other => self.note_unasked(&other)?,
            }
        }
    }

    /// Runs a command to its end; `on` sees every response on the way.
    pub(super) async fn run(
        &mut self,
        command: Command,
        on: impl FnMut(Response) -> Result<Use, ImapError>,
    ) -> Result<Status, ImapError> {
        let tag = self.start(command).await?;
        self.finish(&tag, on).await
    }

    /// Reads up to the verdict on the command with this tag.
    pub(super) async fn finish(
        &mut self,
        tag: &str,
        on: impl FnMut(Response) -> Result<Use, ImapError>,
    ) -> Result<Status, ImapError> {
        let status = self.verdict(tag, on).await?;
        if is_done(&status) { Ok(status) } else { Err(refusal(&status)) }
    }

    /// Runs a command that changes something to its end.
    pub(super) async fn change(
        &mut self,
        command: Command,
        on: impl FnMut(Response) -> Result<Use, ImapError>,
    ) -> Result<Status, ImapError> {
        let tag = self.start(command).await?;
        let status = self.verdict(&tag, on).await?;
        if is_done(&status) { Ok(status) } else { Err(refused_change(&status)) }
    }

    /// Reads up to the verdict on the command with this tag, whatever it is.
    pub(super) async fn verdict(
        &mut self,
        tag: &str,
        mut on: impl FnMut(Response) -> Result<Use, ImapError>,
    ) -> Result<Status, ImapError> {
        loop {
            let response = self.read().await?;
            match response {
                Response::Status(status) if status.tag.as_deref() == Some(tag) => {
                    return Ok(status);
                }
                Response::Status(status) if status.tag.is_some() => {
                    return Err(ImapError::protocol("the mail server answered a command that was not given"));
                }
                other => {
                    let news = other.is_news();
                    match on(other)? {
                        Use::Asked => {}
                        Use::Extra => self.count()?,
                        Use::Unasked => {
                            self.news |= news;
                            self.count()?;
                        }
                    }
                }
            }
        }
    }

    /// Runs a command that a folder's name goes with.
    pub(super) fn named(&self, words: &str, raw_name: &str) -> Command {
        if self.utf8 {
            let name = super::utf7::decode(raw_name);
            return Command::new(words).value(&name, &self.capabilities, true);
        }
        Command::new(words).value(raw_name, &self.capabilities, false)
    }

    /// Asks for nothing, which lets the server tell news and keeps the connection open.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no longer good.
    pub async fn noop(&mut self) -> Result<(), ImapError> {
        self.run(Command::new("NOOP"), |_| Ok(Use::Unasked)).await?;
        Ok(())
    }

    /// Says goodbye and closes the connection; errors no longer matter then.
    pub async fn logout(mut self) {
        let goodbye = self.run(Command::new("LOGOUT"), |_| Ok(Use::Unasked));
        match tokio::time::timeout(crate::net::GOODBYE, goodbye).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::trace!(%error, "logging out of IMAP"),
            Err(_elapsed) => tracing::trace!("logging out of IMAP took too long"),
        }
        self.wire.close().await;
    }
}

/// Whether a command did what it could: that some of the mails were expunged meanwhile
/// (RFC 2180) is no failure of the command.
pub(super) fn is_done(status: &Status) -> bool {
    status.verdict == Verdict::Ok || status.code_name() == "EXPUNGEISSUED"
}

/// Turns a NO or BAD into an error of the class that its code names (RFC 5530).
pub(super) fn refusal(status: &Status) -> ImapError {
    use ImapErrorKind as Kind;
    let kind = match status.code_name().as_str() {
        "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" => Kind::AuthFailed,
        "PRIVACYREQUIRED" => Kind::LoginDisabled,
        "UNAVAILABLE" | "LIMIT" | "INUSE" | "SERVERBUG" | "THROTTLED" => Kind::Unavailable,
        "OVERQUOTA" => Kind::OverQuota,
        "NONEXISTENT" => Kind::NoSuchFolder,
        _ if asks_to_wait(&status.text) => Kind::Unavailable,
        _ if status.verdict == Verdict::Bad => Kind::NotUnderstood,
        _ => Kind::Rejected,
    };
    ImapError::new(kind, format!("the mail server said: {}", said(&status.text)))
}

/// Turns a refused change into an error. It tells more apart than a refused look at something, for
/// whoever asked for the change is told why it cannot be.
pub(super) fn refused_change(status: &Status) -> ImapError {
    let mut error = refusal(status);
    if error.kind == ImapErrorKind::Rejected {
        error.kind = match status.code_name().as_str() {
            "TRYCREATE" => ImapErrorKind::TryCreate,
            "NOPERM" | "READ-ONLY" => ImapErrorKind::NotPermitted,
            _ if forbids(&status.text) => ImapErrorKind::NotPermitted,
            _ => ImapErrorKind::Rejected,
        };
    }
    error
}

fn unavailable(bye: &Status) -> ImapError {
    let mut error = refusal(bye);
    if !matches!(error.kind, ImapErrorKind::AuthFailed | ImapErrorKind::OverQuota) {
        error.kind = ImapErrorKind::Unavailable;
    }
    error.detail = format!("the mail server closed the connection: {}", said(&bye.text));
    error
}

/// Many servers say only in words that they want to be left alone for a while.
fn asks_to_wait(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "too many",
        "try again later",
        "try again in",
        "temporar",
        "throttl",
        "rate limit",
        "maximum number of connections",
        "exceeded the command or bandwidth limits",
        "bandwidth limit",
        "server busy",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

/// Not every server has the code for what is not allowed.
fn forbids(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["read-only", "read only", "readonly", "permission denied"].iter().any(|phrase| text.contains(phrase))
}

/// The server's own words, made harmless and short.
pub(super) fn said(text: &str) -> String {
    const LONGEST: usize = 200;
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    let clean = clean.trim();
    if clean.is_empty() { "(nothing)".to_owned() } else { clean.to_owned() }
}
