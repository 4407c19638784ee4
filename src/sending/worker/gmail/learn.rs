//! What Gmail made of a mail that was sent: its Message-ID, which Gmail may have replaced, its labels, its conversation and its
//! original.

use diesel::QueryResult;

use super::{Gmail, sighted};
use crate::ids::FolderId;
use crate::mail;
use crate::messages::{self, IncomingMail, Intake};
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::RawMessage;
use crate::sending::model::{Action, Outgoing};
use crate::sending::store::outcome;
use crate::sending::worker::chores::{ChoreError, Filed};
use crate::storage::{Compressor, StorageError};

impl Gmail<'_> {
    /// Reads it again right after it was sent; when that fails, it is due to be read later.
    pub(super) async fn learn_now(&self, mail: &Outgoing, id: &str) -> QueryResult<()> {
        let now = self.parts.clock.now();
        match self.learn(mail, id).await {
            Ok(Filed::Done) => outcome::file_later(&mut self.parts.db.write().await?, mail.id, None, now).await,
            Ok(Filed::Later) => Ok(()),
            Err(ChoreError::Database(error)) => Err(error),
            Err(error) => {
                tracing::info!(account.id = %self.account.id, email.id = %mail.id, %error, "a sent mail could not be read again now");
                Ok(())
            }
        }
    }

    /// Reads a sent mail again and takes over what it is now.
    pub(super) async fn learn(&self, mail: &Outgoing, id: &str) -> Result<Filed, ChoreError> {
        let Some(folders) = self.folders().await? else { return Ok(Filed::Later) };
        let read = self.mailbox.raw(&[id.to_owned()]).await.pop();
        let raw = match read {
            Some((_, Ok(raw))) => raw,
            // Deleted meanwhile; sync tells.
            Some((_, Err(error))) if error.kind == ProviderErrorKind::NotFound => return Ok(Filed::Done),
            Some((_, Err(error))) => return Err(error.into()),
            None => return Ok(Filed::Later),
        };
        let (layout, word) = sighted(&folders, id, &raw.label_ids);
        let copy = self.kept(raw).await?;
        let now = self.parts.clock.now();
        let silent = Intake::silent(now);
        let news = Intake { told: true, ..silent };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            messages::adopt_sent(tx, &self.owner, mail.id, &copy, &news).await?;
            messages::place(tx, &self.owner, &layout, vec![word], &silent).await?;
            if let Some((Action::Reply, source)) = mail.plan.source {
                outcome::note_answered(tx, source, now).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(Filed::Done)
    }

    /// The mail as read, its original stored.
    async fn kept(&self, raw: RawMessage) -> Result<IncomingMail, ChoreError> {
        let (octets, size) = (raw.raw.clone(), raw.raw.len() as u64);
        let read = tokio::task::spawn_blocking(move || {
            let frame = Compressor::new().and_then(|mut compressor| compressor.frame(&octets));
            frame.map(|frame| (mail::parse(&octets), frame))
        });
        let unusable = |error: &dyn std::fmt::Display| ChoreError::Unusable(error.to_string());
        let (parsed, frame) =
            read.await.map_err(|error| unusable(&error))?.map_err(|error| unusable(&StorageError::from(error)))?;
        let refs = self.parts.storage.put_pack(self.account.id, vec![frame]).await.map_err(|error| unusable(&error))?;
        Ok(IncomingMail {
            folder: FolderId::from_uuid(uuid::Uuid::nil()),
            uid: 0,
            uid_validity: 0,
            mod_seq: None,
            is_read: true,
            is_starred: false,
            is_answered: false,
            is_draft: false,
            received_at: raw.internal_date.map_or_else(|| self.parts.clock.now(), Into::into),
            external_id: raw.id,
            provider_thread_id: Some(raw.thread_id),
            replaces: None,
            parsed,
            raw_ref: refs.into_iter().next(),
            raw_size: size,
        })
    }
}
