//! Drafts at Gmail: the version there is brought in step with the one here, and goes when the draft goes.
//!
//! Before a version is written over, it is made sure that it is the one that we know: what another program wrote meanwhile is
//! left alone until sync has taken it over and decided.

use super::find::{Found, version};
use super::{DRAFT, Gmail, sighted};
use crate::messages::{self, Identity, Intake, MailStatus};
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::Draft;
use crate::sending::compose::{DRAFT_MARK, Form};
use crate::sending::model::{DraftBox, Outgoing};
use crate::sending::store::{boxes, load, outcome, queue};
use crate::sending::worker::chores::ChoreError;

/// Tries after which a draft that cannot be found at Gmail any more is made there anew.
const PATIENCE: i32 = 3;

/// The draft at Gmail.
enum Place {
    /// It lies in this box, in the version that we know or in one of ours.
    In(String),
    /// There is none yet.
    None,
    /// Another program changed it, or it is gone: sync has to look first.
    Elsewhere,
}

impl Gmail<'_> {
    /// Brings Gmail's draft in step; answers whether it is.
    pub(in crate::sending::worker) async fn mirror(&mut self, mail: &Outgoing) -> Result<bool, ChoreError> {
        let discarded = queue::is_discarded(&mut self.parts.db.read().await?, mail.id).await?;
        if mail.status != MailStatus::Draft || discarded {
            return self.remove(mail).await;
        }
        if mail.mirrored_revision.is_some_and(|mirrored| mirrored >= mail.revision) {
            return Ok(true);
        }
        if self.folders().await?.is_none() {
            return Ok(false);
        }
        let raw = self.octets(mail, Form::Draft).await?;
        let made = match self.locate(mail).await? {
            Place::In(id) => self.mailbox.update_draft(&id, raw, self.thread(mail).await?.as_deref()).await?,
            Place::None => {
                let pin = self.mailbox.profile().await?.history_id;
                self.keep_box(mail, &DraftBox { pin: Some(pin), ..DraftBox::default() }).await?;
                self.create(mail, raw).await?
            }
            Place::Elsewhere => {
                self.want_sync().await?;
                return Ok(false);
            }
        };
        self.note_version(mail, made).await?;
        Ok(true)
    }

    /// Where the draft is.
    async fn locate(&self, mail: &Outgoing) -> Result<Place, ChoreError> {
        let attempts = outcome::mirror_attempts(&mut self.parts.db.read().await?, mail.id).await?;
        let lost = || if attempts >= PATIENCE { Place::None } else { Place::Elsewhere };
        if let Some(id) = &mail.draft.id {
            match self.mailbox.draft(id).await {
                Ok(draft) if draft.message.id == mail.external_id => return Ok(Place::In(id.clone())),
                Ok(draft) => {
                    // The answer to an update of ours may have been lost.
                    let read = self.mailbox.metadata(&draft.message.id, &[DRAFT_MARK]).await?;
                    let is_ours = version(&read, mail).is_some_and(|revision| Some(revision) > mail.mirrored_revision);
                    return Ok(if is_ours { Place::In(id.clone()) } else { lost() });
                }
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !mail.is_local() {
            return Ok(self.box_of(&mail.external_id).await?.map_or_else(lost, Place::In));
        }
        // The answer to its making may have been lost.
        if let (None, Some(pin)) = (&mail.draft.id, mail.draft.pin)
            && let Found::Draft(message_id) = self.find(mail, pin).await?
            && let Some(id) = self.box_of(&message_id).await?
        {
            return Ok(Place::In(id));
        }
        Ok(Place::None)
    }

    /// Gmail has this version.
    async fn note_version(&self, mail: &Outgoing, made: Draft) -> Result<(), ChoreError> {
        let folders = self.folders().await?.unwrap_or_default();
        let (layout, word) = sighted(&folders, &made.message.id, &[DRAFT.to_owned()]);
        let draft = DraftBox { id: Some(made.id), message_id: None, pin: mail.draft.pin };
        let identity = Identity {
            external_id: made.message.id,
            provider_thread_id: Some(made.message.thread_id),
            message_id: None,
        };
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            boxes::save(tx, mail.id, &draft, now).await?;
            outcome::mirrored(tx, mail.id, mail.revision, now).await?;
            // It may have been discarded or sent while this travelled: then it is removed next.
            let still =
                load::outgoing(tx, &[mail.id]).await?.pop().is_some_and(|mail| mail.status == MailStatus::Draft);
            if !still || queue::is_discarded(tx, mail.id).await? {
                return boxes::discard(tx, mail.id, now).await;
            }
            messages::identify(tx, &self.owner, mail.id, &identity, now).await?;
            messages::place(tx, &self.owner, &layout, vec![word], &Intake::silent(now)).await?;
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Removes the draft of a mail that is none any more, or was discarded; also what is left of one by which it was to be sent.
    async fn remove(&self, mail: &Outgoing) -> Result<bool, ChoreError> {
        let is_on_its_way = matches!(
            mail.status,
            MailStatus::Queued | MailStatus::Scheduled | MailStatus::Sending | MailStatus::Uncertain
        );
        if is_on_its_way && (mail.draft.message_id.is_some() || mail.draft.id.is_none()) {
            return Ok(true);
        }
        let id = match (&mail.draft.id, mail.draft.pin) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(pin)) => match self.find(mail, pin).await? {
                Found::Draft(message_id) => self.box_of(&message_id).await?,
                _ => None,
            },
            (None, None) if !mail.is_local() => self.box_of(&mail.external_id).await?,
            (None, None) => None,
        };
        if let Some(id) = id {
            match self.mailbox.delete_draft(&id).await {
                Ok(()) => {}
                // Another program deleted it, or sent it; sync knows it by its mark.
                Err(error) if error.kind == ProviderErrorKind::NotFound => self.want_sync().await?,
                Err(error) => return Err(error.into()),
            }
        }
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            boxes::save(tx, mail.id, &DraftBox::default(), now).await?;
            for leftover in messages::leftovers(tx, mail.id).await? {
                messages::removed_leftover(tx, leftover.id).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        Ok(true)
    }
}
