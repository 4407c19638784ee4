//! Reads a large mail piece by piece, so that its size in memory is that of a piece.

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::command::Command;
use super::connection::Use;
use super::fetch::merge;
use super::response::{Fetched, Response};
use super::{ImapConnection, ImapError, ImapErrorKind, LargeMail};

/// The size of a piece, in octets.
const PIECE: u64 = 1024 * 1024;

impl ImapConnection {
    /// Writes a mail to `sink`, a megabyte at a time; none when the mail is gone.
    ///
    /// `size` is the server's claim, which is only a hint. A mail of more than `limit` octets is
    /// given up.
    ///
    /// # Errors
    /// [`ImapErrorKind::TooLarge`] beyond `limit`, [`ImapErrorKind::Sink`] when writing fails,
    /// otherwise as the connection fails.
    pub async fn fetch_large<W>(
        &mut self,
        uid: u32,
        size: u64,
        limit: u64,
        sink: &mut W,
    ) -> Result<Option<LargeMail>, ImapError>
    where
        W: AsyncWrite + Unpin,
    {
        let mut about = Fetched::default();
        let mut written = 0u64;
        loop {
            let Some(mut piece) = self.fetch_piece(uid, written).await? else {
                return Ok(None);
            };
            let body = piece.body.take();
            merge(&mut about, piece);
            let whole = body.as_ref().is_some_and(|body| body.origin.is_none());
            let data = body.and_then(|body| body.data).unwrap_or_default();
            let length = data.len() as u64;
            if whole && written > 0 {
                return Err(ImapError::protocol("the mail server sent the wrong piece of a mail"));
            }
            written += length;
            if written > limit {
                let detail = format!("the mail is larger than {limit} octets");
                return Err(ImapError::new(ImapErrorKind::TooLarge, detail));
            }
            sink.write_all(&data).await.map_err(sink_failed)?;
            // A short piece is the last one, unless the server claimed more: then ask again.
            let at_end = length == 0 || whole || (length < PIECE && written >= size);
            if at_end {
                break;
            }
        }
        sink.flush().await.map_err(sink_failed)?;
        if written == 0 {
            return Ok(None);
        }
        Ok(Some(LargeMail {
            uid,
            flags: about.flags.unwrap_or_default(),
            internal_date: about.internal_date,
            email_id: about.email_id,
            mod_seq: about.mod_seq,
            written,
        }))
    }

    /// One piece; the first brings what else is to be known. None when the mail is gone.
    async fn fetch_piece(&mut self, uid: u32, offset: u64) -> Result<Option<Fetched>, ImapError> {
        let about = match offset {
            0 => format!(" FLAGS INTERNALDATE{}", self.id_items()),
            _ => String::new(),
        };
        let items = format!("(UID{about} BODY.PEEK[]<{offset}.{PIECE}>)");
        let command = Command::new(&format!("UID FETCH {uid} {items}"));
        let mut found: Option<Fetched> = None;
        self.run(command, |response| {
            if let Response::Fetch(data) = response
                && data.uid == Some(uid)
            {
                merge(found.get_or_insert_default(), *data);
                return Ok(Use::Extra);
            }
            Ok(Use::Unasked)
        })
        .await?;
        Ok(found.filter(|data| data.body.is_some()))
    }
}

fn sink_failed(error: std::io::Error) -> ImapError {
    ImapError::new(ImapErrorKind::Sink, format!("the mail could not be written: {error}"))
}
