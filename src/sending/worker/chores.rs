//! What follows a mail: its copy, the search for one that may have been sent, and drafts at the provider.

use diesel::QueryResult;

use super::arm::Arm;
use super::backoff;
use super::desk::Desk;
use crate::ids::EmailId;
use crate::messages::{self, MailStatus};
use crate::providers::ProviderError;
use crate::providers::imap::ImapError;
use crate::sending::model::Outgoing;
use crate::sending::store::{load, outcome, queue};

/// Tries after which the provider's copy of a draft is left as it is until the draft changes.
const MOST_ATTEMPTS: i32 = 30;

/// How a copy stands.
pub(super) enum Filed {
    /// It is there, or nothing is to be filed.
    Done,
    /// It is to be looked for again.
    Later,
}

/// Why a copy or a draft could not be seen to now.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChoreError {
    /// The database, or a claim that was lost.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// The mailbox over IMAP.
    #[error(transparent)]
    Imap(#[from] ImapError),
    /// The provider's API.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The credentials, or the mail itself.
    #[error("{0}")]
    Unusable(String),
}

/// Sees to the copy of one mail.
pub(super) async fn file(desk: &Desk<'_>, arm: &mut Arm<'_>, id: EmailId) -> QueryResult<()> {
    let Some(mail) = load::outgoing(&mut desk.parts.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
    let filed = match arm.file(&mail).await {
        Ok(filed) => filed,
        Err(ChoreError::Database(error)) => return Err(error),
        Err(error) => {
            tracing::info!(account.id = %desk.account.id, email.id = %id, %error, "a copy could not be seen to now");
            arm.failed(&error);
            Filed::Later
        }
    };
    let now = desk.parts.clock.now();
    let mut conn = desk.parts.db.write().await?;
    let attempts = outcome::file_attempts(&mut conn, id).await?;
    let at = match filed {
        Filed::Done => None,
        Filed::Later => backoff::filing(attempts).map(|pause| now + pause),
    };
    outcome::file_later(&mut conn, id, at, now).await
}

/// Sees to the provider's copy of one draft.
pub(super) async fn mirror(desk: &Desk<'_>, arm: &mut Arm<'_>, id: EmailId) -> QueryResult<()> {
    let Some(mail) = load::outgoing(&mut desk.parts.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
    match arm.mirror(&mail).await {
        Ok(true) => end_mirror(desk, &mail).await,
        Ok(false) => mirror_later(desk, id).await,
        Err(ChoreError::Database(error)) => Err(error),
        Err(error) => {
            tracing::info!(account.id = %desk.account.id, email.id = %id, %error, "a draft could not be mirrored now");
            arm.failed(&error);
            mirror_later(desk, id).await
        }
    }
}

async fn mirror_later(desk: &Desk<'_>, id: EmailId) -> QueryResult<()> {
    let mut conn = desk.parts.db.write().await?;
    let attempts = outcome::mirror_attempts(&mut conn, id).await? + 1;
    let at = (attempts < MOST_ATTEMPTS).then(|| desk.parts.clock.now() + backoff::mirroring(attempts));
    outcome::mirror_later(&mut conn, id, at).await
}

/// Both sides are in step: a discarded draft is gone for good now.
async fn end_mirror(desk: &Desk<'_>, mail: &Outgoing) -> QueryResult<()> {
    let now = desk.parts.clock.now();
    let mut conn = desk.parts.db.write().await?;
    let left = conn
        .transaction(async |tx| {
            desk.parts.accounts.renew_mailer(tx, &desk.claim).await?;
            if mail.status == MailStatus::Draft && queue::is_discarded(tx, mail.id).await? {
                return messages::delete_written(tx, &desk.owner, mail.id, now).await;
            }
            outcome::mirror_done(tx, mail.id, mail.revision).await?;
            Ok(Vec::new())
        })
        .await?;
    drop(conn);
    if let Err(error) = desk.parts.storage.delete_attachments(mail.org, &left).await {
        tracing::warn!(%error, "files of a discarded draft could not be deleted; they stay in the storage");
    }
    Ok(())
}
