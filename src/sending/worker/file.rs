//! Copies of what was sent: looked for, made where the server makes none, and the proof for mails whose fate is not known.

use super::backoff;
use super::mailbox::ChoreError;
use super::session::Session;
use crate::ids::EmailId;
use crate::messages::{self, Evidence, FolderRole, MailStatus};
use crate::providers::imap::{Flag, FlagSet, UidSet};
use crate::sending::compose::Form;
use crate::sending::model::{Action, Outgoing};
use crate::sending::store::{load, outcome};

/// The name of a folder for sent mails where there is none.
const SENT: &str = "Sent";

/// Servers that keep a copy of what is sent through them (providers' own documents).
const KEEP_THEIR_OWN: [&str; 5] = ["gmail.com", "googlemail.com", "office365.com", "outlook.com", "hotmail.com"];

/// How a copy stands.
enum Filed {
    /// It is there, or nothing is to be filed.
    Done,
    /// It is to be looked for again.
    Later,
}

impl Session<'_> {
    /// Sees to the copy of one mail.
    pub(super) async fn file(&mut self, id: EmailId) -> diesel::QueryResult<()> {
        let Some(mail) = load::outgoing(&mut self.parts.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
        let filed = match self.try_file(&mail).await {
            Ok(filed) => filed,
            Err(ChoreError::Database(error)) => return Err(error),
            Err(error) => {
                tracing::info!(account.id = %self.account.id, email.id = %id, %error, "a copy could not be filed now");
                self.drop_broken(&error);
                Filed::Later
            }
        };
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        let attempts = outcome::file_attempts(&mut conn, id).await?;
        let at = match filed {
            Filed::Done => None,
            Filed::Later => backoff::filing(attempts).map(|pause| now + pause),
        };
        outcome::file_later(&mut conn, id, at, now).await?;
        Ok(())
    }

    async fn try_file(&mut self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        match mail.status {
            MailStatus::Sent => {
                let filed = self.file_copy(mail).await?;
                if matches!(filed, Filed::Done)
                    && let Some((Action::Reply, source)) = mail.plan.source
                {
                    self.mark_answered(source).await?;
                }
                Ok(filed)
            }
            MailStatus::Uncertain => self.look_for(mail).await,
            _ => Ok(Filed::Done),
        }
    }

    async fn file_copy(&mut self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        let Some(folder) = self.folder(FolderRole::Sent, SENT).await? else { return Ok(Filed::Later) };
        if self.is_in(&folder.external_id, mail).await? {
            self.want_sync().await?;
            return Ok(Filed::Done);
        }
        if self.account.imap.as_ref().is_some_and(|(server, _)| keeps_its_own(&server.host)) {
            return Ok(Filed::Later);
        }
        self.append(mail, Form::Copy, &folder, &[Flag::Seen]).await?;
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            // Its number is left to the sync: what has one already is not fetched, and would have no original.
            messages::appended(tx, mail.id, folder.id, None, now).await
        })
        .await?;
        drop(conn);
        // The sync brings the identity and the original of what is there now.
        self.want_sync().await?;
        Ok(Filed::Done)
    }

    /// Looks for a mail that may have been sent; finding it is the proof, not finding it is none.
    async fn look_for(&mut self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        let Some(folder) = self.folder(FolderRole::Sent, SENT).await? else { return Ok(Filed::Later) };
        if !self.is_in(&folder.external_id, mail).await? {
            return Ok(Filed::Later);
        }
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            messages::prove_sent(tx, &[mail.id], Evidence::Copy, now).await
        })
        .await?;
        drop(conn);
        self.ring();
        self.want_sync().await?;
        Ok(Filed::Done)
    }

    async fn is_in(&mut self, folder: &str, mail: &Outgoing) -> Result<bool, ChoreError> {
        let connection = self.imap().await?;
        connection.examine(folder).await?;
        Ok(!connection.uid_search_message_id(&mail.message_id).await?.is_empty())
    }

    /// Marks the mail that was answered, here and at the provider.
    async fn mark_answered(&mut self, source: EmailId) -> Result<(), ChoreError> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        outcome::note_answered(&mut conn, source, now).await?;
        let copies = outcome::copies(&mut conn, source, self.account.id).await?;
        drop(conn);
        for (folder, uid, generation) in copies {
            let connection = self.imap().await?;
            let opened = connection.select(&folder).await?;
            if i64::from(opened.uid_validity) == generation
                && let Ok(uid) = u32::try_from(uid)
            {
                let answered = FlagSet { flag: Flag::Answered, on: true };
                connection.store_flags(&UidSet::from_iter([uid]), &answered, None).await?;
            }
        }
        Ok(())
    }
}

fn keeps_its_own(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    KEEP_THEIR_OWN.iter().any(|domain| host == *domain || host.ends_with(&format!(".{domain}")))
}
