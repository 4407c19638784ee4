//! Hands mails over, each once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::backoff::{MOST_ATTEMPTS, pause};
use super::conclude::{Conclusion, conclude};
use super::session::{Session, UNCERTAIN};
use crate::clock::Timestamp;
use crate::ids::EmailId;
use crate::messages::{self, FolderRole, MailStatus};
use crate::outbox::{self, Fact};
use crate::providers::smtp::{Delivery, Envelope, RecipientReply, SendError, SmtpConnection, SmtpError, SmtpErrorKind};
use crate::sending::compose::{self, BodyError, Form};
use crate::sending::model::{Delivered, Outgoing, Recipient};
use crate::sending::store::load;
use crate::sending::store::outcome::{self, Next, RecipientResult};

/// Connections to the server of one mailbox: what the strictest of the large providers allows.
const CONNECTIONS: usize = 3;

/// Mails that are worth a connection of their own.
const WORTH: usize = 8;

/// How long a server's own copy may take before one is made.
const OWN_COPY: chrono::Duration = chrono::Duration::seconds(3);

/// How one mail went.
enum Attempt {
    /// The server answered.
    Answered(Delivery),
    /// Nothing was accepted; the connection or the server is to blame.
    Before(SmtpError),
    /// The last octet left and no answer came.
    Unknown(SmtpError),
    /// The mail cannot be built or read.
    Unbuildable(String),
}

/// Why a connection takes no more mails.
type Trouble = (SmtpError, Timestamp);

impl Session<'_> {
    /// Hands over mails that were begun; those that cannot be tried for now are put back.
    pub(super) async fn deliver(&mut self, begun: &[EmailId]) -> diesel::QueryResult<()> {
        let mails = load::outgoing(&mut self.parts.db.read().await?, begun).await?;
        let queue = Mutex::new(VecDeque::from(mails));
        let wanted = begun.len().div_ceil(WORTH).clamp(1, CONNECTIONS);
        let mut idle = std::mem::take(&mut self.idle);
        let mut hands: Vec<Option<SmtpConnection>> = Vec::with_capacity(wanted);
        hands.resize_with(wanted, || idle.pop());
        let this = &*self;
        let workers = hands.into_iter().map(|connection| this.work_off(connection, &queue));
        let ended = join_all(workers).await;
        let mut trouble = None;
        for hand in ended {
            let (connection, met) = hand?;
            idle.extend(connection);
            trouble = trouble.or(met);
        }
        self.idle = idle;
        let left: Vec<EmailId> = lock(&queue).drain(..).map(|mail| mail.id).collect();
        if let Some((error, until)) = trouble {
            let why = format!("{} The next try is made by itself.", sentence(&error.detail));
            self.put_back(&left, until, Some((error.code(), &why))).await?;
            self.parts.accounts.hold_mail(self.account.id, Some(until)).await?;
        } else if !left.is_empty() {
            self.put_back(&left, self.parts.clock.now(), None).await?;
        }
        Ok(())
    }

    /// One connection's share: mail after mail until none is left or the connection is no good.
    async fn work_off(
        &self,
        mut connection: Option<SmtpConnection>,
        queue: &Mutex<VecDeque<Outgoing>>,
    ) -> diesel::QueryResult<(Option<SmtpConnection>, Option<Trouble>)> {
        loop {
            let Some(mail) = lock(queue).pop_front() else { return Ok((connection, None)) };
            let reused = connection.is_some();
            let mut attempt = match self.ready(&mut connection).await {
                Ok(server) => self.attempt(server, &mail).await?,
                Err(error) => Attempt::Before(error),
            };
            if connection.as_ref().is_some_and(|server| !server.is_ready()) {
                connection = None;
            }
            // A connection that was kept may have been closed meanwhile: that says nothing about the server.
            if reused && connection.is_none() && matches!(&attempt, Attempt::Before(error) if error.is_transient()) {
                attempt = match self.ready(&mut connection).await {
                    Ok(server) => self.attempt(server, &mail).await?,
                    Err(error) => Attempt::Before(error),
                };
                if connection.as_ref().is_some_and(|server| !server.is_ready()) {
                    connection = None;
                }
            }
            if let Some(trouble) = self.settle(&mail, attempt).await? {
                return Ok((connection, Some(trouble)));
            }
        }
    }

    /// The connection, signed in.
    async fn ready<'c>(&self, connection: &'c mut Option<SmtpConnection>) -> Result<&'c mut SmtpConnection, SmtpError> {
        let server = match connection.take() {
            Some(server) => server,
            None => {
                let settings =
                    self.parts.accounts.smtp_settings(&self.account).await.map_err(|error| {
                        unusable(format!("the credentials of the mailbox cannot be used: {error:#}"))
                    })?;
                self.parts.gate.wait(&settings.host).await;
                let server = SmtpConnection::connect(&self.parts.net, &settings).await?;
                if server.max_size() != self.account.smtp_max_size {
                    let noted = self.parts.accounts.note_max_size(self.account.id, server.max_size()).await;
                    if let Err(error) = noted {
                        tracing::debug!(account.id = %self.account.id, %error, "a server's limit could not be noted");
                    }
                }
                server
            }
        };
        Ok(connection.insert(server))
    }

    async fn attempt(&self, server: &mut SmtpConnection, mail: &Outgoing) -> diesel::QueryResult<Attempt> {
        let built = match compose::build(mail, Form::Sent) {
            Ok(built) => built,
            Err(error) => return Ok(Attempt::Unbuildable(error.to_string())),
        };
        let tried: Vec<&Recipient> = mail.recipients.iter().filter(|recipient| recipient.is_open()).collect();
        let envelope = Envelope {
            from: ascii_domain(&mail.from.address),
            recipients: tried.iter().map(|recipient| ascii_domain(&recipient.person.address)).collect(),
            size: built.size(),
            smtputf8: built.needs_smtputf8(),
            envelope_id: Some(mail.id.to_string()),
        };
        let octets = compose::octets(&self.parts.storage, mail, &built);
        let handing = async |answers: &[RecipientReply]| -> Result<(), BodyError> {
            Ok(self.note_handed(mail, &tried, answers).await?)
        };
        match server.send(&envelope, octets, handing).await {
            Ok(delivery) => Ok(Attempt::Answered(delivery)),
            Err(SendError::BeforeEnd(error)) => Ok(Attempt::Before(error)),
            Err(SendError::Unknown(error)) => Ok(Attempt::Unknown(error)),
            Err(SendError::Caller(BodyError::Database(error))) => Err(error),
            Err(SendError::Caller(BodyError::Storage(error))) => {
                Ok(Attempt::Before(unusable(format!("a file of the mail cannot be read now: {error}"))))
            }
            Err(SendError::Caller(error @ BodyError::Changed)) => Ok(Attempt::Unbuildable(error.to_string())),
        }
    }

    /// Writes down, on disk, that the mail is about to be accepted for these recipients. Not before this returns the last
    /// octet leaves.
    async fn note_handed(
        &self,
        mail: &Outgoing,
        tried: &[&Recipient],
        answers: &[RecipientReply],
    ) -> diesel::QueryResult<()> {
        let handed = tried.iter().zip(answers).filter(|(_, answer)| answer.is_accepted());
        let handed =
            handed.map(|(recipient, _)| RecipientResult { id: recipient.id, delivered: Delivered::Handed, said: None });
        let handed: Vec<RecipientResult> = handed.collect();
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            outcome::save_results(tx, &handed).await?;
            outcome::note_handed(tx, mail.id, now).await
        })
        .await
    }

    /// Writes down what became of a mail. Answers why the connection takes no more.
    async fn settle(&self, mail: &Outgoing, attempt: Attempt) -> diesel::QueryResult<Option<Trouble>> {
        let now = self.parts.clock.now();
        let tried: Vec<&Recipient> = mail.recipients.iter().filter(|recipient| recipient.is_open()).collect();
        match attempt {
            Attempt::Answered(delivery) => {
                self.write(mail, conclude(mail, &tried, &delivery), now).await?;
                Ok(None)
            }
            Attempt::Unbuildable(why) => {
                self.write(mail, failed("message_invalid", format!("The mail cannot be sent: {why}.")), now).await?;
                Ok(None)
            }
            Attempt::Unknown(error) => {
                tracing::warn!(account.id = %self.account.id, email.id = %mail.id, %error, "no answer after the last octet");
                let why = ("smtp_no_answer", UNCERTAIN.to_owned());
                let uncertain =
                    Conclusion { results: Vec::new(), status: MailStatus::Uncertain, why: Some(why), pause: None };
                self.write(mail, uncertain, now).await?;
                Ok(None)
            }
            Attempt::Before(error) if is_about_the_mail(&error) => {
                self.write(mail, failed(error.code(), sentence(&error.detail)), now).await?;
                Ok(None)
            }
            Attempt::Before(error) => {
                tracing::info!(account.id = %self.account.id, %error, "mail waits: it cannot be handed over now");
                if mail.attempts >= MOST_ATTEMPTS {
                    let why = format!("Given up after three days. {}", sentence(&error.detail));
                    self.write(mail, failed(error.code(), why), now).await?;
                    return Ok(Some((error, now)));
                }
                let until = now + pause(mail.attempts);
                let why = format!("{} The next try is made by itself.", sentence(&error.detail));
                // A note of the hand-over may have been written just before the connection broke: nothing left then.
                self.put_back(&[mail.id], until, Some((error.code(), &why))).await?;
                Ok(Some((error, until)))
            }
        }
    }

    async fn write(&self, mail: &Outgoing, conclusion: Conclusion, now: Timestamp) -> diesel::QueryResult<()> {
        let Conclusion { results, status, why, pause } = conclusion;
        let next = Next {
            due_at: pause.map(|pause| now + pause),
            file_due_at: match status {
                MailStatus::Sent => Some(now + OWN_COPY),
                MailStatus::Uncertain => Some(now),
                _ => None,
            },
        };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            outcome::save_results(tx, &results).await?;
            let why = why.as_ref().map(|(code, words)| (*code, words.as_str()));
            outcome::conclude(tx, mail.id, status, why, next, now).await?;
            if status == MailStatus::Sent {
                if let Some(folder) = crate::sending::store::folder_of(tx, self.account.id, FolderRole::Sent).await? {
                    messages::expect_in(tx, (mail.id, self.account.id, mail.sent_at), folder.id, now).await?;
                }
                messages::refresh_threads(tx, &[mail.id], now).await?;
            }
            let thread = outcome::thread_of(tx, mail.id).await?;
            let about = self.owner.reference();
            let fact = match status {
                MailStatus::Sent => Fact::email_sent(about, mail.id, thread),
                MailStatus::Failed => Fact::email_failed(about, mail.id, thread, why.map(|(code, _)| code)),
                _ => Fact::email_updated(about, mail.id, thread, &["status"]),
            };
            outbox::record(tx, vec![fact], now).await
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(())
    }

    /// Puts mails back that were begun and of which nothing was accepted.
    async fn put_back(&self, ids: &[EmailId], at: Timestamp, why: Option<(&str, &str)>) -> diesel::QueryResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew_mailer(tx, &self.claim).await?;
            for id in ids {
                outcome::unhand(tx, *id).await?;
                let thread = outcome::thread_of(tx, *id).await?;
                let fact = Fact::email_updated(self.owner.reference(), *id, thread, &["status"]);
                outbox::record(tx, vec![fact], now).await?;
            }
            outcome::give_back(tx, ids, at, why, now).await
        })
        .await?;
        drop(conn);
        self.ring();
        Ok(())
    }
}

/// Something on our side is not to be had: nothing was sent, and it is tried again.
fn unusable(detail: String) -> SmtpError {
    SmtpError { kind: SmtpErrorKind::Unavailable, detail, reply: None }
}

/// Whether another mail would fare better over the same connection.
fn is_about_the_mail(error: &SmtpError) -> bool {
    matches!(
        error.kind,
        SmtpErrorKind::TooLarge
            | SmtpErrorKind::Utf8NotSupported
            | SmtpErrorKind::InvalidMail
            | SmtpErrorKind::Rejected
    )
}

fn failed(code: &'static str, why: String) -> Conclusion {
    Conclusion { results: Vec::new(), status: MailStatus::Failed, why: Some((code, why)), pause: None }
}

/// Words of an error as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if words.ends_with(['.', '?', '!', ')']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// An address as it goes into an envelope: the domain in ASCII where the rest is (RFC 5890).
fn ascii_domain(address: &str) -> String {
    match crate::mail::compose::check_address(address) {
        Ok(checked) => checked,
        Err(_) => address.to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
