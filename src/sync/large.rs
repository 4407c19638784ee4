//! Mails over 25 MB: streamed to the storage; only the header is read, and a defect says so.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio_util::io::ReaderStream;

use super::error::PassError;
use super::pass::Pass;
use super::prepare::{Prepared, incoming};
use super::visit::Work;
use crate::mail;
use crate::messages::{IncomingMail, Skip};
use crate::providers::imap::{ImapConnection, ImapError, ImapErrorKind, LargeMail, UidSet};
use crate::storage::StorageError;

/// The largest mail that is kept at all, in octets.
const LIMIT: u64 = 512 * 1024 * 1024;

/// Octets between the network and the storage.
const BUFFER: usize = 256 * 1024;

impl Pass<'_> {
    /// Streams one mail of which UID and size are known. One that cannot be fetched is set aside, for the error in the answer.
    pub(super) async fn store_large(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        (uid, size): (u32, u64),
        attempts: u32,
    ) -> Result<Option<ImapError>, PassError> {
        match self.carry(connection, work, uid, size).await {
            Err(PassError::Imap(error)) if self.blames_a_mail(&error) => {
                tracing::warn!(account.id = %self.account.id, folder.id = %work.id(), error = %error, "a large mail is set aside");
                self.set_aside(connection, work, (uid, attempts), &error, false).await?;
                Ok(Some(error))
            }
            carried => carried.map(|()| None),
        }
    }

    /// Stores one mail; one that is beyond every limit is set aside for good, one that is gone is passed over.
    async fn carry(
        &self,
        connection: &mut ImapConnection,
        work: &mut Work,
        uid: u32,
        size: u64,
    ) -> Result<(), PassError> {
        let Some(head) = connection.fetch_head(uid).await? else { return Ok(()) };
        let (fetched, raw_ref) = match self.stream(connection, uid, size).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(()),
            Err(PassError::Imap(error)) if error.kind == ImapErrorKind::TooLarge => {
                let skip = self.skip(work, uid, "too_large", Some(error.detail), u32::MAX - 1);
                let skip = Skip { message_id: mail::parse_head(&head).message_id, size: Some(size), ..skip };
                let aside = Prepared { asked: UidSet::one(uid), skips: vec![skip], ..Prepared::default() };
                return self.commit(work, aside, false).await;
            }
            Err(error) => return Err(error),
        };
        let parsed = mail::parse_head(&head);
        let received = fetched.internal_date.or(parsed.received).or(parsed.date);
        let external_id =
            fetched.email_id.unwrap_or_else(|| mail::identity(mail::header_block(&head), fetched.written));
        let mail = incoming(
            work.id(),
            work.generation(),
            uid,
            fetched.flags,
            fetched.mod_seq,
            external_id,
            parsed,
            fetched.written,
        );
        let received_at = received.map_or_else(|| self.parts.clock.now(), Into::into);
        let mail = IncomingMail { received_at, raw_ref: Some(raw_ref), ..mail };
        self.commit(work, Prepared { asked: UidSet::one(uid), mails: vec![mail], ..Prepared::default() }, false).await
    }

    /// Carries a mail from the server into the storage; a transfer that breaks leaves nothing behind.
    async fn stream(
        &self,
        connection: &mut ImapConnection,
        uid: u32,
        size: u64,
    ) -> Result<Option<(LargeMail, String)>, PassError> {
        let (mut writer, reader) = tokio::io::duplex(BUFFER);
        let (whole, ended) = oneshot::channel::<()>();
        let fetching = async move {
            let fetched = connection.fetch_large(uid, size, LIMIT, &mut writer).await;
            if matches!(fetched, Ok(Some(_))) && whole.send(()).is_err() {
                tracing::debug!("the storage gave up before the mail was fetched");
            }
            // The end of the stream; whether it is whole stands in the channel.
            writer.shutdown().await.map_err(StorageError::from)?;
            Ok::<Result<Option<LargeMail>, ImapError>, PassError>(fetched)
        };
        let pieces =
            ReaderStream::with_capacity(reader, BUFFER).map_err(|error| PassError::from(StorageError::from(error)));
        let end = stream::once(async { ended.await.map_err(|_| PassError::Stopped) });
        // Owned by the storage: when that gives up, the pipe breaks and the fetching ends too.
        let pieces = Box::pin(pieces.chain(end.map_ok(|()| Bytes::new())));
        let (fetched, stored) = tokio::join!(fetching, self.parts.storage.put_large(self.account.id, pieces));
        match (fetched, stored) {
            // A pipe that broke is only the consequence of what the storage said.
            (Ok(Err(ImapError { kind: ImapErrorKind::Sink, .. })) | Err(_), Err(error)) => Err(error),
            (fetched, stored) => match fetched?? {
                Some(fetched) => Ok(Some((fetched, stored?))),
                None => Ok(None),
            },
        }
    }
}
