//! Hands mails over by SMTP, each once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::conclude::conclude;
use super::{Imap, UNCERTAIN};
use crate::clock::Timestamp;
use crate::ids::EmailId;
use crate::providers::smtp::{Delivery, Envelope, RecipientReply, SendError, SmtpConnection, SmtpError, SmtpErrorKind};
use crate::sending::compose::{self, BodyError, Form};
use crate::sending::model::{Delivered, Outgoing, Recipient};
use crate::sending::store::outcome::RecipientResult;
use crate::sending::worker::backoff::{MOST_ATTEMPTS, pause};
use crate::sending::worker::conclusion::{Conclusion, given_up, sentence, waits};
use crate::sending::worker::ledger::Entry;

/// Connections to the server of one mailbox: what the strictest of the large providers allows.
const CONNECTIONS: usize = 3;

/// Mails that are worth a connection of their own.
const WORTH: usize = 8;

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

impl Imap<'_> {
    /// Hands over mails that were begun; those that cannot be tried for now are put back.
    pub(in crate::sending::worker) async fn deliver(&mut self, mails: Vec<Outgoing>) -> diesel::QueryResult<()> {
        let wanted = mails.len().div_ceil(WORTH).clamp(1, CONNECTIONS);
        let queue = Mutex::new(VecDeque::from(mails));
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
            let why = waits(&error.detail);
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
        self.enter(Entry::Handed(mail.id, handed)).await
    }

    /// Writes down what became of a mail. Answers why the connection takes no more.
    async fn settle(&self, mail: &Outgoing, attempt: Attempt) -> diesel::QueryResult<Option<Trouble>> {
        let now = self.parts.clock.now();
        let tried: Vec<&Recipient> = mail.recipients.iter().filter(|recipient| recipient.is_open()).collect();
        match attempt {
            Attempt::Answered(delivery) => {
                self.conclude(mail, conclude(mail, &tried, &delivery)).await?;
                Ok(None)
            }
            Attempt::Unbuildable(why) => {
                let why = format!("The mail cannot be sent: {why}.");
                self.conclude(mail, Conclusion::failed("message_invalid", why)).await?;
                Ok(None)
            }
            Attempt::Unknown(error) => {
                tracing::warn!(account.id = %self.account.id, email.id = %mail.id, %error, "no answer after the last octet");
                let (code, words) = UNCERTAIN;
                self.conclude(mail, Conclusion::uncertain(code, words, chrono::Duration::zero())).await?;
                Ok(None)
            }
            Attempt::Before(error) if is_about_the_mail(&error) => {
                self.conclude(mail, Conclusion::failed(error.code(), sentence(&error.detail))).await?;
                Ok(None)
            }
            Attempt::Before(error) => {
                tracing::info!(account.id = %self.account.id, %error, "mail waits: it cannot be handed over now");
                if mail.attempts >= MOST_ATTEMPTS {
                    self.conclude(mail, Conclusion::failed(error.code(), given_up(&error.detail))).await?;
                    return Ok(Some((error, now)));
                }
                let until = now + pause(mail.attempts);
                let why = waits(&error.detail);
                // A note of the hand-over may have been written just before the connection broke: nothing left then.
                self.put_back(&[mail.id], until, Some((error.code(), &why))).await?;
                Ok(Some((error, until)))
            }
        }
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
