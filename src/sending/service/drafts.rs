//! Drafts: saved as they are written, refused when somebody else was faster, mirrored at the provider.

use chrono::Duration;

use super::prepare::Kind;
use super::{Sending, audit};
use crate::access::{Access, Scope};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::ids::EmailId;
use crate::messages::{self, FolderRole, MailStatus, MessageDetail};
use crate::outbox::{self, Fact};
use crate::sending::dto::MailInput;
use crate::sending::model::Outgoing;
use crate::sending::store::write::{self, Due};
use crate::sending::store::{folder_of, load, outcome};

/// How long after a change the provider's copy is brought in step: people go on writing.
const MIRROR: Duration = Duration::seconds(3);

/// What can be written on: a draft, and what was called back or failed.
const EDITABLE: [MailStatus; 3] = [MailStatus::Draft, MailStatus::Cancelled, MailStatus::Failed];

/// Somebody else was faster.
pub(super) fn changed() -> ApiError {
    ApiError::new(
        ErrorCode::PreconditionFailed,
        "The draft was changed elsewhere meanwhile. Read it again, then save what you want to keep.",
    )
}

impl Sending {
    /// Keeps a new draft.
    pub(in crate::sending) async fn create_draft(&self, access: &Access, input: MailInput) -> ApiResult<MessageDetail> {
        access.require(Scope::Send)?;
        no_schedule(&input)?;
        let prepared = self.prepare(access, input, Kind::Draft, None).await?;
        let (id, now) = (EmailId::new(), self.clock.now());
        let mut conn = self.db.write().await?;
        let saved: ApiResult<()> = conn
            .transaction(async |tx| {
                let owner = &prepared.owner;
                let thread = messages::write_mail(tx, owner, id, prepared.written(MailStatus::Draft, now), now).await?;
                let due = Due { send: None, mirror: Some(now + MIRROR) };
                write::insert(tx, (id, owner.account), &prepared.plan, due, None, now).await?;
                if let Some(folder) = folder_of(tx, owner.account, FolderRole::Drafts).await? {
                    messages::expect_in(tx, (id, owner.account, now), folder.id, now).await?;
                }
                let fact = Fact::email_updated(owner.reference(), id, Some(thread), &["status"]);
                outbox::record(tx, vec![fact], now).await?;
                audit(tx, access, "draft.created", id, now).await
            })
            .await;
        drop(conn);
        saved?;
        self.ring(&prepared.owner);
        self.messages.detail(access, id).await
    }

    /// Writes a draft anew; `expected` is the version that the writer has read.
    pub(in crate::sending) async fn save_draft(
        &self,
        access: &Access,
        id: EmailId,
        expected: Option<i64>,
        input: MailInput,
    ) -> ApiResult<MessageDetail> {
        access.require(Scope::Send)?;
        no_schedule(&input)?;
        let draft = self.draft(access, id).await?;
        let revision = expected.unwrap_or(draft.revision);
        if revision != draft.revision {
            return Err(changed());
        }
        if input.account_id != draft.account {
            let detail = "a draft stays in its mailbox; make a new one in the other";
            return Err(ApiError::invalid("account_id", detail));
        }
        let prepared = self.prepare(access, input, Kind::Draft, Some(&draft)).await?;
        let now = self.clock.now();
        // Already due means that the writer is still at it: the first change decides.
        let due = Due { send: None, mirror: Some(draft.mirror_due_at.unwrap_or(now + MIRROR)) };
        let mut conn = self.db.write().await?;
        let saved: ApiResult<()> = conn
            .transaction(async |tx| {
                if write::update(tx, id, revision, &prepared.plan, due, now).await?.is_none() {
                    return Err(changed());
                }
                let owner = &prepared.owner;
                messages::rewrite_mail(tx, owner, id, prepared.written(MailStatus::Draft, draft.received_at), now)
                    .await?;
                write::set_scheduled_at(tx, id, None).await?;
                if let Some(folder) = folder_of(tx, owner.account, FolderRole::Drafts).await? {
                    messages::expect_in(tx, (id, owner.account, draft.received_at), folder.id, now).await?;
                }
                let thread = outcome::thread_of(tx, id).await?;
                let fact = Fact::email_updated(owner.reference(), id, thread, &["body"]);
                Ok(outbox::record(tx, vec![fact], now).await?)
            })
            .await;
        drop(conn);
        saved?;
        self.ring(&prepared.owner);
        self.messages.detail(access, id).await
    }

    /// Discards a draft, here and at the provider.
    pub(in crate::sending) async fn discard_draft(&self, access: &Access, id: EmailId) -> ApiResult<()> {
        access.require(Scope::Send)?;
        let draft = self.draft(access, id).await?;
        let owner = self.owner(access, draft.account).await?;
        let now = self.clock.now();
        let mut conn = self.db.write().await?;
        let left: ApiResult<Vec<String>> = conn
            .transaction(async |tx| {
                let thread = outcome::thread_of(tx, id).await?;
                let fact = Fact::email_deleted(owner.reference(), id, thread);
                outbox::record(tx, vec![fact], now).await?;
                audit(tx, access, "draft.discarded", id, now).await?;
                messages::withdraw(tx, id, now).await?;
                if messages::leftovers(tx, id).await?.is_empty() && draft.mirrored_revision.is_none() {
                    return Ok(messages::delete_written(tx, &owner, id, now).await?);
                }
                write::hide(tx, id, now).await?;
                messages::refresh_threads(tx, &[id], now).await?;
                write::set_mirror_due(tx, id, now).await?;
                Ok(Vec::new())
            })
            .await;
        drop(conn);
        let left = left?;
        self.ring(&owner);
        if let Err(error) = self.storage.delete_attachments(access.org, &left).await {
            tracing::warn!(%error, "files of a discarded draft could not be deleted; they stay in the storage");
        }
        Ok(())
    }

    /// A draft of the caller; one that another program wrote becomes one that can be written on here.
    pub(super) async fn draft(&self, access: &Access, id: EmailId) -> ApiResult<Outgoing> {
        let found = load::of(&mut self.db.read().await?, access, id).await?;
        let draft = match found {
            Some(draft) => draft,
            None => {
                // Refuses somebody else's mail.
                let mail = self.messages.message(access, id).await?;
                if mail.status != MailStatus::Draft.as_str() {
                    return Err(no_draft());
                }
                write::adopt(&mut self.db.write().await?, id, mail.account_id, self.clock.now()).await?;
                self.own(access, id).await?
            }
        };
        if EDITABLE.contains(&draft.status) && draft.handed_at.is_none() { Ok(draft) } else { Err(no_draft()) }
    }
}

fn no_draft() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "It is no draft any more. Call it back first, if it has not left.")
}

fn no_schedule(input: &MailInput) -> ApiResult<()> {
    match input.scheduled_at {
        Some(_) => Err(ApiError::invalid("scheduled_at", "a draft is scheduled when it is sent")),
        None => Ok(()),
    }
}
