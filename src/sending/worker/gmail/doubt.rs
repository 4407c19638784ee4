//! Mails of which it is not known whether they were sent: looked for until that is known, never guessed.

use super::find::Found;
use super::{Gmail, TAKEN};
use crate::clock::Timestamp;
use crate::messages::{self, Identity};
use crate::providers::ProviderErrorKind;
use crate::providers::gmail::MessageState;
use crate::sending::model::{DraftBox, Outgoing};
use crate::sending::store::boxes::{self, Unsent};
use crate::sending::store::outcome;
use crate::sending::worker::chores::{ChoreError, Filed};

/// How long what happened may not show in the mailbox yet. Google names no figure; it is seconds as a rule.
const LAG: chrono::Duration = chrono::Duration::minutes(10);

impl Gmail<'_> {
    /// Sees to a mail that was sent, or looks for one that may have been.
    pub(in crate::sending::worker) async fn file(&mut self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        use crate::messages::MailStatus::{Sent, Uncertain};
        match mail.status {
            Sent if !mail.is_local() => self.learn(mail, &mail.external_id).await,
            // An answer proved it, or another program sent it.
            Sent => match self.look(mail).await? {
                Found::Sent(state) => self.learn(mail, &state.id).await,
                _ => Ok(Filed::Later),
            },
            Uncertain => self.resolve(mail).await,
            _ => Ok(Filed::Done),
        }
    }

    /// While the draft is there, the mail was not sent. When it is gone, the mailbox tells, at once or a little later.
    async fn resolve(&self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        if let Some(id) = &mail.draft.id {
            match self.mailbox.draft(id).await {
                Ok(draft) if Some(&draft.message.id) == mail.draft.message_id.as_ref() => {
                    return self.end(mail, &mail.draft, Unsent::Again).await;
                }
                Ok(_) => return self.end_taken(mail).await,
                Err(error) if error.kind == ProviderErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(message_id) = &mail.draft.message_id
            && let Some(id) = self.box_of(message_id).await?
        {
            let draft = DraftBox { id: Some(id), ..mail.draft.clone() };
            return self.end(mail, &draft, Unsent::Again).await;
        }
        match self.look(mail).await? {
            Found::Sent(state) => self.prove(mail, &state).await,
            Found::Draft(_) => self.end_taken(mail).await,
            Found::Nothing if self.has_settled(mail) => self.end_taken(mail).await,
            Found::Nothing | Found::Unclear => Ok(Filed::Later),
        }
    }

    /// Looks everywhere; among all sent mails too before it is said that there is none.
    async fn look(&self, mail: &Outgoing) -> Result<Found, ChoreError> {
        let found = match mail.draft.pin {
            Some(pin) => self.find(mail, pin).await?,
            None => Found::Nothing,
        };
        match found {
            Found::Nothing if mail.draft.pin.is_none() || self.has_settled(mail) => self.find_sent(mail).await,
            found => Ok(found),
        }
    }

    /// Whether what became of it must show by now.
    fn has_settled(&self, mail: &Outgoing) -> bool {
        mail.handed_at.is_some_and(|at: Timestamp| self.parts.clock.now() >= at + LAG)
    }

    /// It was sent.
    async fn prove(&self, mail: &Outgoing, state: &MessageState) -> Result<Filed, ChoreError> {
        let now = self.parts.clock.now();
        let identity = Identity {
            external_id: state.id.clone(),
            provider_thread_id: Some(state.thread_id.clone()),
            message_id: None,
        };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            messages::identify(tx, &self.owner, mail.id, &identity, now).await?;
            messages::prove_sent(tx, &[mail.id], messages::Evidence::Itself, now).await
        })
        .await?;
        drop(conn);
        self.ring();
        self.learn(mail, &state.id).await
    }

    /// Somebody else changed or deleted the draft, or made a mail of his own of it. What that person wanted came later than
    /// what was wanted here, so nothing is sent by itself.
    async fn end_taken(&self, mail: &Outgoing) -> Result<Filed, ChoreError> {
        self.end(mail, &DraftBox::default(), Unsent::Failed(TAKEN.0, TAKEN.1.to_owned())).await
    }

    async fn end(&self, mail: &Outgoing, draft: &DraftBox, end: Unsent) -> Result<Filed, ChoreError> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            if boxes::end_doubt(tx, self.owner.reference(), mail.id, &end, now).await? {
                boxes::save(tx, mail.id, draft, now).await?;
            }
            Ok::<_, diesel::result::Error>(())
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(Filed::Done)
    }

    /// A mail that is not sent keeps no draft; one that is somebody else's now stays.
    pub(super) async fn discard_box(&self, mail: &Outgoing, is_taken: bool) -> diesel::QueryResult<()> {
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            if is_taken {
                boxes::save(tx, mail.id, &DraftBox::default(), now).await?;
            } else {
                boxes::discard(tx, mail.id, now).await?;
            }
            outcome::unhand(tx, mail.id).await
        })
        .await
    }
}
