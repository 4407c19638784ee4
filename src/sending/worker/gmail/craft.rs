//! The draft by which a mail is sent or kept: its octets, its conversation, and what is on disk about it.

use diesel::{OptionalExtension, QueryResult};
use futures_util::TryStreamExt;

use super::Gmail;
use crate::mail::normalize_subject;
use crate::providers::gmail::Draft;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::sending::compose::{self, BodyError, Form};
use crate::sending::model::{Action, DraftBox, Outgoing};
use crate::sending::store::boxes;
use crate::sending::worker::chores::ChoreError;

impl Gmail<'_> {
    /// The whole mail.
    pub(super) async fn octets(&self, mail: &Outgoing, form: Form) -> Result<Vec<u8>, ChoreError> {
        let built = compose::build(mail, form).map_err(|error| ChoreError::Unusable(error.to_string()))?;
        let mut raw = Vec::with_capacity(usize::try_from(built.size()).unwrap_or_default());
        let mut pieces = compose::octets(&self.parts.storage, mail, &built);
        while let Some(piece) = pieces.try_next().await.map_err(unreadable)? {
            raw.extend_from_slice(&piece);
        }
        Ok(raw)
    }

    /// The conversation that an answer belongs to: that of the mail answered, where it lies in this mailbox and the subject is
    /// the same, for Gmail joins no others.
    pub(super) async fn thread(&self, mail: &Outgoing) -> QueryResult<Option<String>> {
        let Some((Action::Reply, source)) = mail.plan.source else { return Ok(None) };
        let mut conn = self.parts.db.read().await?;
        let found = boxes::conversation(&mut conn, self.account.id, source).await.optional()?;
        let Some((thread, subject)) = found else { return Ok(None) };
        let plain = |subject: &str| normalize_subject(subject).to_lowercase();
        let is_same = plain(&subject.unwrap_or_default()) == plain(&mail.subject);
        Ok(thread.filter(|_| is_same && mail.in_reply_to.is_some()))
    }

    /// Makes a draft, in its conversation where that is still there.
    pub(super) async fn create(&self, mail: &Outgoing, raw: Vec<u8>) -> Result<Draft, ChoreError> {
        let thread = self.thread(mail).await?;
        match self.mailbox.create_draft(raw.clone(), thread.as_deref()).await {
            Err(error) if error.kind == ProviderErrorKind::NotFound && thread.is_some() => {
                Ok(self.mailbox.create_draft(raw, None).await?)
            }
            made => Ok(made?),
        }
    }

    /// Puts on disk what is known of the draft.
    pub(super) async fn keep_box(&self, mail: &Outgoing, draft: &DraftBox) -> QueryResult<()> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            boxes::save(tx, mail.id, draft, now).await
        })
        .await
    }

    /// The box that holds this message now: programs may give a draft another box.
    pub(super) async fn box_of(&self, message_id: &str) -> Result<Option<String>, ProviderError> {
        let mut token: Option<String> = None;
        loop {
            let page = self.mailbox.drafts(None, token.as_deref()).await?;
            if let Some(draft) = page.drafts.into_iter().find(|draft| draft.message.id == message_id) {
                return Ok(Some(draft.id));
            }
            match page.next_page_token {
                Some(next) => token = Some(next),
                None => return Ok(None),
            }
        }
    }
}

fn unreadable(error: BodyError) -> ChoreError {
    match error {
        BodyError::Database(error) => ChoreError::Database(error),
        BodyError::Storage(error) => ChoreError::Provider(ProviderError::new(
            ProviderErrorKind::Unavailable,
            "file_unavailable",
            format!("A file of the mail cannot be read now: {error}."),
        )),
        BodyError::Changed => ChoreError::Unusable(error.to_string()),
    }
}
