//! Gives a mail to the server, and tells for certain what became of it or that this cannot be told.
//!
//! Until the final dot is written the server must not take the mail over (RFC 5321 §4.1.1.4): whatever fails before
//! has done nothing. After it only the server's answer counts.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::io::AsyncWriteExt;

use super::reply::{self, Reply};
use super::stuffing::{Flaw, Stuffing};
use super::{
    DataReply, Delivery, Envelope, RecipientReply, SendError, SmtpConnection, SmtpError, SmtpErrorKind, SmtpReply,
};

/// Commands that go out at once to a server that need not be waited for (RFC 2920).
const TOGETHER: usize = 50;
/// What is written at once.
const PIECE: usize = 16 * 1024;
/// How long a server that hung up may take to let us hear why.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// The service is closing the connection, whatever was asked.
const CLOSING: u16 = 421;

/// How far a mail has come.
enum Stage {
    /// It was refused before its end, and the server awaits another.
    Over(Delivery),
    /// Only the final dot is missing.
    AtEnd(Vec<RecipientReply>),
}

impl SmtpConnection {
    /// Sends a mail.
    ///
    /// `body` is the mail with whole line ends, read piece by piece while it is sent. When all of it is written,
    /// `before_end` is awaited with the answers for the recipients; only after it the final dot is written. It is
    /// not called when the server refuses all recipients or the mail before.
    ///
    /// When the future is dropped on the way, the mail is as good as in [`SendError::Unknown`] if `before_end` had
    /// been called, and else not accepted.
    ///
    /// # Errors
    /// [`SendError`], by whether the mail can have been accepted. The connection takes another mail if
    /// [`Self::is_ready`], as it does after [`SmtpErrorKind::TooLarge`], [`SmtpErrorKind::Utf8NotSupported`] or a
    /// refused MAIL; otherwise it must be dropped.
    pub async fn send<E>(
        &mut self,
        envelope: &Envelope,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
        before_end: impl AsyncFnOnce(&[RecipientReply]) -> Result<(), E>,
    ) -> Result<Delivery, SendError<E>> {
        let most = self.limits.transaction;
        let recipients = match tokio::time::timeout(most, self.until_end(envelope, body)).await {
            Ok(Ok(Stage::AtEnd(recipients))) => recipients,
            Ok(Ok(Stage::Over(delivery))) => return Ok(delivery),
            Ok(Err(error)) => return Err(error),
            Err(_elapsed) => return Err(SendError::BeforeEnd(SmtpError::slow())),
        };
        before_end(&recipients).await.map_err(SendError::Caller)?;
        // It may have taken its time.
        self.nothing_was_said().await.map_err(SendError::BeforeEnd)?;
        let data = self.end().await.map_err(SendError::Unknown)?;
        Ok(Delivery { recipients, data: Some(data) })
    }

    /// Makes sure that the server awaits a new mail.
    ///
    /// # Errors
    /// As the connection fails; it must be dropped then.
    pub async fn reset(&mut self) -> Result<(), SmtpError> {
        self.must_be_ready()?;
        self.forget().await
    }

    async fn until_end<E>(
        &mut self,
        envelope: &Envelope,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Stage, SendError<E>> {
        let recipients = self.announce(envelope).await.map_err(SendError::BeforeEnd)?;
        if !recipients.iter().any(SmtpReply::is_accepted) {
            self.forget_quietly().await;
            return Ok(Stage::Over(Delivery { recipients, data: None }));
        }
        let go_ahead = self.ask("DATA", self.limits.data).await.map_err(SendError::BeforeEnd)?;
        match go_ahead.code {
            300..400 => {}
            CLOSING => return Err(SendError::BeforeEnd(SmtpError::refused(&go_ahead))),
            400..600 => {
                self.forget_quietly().await;
                return Ok(Stage::Over(Delivery { recipients, data: Some(SmtpReply::from(&go_ahead)) }));
            }
            _ => return Err(SendError::BeforeEnd(unasked())),
        }
        self.write_body(envelope.smtputf8, body).await?;
        Ok(Stage::AtEnd(recipients))
    }

    /// Tells from whom and to whom the mail is, and gives the answers for the recipients.
    async fn announce(&mut self, envelope: &Envelope) -> Result<Vec<RecipientReply>, SmtpError> {
        let mail = envelope.mail(&self.capabilities)?;
        self.must_be_ready()?;
        self.ready = false;
        self.nothing_was_said().await?;
        let server = self.capabilities;
        let recipients = envelope.recipients.iter().map(|recipient| Envelope::rcpt(recipient, &server));
        let commands: Vec<String> = std::iter::once(mail).chain(recipients).collect();
        let mut answers = Vec::with_capacity(commands.len());
        for group in commands.chunks(if server.pipelining { TOGETHER } else { 1 }) {
            self.write_lines(group).await?;
            for left in (0..group.len()).rev() {
                let answer = self.reply(self.limits.envelope).await?;
                if answer.code == CLOSING {
                    return Err(SmtpError::refused(&answer));
                }
                if answers.is_empty() && !answer.is_positive() {
                    self.leave_refused(left).await;
                    return Err(SmtpError::refused(&answer));
                }
                if (300..400).contains(&answer.code) {
                    return Err(unasked());
                }
                answers.push(answer);
            }
        }
        Ok(answers.iter().skip(1).map(SmtpReply::from).collect())
    }

    /// After a refused MAIL: hears out what was asked along with it.
    async fn leave_refused(&mut self, unheard: usize) {
        for _ in 0..unheard {
            if self.reply(self.limits.envelope).await.is_err() {
                return;
            }
        }
        self.forget_quietly().await;
    }

    async fn write_body<E>(
        &mut self,
        eight_bit: bool,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), SendError<E>> {
        let unfit = |flaw: Flaw| {
            let detail = format!("the mail cannot be sent as it is: {flaw}");
            SendError::BeforeEnd(SmtpError::new(SmtpErrorKind::InvalidMail, detail))
        };
        let mut stuffing = Stuffing::new(eight_bit);
        let mut out = BytesMut::with_capacity(2 * PIECE);
        while let Some(piece) = body.next().await {
            for part in piece.map_err(SendError::Caller)?.chunks(PIECE) {
                stuffing.push(part, &mut out).map_err(unfit)?;
                if out.len() >= PIECE {
                    self.write_piece(&out).await.map_err(SendError::BeforeEnd)?;
                    out.clear();
                }
            }
        }
        stuffing.finish(&mut out).map_err(unfit)?;
        self.write_piece(&out).await.map_err(SendError::BeforeEnd)
    }

    /// Writes a piece of the mail, and listens meanwhile: a server that speaks now reads no further.
    async fn write_piece(&mut self, piece: &[u8]) -> Result<(), SmtpError> {
        if self.buffer.is_empty() {
            let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
            let writing = tokio::time::timeout(self.limits.stall, async {
                writer.write_all(piece).await?;
                writer.flush().await
            });
            let failed = tokio::select! {
                biased;
                heard = reply::fill(&mut reader, &mut self.buffer) => heard.err(),
                written = writing => match written {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(error)) => Some(SmtpError::lost(&error.to_string())),
                    Err(_elapsed) => Some(SmtpError::slow()),
                },
            };
            if let Some(error) = failed {
                return Err(self.explain(error).await);
            }
        }
        self.nothing_was_said().await
    }

    /// Writes the final dot and reads what the server makes of the mail. Any error leaves that open.
    async fn end(&mut self) -> Result<DataReply, SmtpError> {
        let answer = match self.write(b".\r\n", self.limits.stall).await {
            Ok(()) => self.reply(self.limits.end).await?,
            // A refusal is one, whether it was said before the dot came or after.
            Err(error) => self.last_words().await.filter(|words| words.code >= 400).ok_or(error)?,
        };
        if (300..400).contains(&answer.code) {
            return Err(unasked());
        }
        self.ready = answer.code != CLOSING && self.buffer.is_empty();
        Ok(SmtpReply::from(&answer))
    }

    fn must_be_ready(&self) -> Result<(), SmtpError> {
        if self.ready { Ok(()) } else { Err(SmtpError::lost("an earlier mail was given up on it")) }
    }

    /// Ends whatever was begun.
    async fn forget(&mut self) -> Result<(), SmtpError> {
        self.ready = false;
        self.nothing_was_said().await?;
        let answer = self.ask("RSET", self.limits.envelope).await?;
        if !answer.is_positive() {
            return Err(SmtpError::refused(&answer));
        }
        self.ready = true;
        Ok(())
    }

    /// As [`Self::forget`], where the answer for the mail is known already.
    async fn forget_quietly(&mut self) {
        if let Err(error) = self.forget().await {
            tracing::trace!(%error, "an SMTP connection is no good for another mail");
        }
    }

    async fn ask(&mut self, command: &str, wait: Duration) -> Result<Reply, SmtpError> {
        self.write_lines(&[command]).await?;
        self.reply(wait).await
    }

    async fn write_lines(&mut self, lines: &[impl AsRef<str>]) -> Result<(), SmtpError> {
        let text: String = lines.iter().flat_map(|line| [line.as_ref(), "\r\n"]).collect();
        match self.write(text.as_bytes(), self.limits.stall).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Makes sure that nothing waits to be read, for it would be taken for the answer to what is asked next. A server
    /// that speaks unasked closes the connection, refuses a mail in its middle, or is not to be trusted.
    async fn nothing_was_said(&mut self) -> Result<(), SmtpError> {
        if self.buffer.is_empty() {
            match reply::fill(&mut self.stream, &mut self.buffer).now_or_never() {
                None => return Ok(()),
                Some(read) => read?,
            }
        }
        let answer = self.reply(self.limits.reply).await?;
        Err(if answer.code >= 400 { SmtpError::refused(&answer) } else { unasked() })
    }

    /// A server that said why it takes no more is not simply lost.
    async fn explain(&mut self, error: SmtpError) -> SmtpError {
        if error.kind != SmtpErrorKind::ConnectionLost {
            return error;
        }
        let words = self.last_words().await.filter(|words| words.code >= 400);
        words.map_or(error, |words| SmtpError::refused(&words))
    }

    async fn last_words(&mut self) -> Option<Reply> {
        let reading = reply::read(&mut self.stream, &mut self.buffer);
        tokio::time::timeout(LAST_WORDS, reading).await.ok()?.ok()
    }
}

fn unasked() -> SmtpError {
    SmtpError::new(SmtpErrorKind::Protocol, "the server for outgoing mail gave an answer that does not fit")
}
