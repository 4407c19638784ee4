//! Puts mails into folders (RFC 3501 §6.3.11), whatever their size.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};

use super::connection::{Use, is_done, refused_change};
use super::moves::as_missing_target;
use super::response::Status;
use super::wire::stalled;
use super::{Flag, ImapConnection, ImapError, ImapErrorKind};

/// The largest mail that is sent without asking: a server that does not want a larger one can say so first.
const AT_ONCE: u64 = 64 * 1024;
/// The same where the server only has LITERAL- (RFC 7888).
const AT_ONCE_MINUS: u64 = 4096;
/// What is written at once.
const PIECE: usize = 32 * 1024;
/// The slowest server that is waited for, in octets a second.
const SLOWEST: u64 = 10 * 1024;
/// How long a server that hung up may take to let us hear why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why a mail could not be put into a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum AppendError<E> {
    /// The mail could not be read to its end. It is not in the folder; the connection must be dropped.
    Body(E),
    /// The mail is not as long as announced. It is not in the folder; the connection must be dropped.
    WrongSize,
    /// The server refused it, or the connection failed. Unless the connection is kept the mail may be in the folder
    /// all the same: look there before doing it again.
    Imap(ImapError),
}

impl<E: std::fmt::Display> std::fmt::Display for AppendError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::WrongSize => f.write_str("the mail is not as long as it was announced to the mail server"),
            Self::Imap(error) => error.fmt(f),
        }
    }
}

impl<E: std::fmt::Debug + std::fmt::Display> std::error::Error for AppendError<E> {}

impl<E> From<ImapError> for AppendError<E> {
    fn from(error: ImapError) -> Self {
        Self::Imap(error)
    }
}

impl ImapConnection {
    /// Puts a mail into a folder, which need not be open, and gives its UIDVALIDITY and UID there where the server
    /// tells them (UIDPLUS, RFC 4315).
    ///
    /// `body` must have `size` octets; a mail that has not is never put there. When the future is dropped on the way
    /// the connection refuses to be used again.
    ///
    /// # Errors
    /// [`ImapErrorKind::TryCreate`] when the folder is not there, [`ImapErrorKind::TooLarge`],
    /// [`ImapErrorKind::OverQuota`] and [`ImapErrorKind::NotPermitted`] as the server says; [`AppendError`] for what
    /// else may fail.
    pub async fn append<E>(
        &mut self,
        raw_folder: &str,
        flags: &[Flag],
        internal_date: Option<DateTime<Utc>>,
        size: u64,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Option<(u32, u32)>, AppendError<E>> {
        let can = &self.capabilities;
        let at_once = (can.literal_plus && size <= AT_ONCE) || (can.literal_minus && size <= AT_ONCE_MINUS);
        let flags: Vec<&str> = flags.iter().map(|flag| flag.as_str()).collect();
        let date = internal_date.map(|date| date.format(" \"%e-%b-%Y %H:%M:%S +0000\"").to_string());
        let (date, sign) = (date.unwrap_or_default(), if at_once { "+" } else { "" });
        let command =
            self.named("APPEND ", raw_folder).words(&format!(" ({}){date} {{{size}{sign}}}", flags.join(" ")));
        let tag = self.start(command).await?;
        self.wire.begin_literal();
        if !at_once && let Some(status) = self.go_ahead(&tag).await? {
            self.wire.drop_literal();
            return Err(refused(&status).into());
        }
        let most = self.wire.limits().command + Duration::from_secs(size / SLOWEST);
        match tokio::time::timeout(most, self.send_mail(size, body)).await {
            Ok(Ok(())) => {}
            Ok(Err(AppendError::Imap(error))) => return Err(self.explain_broken_append(&tag, error).await.into()),
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => return Err(stalled().into()),
        }
        // The server has had to wait for us.
        self.wire.start_clock();
        let status = self.verdict(&tag, |_| Ok(Use::Unasked)).await?;
        if is_done(&status) { Ok(append_uid(&status)) } else { Err(refused(&status).into()) }
    }

    /// Sends the mail, its last piece only when it is known to be the last.
    async fn send_mail<E>(
        &mut self,
        size: u64,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), AppendError<E>> {
        let mut read = 0;
        let mut held = Bytes::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(AppendError::Body)?;
            read += piece.len() as u64;
            if read > size {
                return Err(AppendError::WrongSize);
            }
            if piece.is_empty() {
                continue;
            }
            for part in std::mem::replace(&mut held, piece).chunks(PIECE) {
                self.wire.send_part(part).await?;
            }
        }
        if read != size {
            return Err(AppendError::WrongSize);
        }
        while held.len() > PIECE {
            self.wire.send_part(&held.split_to(PIECE)).await?;
        }
        self.wire.end_literal(&held).await?;
        Ok(())
    }

    /// A server that said why it takes no more is not simply lost; but the connection is.
    async fn explain_broken_append(&mut self, tag: &str, error: ImapError) -> ImapError {
        if error.kind != ImapErrorKind::ConnectionLost {
            return error;
        }
        let verdict = self.verdict(tag, |_| Ok(Use::Unasked));
        let explained = match tokio::time::timeout(LAST_WORDS, verdict).await {
            Ok(Ok(status)) => refused(&status),
            Ok(Err(explained)) => explained,
            Err(_elapsed) => return error,
        };
        if explained.keeps_connection() { ImapError { detail: explained.detail, ..error } } else { explained }
    }
}

fn refused(status: &Status) -> ImapError {
    let mut error = as_missing_target(refused_change(status));
    if matches!(status.code_name().as_str(), "TOOBIG" | "APPENDLIMIT") {
        error.kind = ImapErrorKind::TooLarge;
    }
    error
}

/// Where the mail is, if the server tells and it can be true.
fn append_uid(status: &Status) -> Option<(u32, u32)> {
    if status.code_name() != "APPENDUID" {
        return None;
    }
    let (validity, uid) = status.code_argument().trim().split_once(' ')?;
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| *number > 0);
    Some((number(validity)?, number(uid)?))
}
