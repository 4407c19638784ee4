//! Drafts at the provider: the copy there is brought in step with the one here, and goes when the draft goes.

use super::backoff;
use super::mailbox::ChoreError;
use super::session::Session;
use crate::ids::EmailId;
use crate::messages::{self, FolderRole, MailStatus};
use crate::providers::imap::{Flag, UidSet};
use crate::sending::compose::Form;
use crate::sending::model::Outgoing;
use crate::sending::store::{load, outcome, queue};

/// The name of a folder for drafts where there is none.
const DRAFTS: &str = "Drafts";

/// Tries after which the provider's copy is left as it is until the draft changes.
const MOST_ATTEMPTS: i32 = 30;

impl Session<'_> {
    /// Sees to the provider's copy of one draft.
    pub(super) async fn mirror(&mut self, id: EmailId) -> diesel::QueryResult<()> {
        let Some(mail) = load::outgoing(&mut self.parts.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
        match self.try_mirror(&mail).await {
            Ok(true) => self.end_mirror(&mail).await,
            Ok(false) => self.mirror_later(id).await,
            Err(ChoreError::Database(error)) => Err(error),
            Err(error) => {
                tracing::info!(account.id = %self.account.id, email.id = %id, %error, "a draft could not be mirrored now");
                self.drop_broken(&error);
                self.mirror_later(id).await
            }
        }
    }

    async fn mirror_later(&self, id: EmailId) -> diesel::QueryResult<()> {
        let mut conn = self.parts.db.write().await?;
        let attempts = outcome::mirror_attempts(&mut conn, id).await? + 1;
        let at = (attempts < MOST_ATTEMPTS).then(|| self.parts.clock.now() + backoff::mirroring(attempts));
        outcome::mirror_later(&mut conn, id, at).await
    }

    /// Whether both sides are in step; not yet where the folder for drafts is not known.
    async fn try_mirror(&mut self, mail: &Outgoing) -> Result<bool, ChoreError> {
        let discarded = queue::is_discarded(&mut self.parts.db.read().await?, mail.id).await?;
        let is_behind = mail.mirrored_revision.is_none_or(|mirrored| mirrored < mail.revision);
        if mail.status == MailStatus::Draft && !discarded && is_behind {
            let Some(folder) = self.folder(FolderRole::Drafts, DRAFTS).await? else { return Ok(false) };
            let number = self.append(mail, Form::Draft, &folder, &[Flag::Draft, Flag::Seen]).await?;
            let now = self.parts.clock.now();
            let about = (mail.id, self.account.id, mail.received_at);
            let mut conn = self.parts.db.write().await?;
            conn.transaction(async |tx| {
                self.parts.accounts.renew_mailer(tx, &self.claim).await?;
                outcome::mirrored(tx, mail.id, mail.revision, now).await?;
                // It may have been discarded or sent while the copy was made: then the copy goes again.
                messages::replaced(tx, about, folder.id, number, now).await?;
                let still = load::outgoing(tx, &[mail.id]).await?.pop();
                let gone = queue::is_discarded(tx, mail.id).await?;
                if gone || still.is_none_or(|mail| mail.status != MailStatus::Draft) {
                    messages::withdraw(tx, mail.id, now).await?;
                }
                Ok::<_, diesel::result::Error>(())
            })
            .await?;
            drop(conn);
            if number.is_none() {
                self.want_sync().await?;
            }
        }
        self.remove_leftovers(mail.id).await?;
        Ok(true)
    }

    async fn remove_leftovers(&mut self, id: EmailId) -> Result<(), ChoreError> {
        let leftovers = messages::leftovers(&mut self.parts.db.read().await?, id).await?;
        for leftover in leftovers {
            let connection = self.imap().await?;
            let opened = connection.select(&leftover.folder_name).await?;
            if opened.uid_validity == leftover.number.uid_validity {
                connection.remove(&UidSet::from_iter([leftover.number.uid])).await?;
            }
            messages::removed_leftover(&mut self.parts.db.write().await?, leftover.id).await?;
        }
        Ok(())
    }

    /// Both sides are in step: a discarded draft is gone for good now.
    async fn end_mirror(&self, mail: &Outgoing) -> diesel::QueryResult<()> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        let left = conn
            .transaction(async |tx| {
                self.parts.accounts.renew_mailer(tx, &self.claim).await?;
                if mail.status == MailStatus::Draft && queue::is_discarded(tx, mail.id).await? {
                    return messages::delete_written(tx, &self.owner, mail.id, now).await;
                }
                outcome::mirror_done(tx, mail.id, mail.revision).await?;
                Ok(Vec::new())
            })
            .await?;
        drop(conn);
        if let Err(error) = self.parts.storage.delete_attachments(mail.org, &left).await {
            tracing::warn!(%error, "files of a discarded draft could not be deleted; they stay in the storage");
        }
        Ok(())
    }
}
