//! A call: its allowance, its token, and another try where that helps and does no harm.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::answer;
use super::client::GmailMailbox;
use super::error::{Cause, Failed, Sort, refused};
use super::governor::{Lane, User};
use super::transport::{self, Answer, Request};
use super::wait::backoff;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// The shortest time in which no call leaves after Gmail asked to go slower without saying how long.
const BREATH: Duration = Duration::from_secs(1);

/// What is known of a method beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    /// Its name in Google's description, for logs.
    pub(super) name: &'static str,
    /// What it costs in units of quota, at the prices of new projects.
    pub(super) units: u32,
    pub(super) sort: Sort,
}

impl Method {
    pub(super) const fn new(name: &'static str, units: u32, sort: Sort) -> Self {
        Self { name, units, sort }
    }

    /// Whether a try may be followed by another without harm.
    fn may_be_repeated(self, error: &ProviderError) -> bool {
        match self.sort {
            Sort::Ask | Sort::History | Sort::Change => true,
            Sort::Create => !error.may_be_done,
            // Whoever sends looks first what became of it.
            Sort::Send => false,
        }
    }
}

/// What follows from a try that failed.
pub(super) enum Next {
    /// The error goes up.
    GiveUp(ProviderError),
    /// It is tried again after a while.
    After(Duration),
}

/// The tries of one call, or of many that are made together.
pub(super) struct Trial<'a> {
    mailbox: &'a GmailMailbox,
    pub(super) user: Arc<User>,
    method: Method,
    /// The token that was refused and replaced.
    replaced: Option<Secret>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(mailbox: &'a GmailMailbox, method: Method) -> Self {
        Self { mailbox, user: mailbox.gmail.governor.user(&mailbox.key), method, replaced: None }
    }

    /// Sends a request that stands for so many calls, when it is its turn.
    pub(super) async fn send(&self, request: &Request, calls: u32) -> Result<Answer, Failed> {
        self.send_with_token(request, calls).await.map(|(answer, _)| answer)
    }

    /// The same, and tells with which token.
    pub(super) async fn send_with_token(&self, request: &Request, calls: u32) -> Result<(Answer, Secret), Failed> {
        let gmail = &self.mailbox.gmail;
        let place = self.user.admit(self.method.units, calls, self.mailbox.lane).await?;
        // Taken only now: one may have to wait long for one's turn.
        let token = self.mailbox.tokens.current().await?;
        let answer = transport::send(&gmail.http, &gmail.base, request, &token).await;
        drop(place);
        let answer = answer?;
        if answer.is_success() {
            self.user.well();
            return Ok((answer, token));
        }
        Err(Failed { token: Some(token), ..self.refused(&answer) })
    }

    /// What an answer means that is no success.
    pub(super) fn refused(&self, answer: &Answer) -> Failed {
        refused(answer, self.method.sort)
    }

    /// Decides what follows from a failure, after so many tries.
    pub(super) async fn next(&mut self, failed: Failed, tries: u32) -> Next {
        let Failed { error, cause, token, .. } = failed;
        if let (Cause::Token, Some(refused)) = (cause, token) {
            return self.renew(refused, error).await;
        }
        let wait = self.obey(&error, cause, tries);
        let lane = self.mailbox.lane;
        let most = if lane == Lane::Interactive { 4 } else { 8 };
        let helps = matches!(error.kind, ProviderErrorKind::Throttled | ProviderErrorKind::Unavailable);
        if helps && self.method.may_be_repeated(&error) && tries < most && wait <= lane.patience() {
            return Next::After(wait);
        }
        tracing::debug!(method = self.method.name, error.code = error.code, tries, "a call to Gmail failed");
        Next::GiveUp(error)
    }

    /// Gets another token for one that was refused, once.
    async fn renew(&mut self, refused: Secret, error: ProviderError) -> Next {
        match &self.replaced {
            // Other calls met the same refusal.
            Some(replaced) if *replaced == refused => Next::After(Duration::ZERO),
            Some(_) => Next::GiveUp(error),
            None => match self.mailbox.tokens.renewed(&refused).await {
                Ok(_) => {
                    self.replaced = Some(refused);
                    Next::After(Duration::ZERO)
                }
                Err(error) => Next::GiveUp(error),
            },
        }
    }

    /// Does what Gmail asks for, and says how long this call has to wait.
    fn obey(&self, error: &ProviderError, cause: Cause, tries: u32) -> Duration {
        let is_throttle = error.kind == ProviderErrorKind::Throttled;
        let wait = error.retry_after.unwrap_or_else(|| {
            let wait = backoff(tries);
            if is_throttle { wait.max(BREATH) } else { wait }
        });
        if is_throttle {
            tracing::debug!(method = self.method.name, ?cause, ?wait, "Gmail asks to go slower");
        }
        match cause {
            Cause::Project => self.mailbox.gmail.governor.hold_all(wait, error),
            Cause::Crowd => self.user.crowd(),
            Cause::Token | Cause::Plain => {}
        }
        let is_told = error.retry_after.is_some() && error.kind == ProviderErrorKind::Unavailable;
        // Fewer at once is all that a crowd asks for, unless Gmail names a time.
        if is_told || (is_throttle && (cause != Cause::Crowd || error.retry_after.is_some())) {
            self.user.hold(wait, error);
        }
        wait
    }
}

impl GmailMailbox {
    /// Makes a call and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(&self, method: Method, request: Request) -> Result<T, ProviderError> {
        self.call_and(method, &request, answer::read).await
    }

    /// Makes a call whose answer says nothing.
    pub(super) async fn tell(&self, method: Method, request: Request) -> Result<(), ProviderError> {
        self.call_and(method, &request, answer::nothing).await
    }

    async fn call_and<T>(
        &self,
        method: Method,
        request: &Request,
        read: fn(&[u8]) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let mut trial = Trial::new(self, method);
        let mut tries = 0;
        loop {
            let failed = match trial.send(request, 1).await {
                Ok(answer) => match read(&answer.body) {
                    Ok(read) => return Ok(read),
                    Err(error) => error.into(),
                },
                Err(failed) => failed,
            };
            tries += 1;
            match trial.next(failed, tries).await {
                Next::GiveUp(error) => return Err(error),
                Next::After(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}
