//! Hands mails over, each once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diesel::QueryResult;
use futures_util::future::join_all;

use super::find::Found;
use super::{Gmail, TAKEN, UNCERTAIN};
use crate::clock::Timestamp;
use crate::ids::EmailId;
use crate::messages::{Identity, MailStatus};
use crate::providers::gmail::MessageState;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::sending::compose::Form;
use crate::sending::model::{Delivered, DraftBox, Outgoing};
use crate::sending::store::outcome::{self, RecipientResult};
use crate::sending::worker::backoff::{MOST_ATTEMPTS, pause};
use crate::sending::worker::chores::ChoreError;
use crate::sending::worker::conclusion::{Conclusion, given_up, sentence, waits};

/// Mails that are handed over side by side.
const HANDS: usize = 3;

/// Pauses before the same draft is sent again within one attempt.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How long nothing is sent when Gmail says that enough was sent and not until when.
const REST: chrono::Duration = chrono::Duration::hours(1);

/// When a mail is first looked for that may have been sent.
const FIRST_LOOK: chrono::Duration = chrono::Duration::seconds(5);

/// How an attempt ended.
enum Attempt {
    /// It was sent and is this.
    Sent(MessageState),
    /// It is not sent, for this reason.
    Failed(&'static str, String),
    /// It may have been sent.
    Unknown,
    /// It was not sent for now.
    Waits(ProviderError),
    /// Somebody else ended it.
    Settled,
}

/// Why no more mails are tried for now.
type Trouble = (ProviderError, Timestamp);

impl Gmail<'_> {
    /// Hands over mails that were begun; those that cannot be tried for now are put back.
    pub(in crate::sending::worker) async fn deliver(&mut self, mails: Vec<Outgoing>) -> QueryResult<()> {
        let this = &*self;
        // Before any draft is made: whatever becomes of these mails stands in the history after this place.
        let pinned = this.mailbox.profile().await;
        let hands = mails.len().min(HANDS);
        let queue = Mutex::new(VecDeque::from(mails));
        let mut trouble: Option<Trouble> = None;
        match pinned {
            Ok(profile) => {
                let work = (0..hands).map(|_| this.work_off(&queue, profile.history_id));
                for ended in join_all(work).await {
                    trouble = trouble.or(ended?);
                }
            }
            Err(error) => {
                let attempts = lock(&queue).iter().map(|mail| mail.attempts).max().unwrap_or(1);
                let until = this.until(&error, attempts);
                trouble = Some((error, until));
            }
        }
        let left: Vec<EmailId> = lock(&queue).drain(..).map(|mail| mail.id).collect();
        match trouble {
            Some((error, until)) => {
                this.put_back(&left, until, Some((error.code, &waits(&error.detail)))).await?;
                this.parts.accounts.hold_mail(this.account.id, Some(until)).await
            }
            None => this.put_back(&left, this.parts.clock.now(), None).await,
        }
    }

    async fn work_off(&self, queue: &Mutex<VecDeque<Outgoing>>, pin: u64) -> QueryResult<Option<Trouble>> {
        loop {
            let Some(mail) = lock(queue).pop_front() else { return Ok(None) };
            let attempt = match self.attempt(&mail, pin).await {
                Ok(attempt) => attempt,
                Err(ChoreError::Database(error)) => return Err(error),
                Err(ChoreError::Provider(error)) => Attempt::Waits(error),
                Err(error) => Attempt::Failed("message_invalid", format!("The mail cannot be sent: {error}.")),
            };
            if let Some(trouble) = self.settle(&mail, attempt).await? {
                return Ok(Some(trouble));
            }
        }
    }

    async fn attempt(&self, mail: &Outgoing, pin: u64) -> Result<Attempt, ChoreError> {
        if let Some(why) = self.refuses_author(mail).await? {
            return Ok(Attempt::Failed("sender_refused", why));
        }
        let draft = match self.open_box(mail, pin).await? {
            Ok(draft) => draft,
            Err(attempt) => return Ok(attempt),
        };
        if !self.hand(mail).await? {
            return Ok(Attempt::Settled);
        }
        self.send(mail, &draft).await
    }

    /// Gmail would quietly write the mailbox's own address over one that it does not permit.
    async fn refuses_author(&self, mail: &Outgoing) -> Result<Option<String>, ChoreError> {
        if mail.from.address.eq_ignore_ascii_case(&self.account.email_address) {
            return Ok(None);
        }
        let senders = self.mailbox.send_as().await?;
        let is_permitted =
            senders.iter().any(|one| one.is_verified && one.address.eq_ignore_ascii_case(&mail.from.address));
        Ok((!is_permitted).then(|| {
            format!(
                "Gmail does not send from {}. Add it in Gmail under Settings, Accounts, \"Send mail as\", and confirm it; then \
                 try again.",
                mail.from.address
            )
        }))
    }

    /// The draft by which the mail is sent, on disk: the one of an earlier attempt where it is still there, else a new one.
    async fn open_box(&self, mail: &Outgoing, pin: u64) -> Result<Result<DraftBox, Attempt>, ChoreError> {
        let known = &mail.draft;
        match (&known.id, &known.message_id, known.pin) {
            (None, _, None) => self.make(mail, pin).await,
            (None, _, Some(pinned)) => match self.find(mail, pinned).await? {
                Found::Sent(state) => Ok(Err(Attempt::Sent(state))),
                Found::Draft(message_id) => match self.box_of(&message_id).await? {
                    Some(id) => self.found_box(mail, id, message_id, pinned).await,
                    None => self.make(mail, pin).await,
                },
                Found::Nothing | Found::Unclear => self.make(mail, pin).await,
            },
            // A draft that was only kept there until now: it must not be sent as well.
            (Some(id), None, _) => match self.mailbox.delete_draft(id).await {
                Ok(()) => self.make(mail, pin).await,
                Err(error) if error.kind == ProviderErrorKind::NotFound => self.make_unless_sent(mail, pin).await,
                Err(error) => Err(error.into()),
            },
            (Some(id), Some(message_id), pinned) => match self.mailbox.draft(id).await {
                Ok(draft) if draft.message.id == *message_id => Ok(Ok(known.clone())),
                Ok(_) => Ok(Err(taken())),
                Err(error) if error.kind == ProviderErrorKind::NotFound => {
                    self.reopen(mail, message_id, (pinned, pin)).await
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The box of an earlier attempt is gone, and nothing was sent from it that we know of.
    async fn reopen(
        &self,
        mail: &Outgoing,
        message_id: &str,
        (pinned, pin): (Option<u64>, u64),
    ) -> Result<Result<DraftBox, Attempt>, ChoreError> {
        if let Some(id) = self.box_of(message_id).await? {
            return self.found_box(mail, id, message_id.to_owned(), pinned.unwrap_or(pin)).await;
        }
        let Some(pinned) = pinned else {
            // A person wants it sent, whatever became of it.
            return self.make(mail, pin).await;
        };
        Ok(Err(match self.find(mail, pinned).await? {
            Found::Sent(state) => Attempt::Sent(state),
            Found::Draft(_) => taken(),
            // What became of it may not show yet.
            Found::Nothing | Found::Unclear => Attempt::Unknown,
        }))
    }

    /// Makes the draft unless the one that was kept at Gmail was sent with another program.
    async fn make_unless_sent(&self, mail: &Outgoing, pin: u64) -> Result<Result<DraftBox, Attempt>, ChoreError> {
        let known = self.parts.accounts.cursor(self.account.id).await?.history_id;
        if let Some(known) = known
            && let Found::Sent(state) = self.find(mail, known).await?
        {
            return Ok(Err(Attempt::Sent(state)));
        }
        self.make(mail, pin).await
    }

    async fn found_box(
        &self,
        mail: &Outgoing,
        id: String,
        message_id: String,
        pin: u64,
    ) -> Result<Result<DraftBox, Attempt>, ChoreError> {
        let draft = DraftBox { id: Some(id), message_id: Some(message_id), pin: Some(pin) };
        self.keep_box(mail, &draft).await?;
        Ok(Ok(draft))
    }

    /// Makes the draft. That it may be there is on disk before it is.
    async fn make(&self, mail: &Outgoing, pin: u64) -> Result<Result<DraftBox, Attempt>, ChoreError> {
        let raw = self.octets(mail, Form::Marked).await?;
        self.keep_box(mail, &DraftBox { pin: Some(pin), ..DraftBox::default() }).await?;
        match self.create(mail, raw).await {
            Ok(draft) => self.found_box(mail, draft.id, draft.message.id, pin).await,
            Err(ChoreError::Provider(error)) if error.may_be_done => match self.find(mail, pin).await {
                Ok(Found::Sent(state)) => Ok(Err(Attempt::Sent(state))),
                Ok(Found::Draft(message_id)) => match self.box_of(&message_id).await? {
                    Some(id) => self.found_box(mail, id, message_id, pin).await,
                    None => Err(error.into()),
                },
                // The next attempt looks again.
                Ok(Found::Nothing | Found::Unclear) | Err(ChoreError::Provider(_)) => Err(error.into()),
                Err(other) => Err(other),
            },
            Err(error) => {
                self.keep_box(mail, &DraftBox::default()).await?;
                match error {
                    ChoreError::Provider(error) if is_about_the_mail(&error) => {
                        Ok(Err(Attempt::Failed(error.code, sentence(&error.detail))))
                    }
                    error => Err(error),
                }
            }
        }
    }

    /// Notes, on disk, that the mail is about to be sent; not when somebody proved meanwhile that it was.
    async fn hand(&self, mail: &Outgoing) -> QueryResult<bool> {
        let now = self.parts.clock.now();
        let handed = results(mail, Delivered::Handed);
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            if !outcome::is_sending(tx, mail.id).await? {
                return Ok(false);
            }
            outcome::save_results(tx, &handed).await?;
            outcome::note_handed(tx, mail.id, now).await?;
            Ok(true)
        })
        .await
    }

    /// Sends the draft. When no answer comes and it is still there, it was not sent, and it is sent again: of the same draft two
    /// mails can never come.
    async fn send(&self, mail: &Outgoing, draft: &DraftBox) -> Result<Attempt, ChoreError> {
        let id = draft.id.as_deref().unwrap_or_default();
        for again in AGAIN.into_iter().map(Some).chain([None]) {
            let error = match self.mailbox.send_draft(id).await {
                Ok(state) => return Ok(Attempt::Sent(state)),
                Err(error) => error,
            };
            if !error.may_be_done && error.kind != ProviderErrorKind::NotFound {
                return Ok(match is_about_the_mail(&error) {
                    true => Attempt::Failed(error.code, sentence(&error.detail)),
                    false => Attempt::Waits(error),
                });
            }
            match self.mailbox.draft(id).await {
                Ok(there) if Some(&there.message.id) != draft.message_id.as_ref() => return Ok(taken()),
                Ok(_) => {}
                Err(gone) if gone.kind == ProviderErrorKind::NotFound => return self.gone(mail, draft).await,
                Err(_) => return Ok(Attempt::Unknown),
            }
            match again {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Ok(Attempt::Waits(ProviderError { may_be_done: false, ..error })),
            }
        }
        Ok(Attempt::Unknown)
    }

    /// The draft is gone: it was sent, or somebody else had a hand in it.
    async fn gone(&self, mail: &Outgoing, draft: &DraftBox) -> Result<Attempt, ChoreError> {
        let Some(pin) = draft.pin else { return Ok(Attempt::Unknown) };
        match self.find(mail, pin).await {
            Ok(Found::Sent(state)) => Ok(Attempt::Sent(state)),
            Ok(_) | Err(ChoreError::Provider(_)) => Ok(Attempt::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Writes down what became of a mail. Answers why no more are tried.
    async fn settle(&self, mail: &Outgoing, attempt: Attempt) -> QueryResult<Option<Trouble>> {
        match attempt {
            Attempt::Settled => Ok(None),
            Attempt::Sent(state) => self.sent(mail, state).await.map(|()| None),
            Attempt::Failed(code, why) => {
                let refused = results(mail, Delivered::Refused);
                self.conclude(mail, Conclusion { results: refused, ..Conclusion::failed(code, why) }).await?;
                self.discard_box(mail, code == TAKEN.0).await.map(|()| None)
            }
            Attempt::Unknown => {
                tracing::warn!(account.id = %self.account.id, email.id = %mail.id, "Gmail did not say whether a mail was sent");
                // From now on counts how long what happened may not show.
                if !self.hand(mail).await? {
                    return Ok(None);
                }
                let (code, words) = UNCERTAIN;
                self.conclude(mail, Conclusion::uncertain(code, words, FIRST_LOOK)).await.map(|()| None)
            }
            Attempt::Waits(error) => self.wait(mail, error).await,
        }
    }

    async fn sent(&self, mail: &Outgoing, state: MessageState) -> QueryResult<()> {
        let identity = Identity {
            external_id: state.id.clone(),
            provider_thread_id: Some(state.thread_id.clone()),
            message_id: None,
        };
        let conclusion = Conclusion {
            results: results(mail, Delivered::Accepted),
            look_after: Some(chrono::Duration::zero()),
            identity: Some(identity),
            ..Conclusion::of(MailStatus::Sent)
        };
        self.conclude(mail, conclusion).await?;
        self.learn_now(mail, &state.id).await
    }

    async fn wait(&self, mail: &Outgoing, error: ProviderError) -> QueryResult<Option<Trouble>> {
        tracing::info!(account.id = %self.account.id, email.id = %mail.id, %error, "mail waits: it cannot be handed over now");
        let is_trouble = is_about_the_mailbox(&error);
        if mail.attempts >= MOST_ATTEMPTS {
            self.conclude(mail, Conclusion::failed(error.code, given_up(&error.detail))).await?;
            self.discard_box(mail, false).await?;
            let now = self.parts.clock.now();
            return Ok(is_trouble.then_some((error, now)));
        }
        let until = self.until(&error, mail.attempts);
        self.put_back(&[mail.id], until, Some((error.code, &waits(&error.detail)))).await?;
        Ok(is_trouble.then_some((error, until)))
    }

    /// When the next try is made.
    fn until(&self, error: &ProviderError, attempts: i32) -> Timestamp {
        let told = error.retry_after.and_then(|wait| chrono::Duration::from_std(wait).ok());
        let wait = match error.kind {
            ProviderErrorKind::SendingLimit => told.unwrap_or(REST),
            _ => told.unwrap_or_else(|| pause(attempts)),
        };
        self.parts.clock.now() + wait.max(chrono::Duration::seconds(1))
    }
}

fn taken() -> Attempt {
    Attempt::Failed(TAKEN.0, TAKEN.1.to_owned())
}

fn is_about_the_mail(error: &ProviderError) -> bool {
    matches!(error.kind, ProviderErrorKind::Refused | ProviderErrorKind::TooLarge)
}

/// Whether another mail would fare no better.
fn is_about_the_mailbox(error: &ProviderError) -> bool {
    use ProviderErrorKind::{NeedsOperator, NeedsPerson, OverQuota, SendingLimit, Throttled, Unavailable};
    match error.kind {
        NeedsOperator | NeedsPerson | OverQuota | SendingLimit | Throttled => true,
        Unavailable => !error.may_be_done,
        _ => false,
    }
}

/// The same for every recipient: Gmail takes a mail for all or for none.
fn results(mail: &Outgoing, delivered: Delivered) -> Vec<RecipientResult> {
    let real = mail.recipients.iter().filter(|recipient| recipient.kind != "reply_to");
    real.map(|recipient| RecipientResult { id: recipient.id, delivered, said: None }).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
