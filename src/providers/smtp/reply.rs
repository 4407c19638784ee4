//! Replies of a server (RFC 5321 §4.2), read under limits.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{SmtpError, SmtpErrorKind};

/// RFC 5321 allows 512 octets; some servers write more.
const MAX_LINE: usize = 4096;
const MAX_LINES: usize = 128;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub(super) fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The server's own words, made harmless and short.
    pub(super) fn said(&self) -> String {
        const LONGEST: usize = 200;
        let text = self.lines.join(" ");
        let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        clean.take(LONGEST).collect::<String>().trim().to_owned()
    }
}

/// Reads one reply; what follows it stays in `buffer`.
pub(super) async fn read<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<Reply, SmtpError>
where
    S: AsyncRead + Unpin,
{
    let mut lines = Vec::new();
    loop {
        let line = read_line(stream, buffer).await?;
        let (code, more, text) = parse(&line).ok_or_else(not_smtp)?;
        lines.push(text);
        if !more {
            return Ok(Reply { code, lines });
        }
        if lines.len() >= MAX_LINES {
            return Err(not_smtp());
        }
    }
}

async fn read_line<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<String, SmtpError>
where
    S: AsyncRead + Unpin,
{
    loop {
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&buffer.split_to(end)).into_owned();
            buffer.advance(1);
            return Ok(line.trim_end_matches('\r').to_owned());
        }
        if buffer.len() > MAX_LINE {
            return Err(not_smtp());
        }
        fill(stream, buffer).await?;
    }
}

/// Reads whatever comes next. When the wait is given up nothing is lost.
pub(super) async fn fill<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<(), SmtpError>
where
    S: AsyncRead + Unpin,
{
    match stream.read_buf(buffer).await {
        Ok(0) => Err(SmtpError::lost("the server closed the connection")),
        Ok(_) => Ok(()),
        Err(error) => Err(SmtpError::lost(&error.to_string())),
    }
}

/// Splits a line into its code, whether more follow, and its text.
fn parse(line: &str) -> Option<(u16, bool, String)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    let more = match rest.bytes().next() {
        None | Some(b' ') => false,
        Some(b'-') => true,
        Some(_) => return None,
    };
    Some((code, more, rest.get(1..).unwrap_or_default().to_owned()))
}

fn not_smtp() -> SmtpError {
    SmtpError::new(SmtpErrorKind::Protocol, "the server does not speak SMTP on this port")
}
