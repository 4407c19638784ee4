//! Cuts the server's bytes into responses, under limits that hold before memory is taken.
//!
//! A response is a line, possibly continued by literals (`{n}` at a line's end, then n octets,
//! then the line goes on). It is handed on as one buffer, so a mail's body is never copied again.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::{ImapError, ImapErrorKind, Limits};
use crate::net::NetStream;

/// How much of an unfinished response counts as progress.
const PROGRESS: usize = 4096;
const CHUNK: usize = 32 * 1024;
/// What is set aside for reading while the server has nothing to say: it is multiplied by the number
/// of mailboxes that are watched.
const RESTING_CHUNK: usize = 512;
/// News need no literals but for odd keywords.
const RESTING_LITERAL: usize = 64 * 1024;

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: NetStream,
    buffer: BytesMut,
    limits: Limits,
    /// The longest line for now; a search needs more.
    line_limit: usize,
    /// The largest literal for now; mails held already leave less room.
    literal_limit: usize,
    /// When the running command must be done.
    deadline: Option<Instant>,
    /// How much room is made for reading.
    chunk: usize,
    /// Whether a literal was begun and not ended: a command would become a part of it.
    in_literal: bool,
}

impl Wire {
    pub(super) fn new(stream: NetStream, limits: Limits) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(CHUNK),
            limits,
            line_limit: limits.line,
            literal_limit: limits.literal,
            deadline: None,
            chunk: CHUNK,
            in_literal: false,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.stream.is_encrypted()
    }

    pub(super) fn set_line_limit(&mut self, limit: usize) {
        self.line_limit = limit;
    }

    /// Leaves room for what is held already.
    pub(super) fn set_held(&mut self, held: usize) {
        let room = self.limits.held.saturating_sub(held);
        self.literal_limit = self.limits.literal.min(room);
    }

    /// Starts the time of a command, or of what is left of it after a pause on our side.
    pub(super) fn start_clock(&mut self) {
        self.deadline = Instant::now().checked_add(self.limits.command);
    }

    /// Gives memory back for the time in which little or nothing is to come; what was received and
    /// not yet read is kept.
    pub(super) fn rest(&mut self) {
        self.chunk = RESTING_CHUNK;
        self.literal_limit = self.limits.literal.min(RESTING_LITERAL);
        let mut small = BytesMut::with_capacity(RESTING_CHUNK.max(self.buffer.len()));
        small.extend_from_slice(&self.buffer);
        self.buffer = small;
    }

    /// Ends [`Self::rest`].
    pub(super) fn rouse(&mut self) {
        self.chunk = CHUNK;
        self.literal_limit = self.limits.literal;
    }

    /// Gives up the stream, with what was received on it and not yet read.
    pub(super) fn into_parts(self) -> (NetStream, BytesMut) {
        (self.stream, self.buffer)
    }

    /// Sends bytes. What they are is nobody's business: they may hold a password.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), ImapError> {
        if self.in_literal {
            return Err(lost("a mail was given up in its middle"));
        }
        self.write(bytes).await
    }

    /// Begins a literal that is sent in parts. When it is given up on the way, nothing else is sent any more.
    pub(super) fn begin_literal(&mut self) {
        self.in_literal = true;
    }

    /// The server does not want the literal after all.
    pub(super) fn drop_literal(&mut self) {
        self.in_literal = false;
    }

    /// Sends a part of a literal.
    pub(super) async fn send_part(&mut self, bytes: &[u8]) -> Result<(), ImapError> {
        self.write(bytes).await
    }

    /// Sends the last part of a literal and the end of the command.
    pub(super) async fn end_literal(&mut self, bytes: &[u8]) -> Result<(), ImapError> {
        self.write(bytes).await?;
        self.in_literal = false;
        self.send(b"\r\n").await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ImapError> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(self.limits.stall, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(lost(&error.to_string())),
            Err(_elapsed) => Err(stalled()),
        }
    }

    /// Reads one whole response, its line ends included.
    pub(super) async fn read(&mut self) -> Result<Bytes, ImapError> {
        let mut scan = Scan::default();
        let mut pace = Pace::new(self.limits.stall, self.deadline);
        loop {
            match scan.advance(&self.buffer, self.line_limit, self.literal_limit)? {
                Step::Complete(length) => return Ok(self.buffer.split_to(length).freeze()),
                Step::Need(missing) => self.fill(missing, &mut pace).await?,
            }
        }
    }

    /// Reads one whole response without a limit of time. When the wait is given up, what came
    /// stays in the buffer and the next reading starts over with it.
    pub(super) async fn read_unhurried(&mut self) -> Result<Bytes, ImapError> {
        let mut scan = Scan::default();
        loop {
            match scan.advance(&self.buffer, self.line_limit, self.literal_limit)? {
                Step::Complete(length) => return Ok(self.buffer.split_to(length).freeze()),
                Step::Need(missing) => {
                    self.buffer.reserve(missing.max(self.chunk));
                    received(self.stream.read_buf(&mut self.buffer).await)?;
                }
            }
        }
    }

    async fn fill(&mut self, missing: usize, pace: &mut Pace) -> Result<(), ImapError> {
        self.buffer.reserve(missing.max(self.chunk));
        let reading = self.stream.read_buf(&mut self.buffer);
        let Ok(read) = tokio::time::timeout_at(pace.until(), reading).await else {
            return Err(stalled());
        };
        pace.received(received(read)?);
        Ok(())
    }

    /// Closes the connection.
    pub(super) async fn close(&mut self) {
        // The other side may be long gone; there is nothing left to lose.
        if let Err(error) = self.stream.shutdown().await {
            tracing::trace!(%error, "closing an IMAP connection");
        }
    }
}

/// How much was read; an end of the stream is a loss.
fn received(read: std::io::Result<usize>) -> Result<usize, ImapError> {
    match read {
        Ok(0) => Err(lost("the server closed the connection")),
        Ok(count) => Ok(count),
        Err(error) => Err(lost(&error.to_string())),
    }
}

pub(super) fn lost(reason: &str) -> ImapError {
    ImapError::new(ImapErrorKind::ConnectionLost, format!("the connection to the mail server broke: {reason}"))
}

pub(super) fn stalled() -> ImapError {
    ImapError::new(
        ImapErrorKind::Timeout,
        "the mail server did not answer in time (is the security setting right for this port?)",
    )
}

/// The time left for a response.
struct Pace {
    stall: Duration,
    stall_at: Instant,
    deadline: Option<Instant>,
    since: usize,
}

impl Pace {
    fn new(stall: Duration, deadline: Option<Instant>) -> Self {
        Self { stall, stall_at: Instant::now() + stall, deadline, since: 0 }
    }

    fn until(&self) -> Instant {
        self.deadline.map_or(self.stall_at, |deadline| deadline.min(self.stall_at))
    }

    fn received(&mut self, count: usize) {
        self.since += count;
        if self.since >= PROGRESS {
            self.since = 0;
            self.stall_at = Instant::now() + self.stall;
        }
    }
}

enum Step {
    /// The response is the first so many octets.
    Complete(usize),
    /// At least so many octets more are needed.
    Need(usize),
}

/// Where the search for a response's end stands; it never looks at a byte twice.
#[derive(Default)]
struct Scan {
    line_start: usize,
    at: usize,
    literal_octets: usize,
    in_literal: bool,
    textual: Option<bool>,
}

impl Scan {
    fn advance(&mut self, buffer: &[u8], line: usize, literal: usize) -> Result<Step, ImapError> {
        loop {
            if self.in_literal {
                if buffer.len() < self.at {
                    return Ok(Step::Need(self.at - buffer.len()));
                }
                self.in_literal = false;
            }
            let unseen = buffer.get(self.at..).unwrap_or_default();
            let end = unseen.iter().position(|byte| *byte == b'\n');
            let seen = self.at + end.unwrap_or(unseen.len());
            if seen - self.literal_octets > line {
                return Err(ImapError::protocol(format!("the mail server sent a line of more than {line} octets")));
            }
            let Some(end) = end else {
                self.at = buffer.len();
                return Ok(Step::Need(1));
            };
            let next = self.at + end + 1;
            let text = buffer.get(self.line_start..next).unwrap_or_default();
            let textual = *self.textual.get_or_insert_with(|| is_textual(text));
            match literal_size(text).filter(|_| !textual) {
                None => return Ok(Step::Complete(next)),
                Some(size) => self.enter_literal(next, size, literal)?,
            }
        }
    }

    fn enter_literal(&mut self, at: usize, size: u64, limit: usize) -> Result<(), ImapError> {
        let fits = usize::try_from(size).ok().filter(|size| self.literal_octets.saturating_add(*size) <= limit);
        let Some(size) = fits else {
            return Err(ImapError::new(
                ImapErrorKind::TooLarge,
                format!("the mail server wants to send {size} octets at once, more than {limit}"),
            ));
        };
        self.literal_octets += size;
        self.at = at + size;
        self.line_start = self.at;
        self.in_literal = true;
        Ok(())
    }
}

/// Whether a first line is free text, in which a final `{n}` means nothing.
fn is_textual(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"* ") else {
        return true;
    };
    let word = rest.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next();
    word.is_some_and(|word| {
        [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| word.eq_ignore_ascii_case(status))
    })
}

/// The size that a line announces for the literal after it: `{n}`, `{n+}` or `~{n}` at its end.
fn literal_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|byte| *byte == b'{')?;
    let digits = inner.get(open + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A number too long for us is still a literal, only a hopeless one.
    Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(input: &[u8]) -> Option<usize> {
        match Scan::default().advance(input, 1000, 1000).unwrap() {
            Step::Complete(length) => Some(length),
            Step::Need(_) => None,
        }
    }

    #[test]
    fn a_response_ends_after_its_literals() {
        assert_eq!(cut(b"* OK hi\r\nmore"), Some(9));
        assert_eq!(cut(b"* 1 FETCH (BODY[] {5}\r\na\r\nbc)\r\n* "), Some(31));
        assert_eq!(cut(b"* 1 FETCH (BODY[] {5}\r\na\r\nb"), None);
        assert_eq!(cut(b"* 1 FETCH (X ~{2}\r\nab Y {1+}\r\nz)\r\n"), Some(34));
    }

    #[test]
    fn free_text_cannot_announce_a_literal() {
        assert_eq!(cut(b"* OK {5}\r\n"), Some(10));
        assert_eq!(cut(b"a1 NO look {5}\r\n"), Some(16));
        assert_eq!(cut(b"* BYE\r\n"), Some(7));
    }

    #[test]
    fn the_cut_does_not_depend_on_how_bytes_arrive() {
        let input = b"* 1 FETCH (BODY[] {5}\r\na\r\nbc X \"q\")\r\nrest";
        let mut scan = Scan::default();
        let mut found = None;
        for end in 0..=input.len() {
            if let Step::Complete(length) = scan.advance(&input[..end], 1000, 1000).unwrap() {
                found = Some(length);
                break;
            }
        }
        assert_eq!(found, cut(input));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_arrives() {
        let too_large = |input: &[u8]| Scan::default().advance(input, 100, 100).err();
        let error = too_large(b"* 1 FETCH (BODY[] {4294967296}\r\n").unwrap();
        assert_eq!(error.kind, ImapErrorKind::TooLarge);
        assert!(too_large(b"* 1 FETCH (B {99999999999999999999999}\r\n").is_some());
        assert!(too_large(b"* 1 FETCH (A {60}\r\n").is_none());
        assert!(too_large(&[b'x'; 101]).is_some());
        assert!(too_large(&[b'x'; 99]).is_none());
    }
}
