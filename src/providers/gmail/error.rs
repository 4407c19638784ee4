//! Tells Gmail's errors apart. What follows from one is decided by status and reason, never by status alone: a used-up
//! allowance comes as 403 or as 429, and only a call on the history makes 404 a forgotten cursor. An answer that is not in
//! Google's form comes from somebody in between and says nothing about the mailbox.

use std::time::Duration;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;

use super::transport::{Answer, Lost};
use super::wait;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// How long a project rests that has used up its allowance of the day, when Google does not say.
const NEXT_TRY_OF_A_PROJECT: Duration = Duration::from_secs(3_600);

/// What sort of call it was, as far as its errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Asking; it may be asked again.
    Ask,
    /// Asking for the history.
    History,
    /// A change that comes to the same however often it is made.
    Change,
    /// Making something anew: a second time makes a second one.
    Create,
    /// Sending mail.
    Send,
}

/// What else follows from a failure than its kind says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The access token is not good any more.
    Token,
    /// Too many calls of the user ran at once.
    Crowd,
    /// The whole project is stopped.
    Project,
    /// Nothing else.
    Plain,
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) error: ProviderError,
    pub(super) cause: Cause,
    /// The status of the answer, if one came.
    pub(super) status: Option<u16>,
    /// The access token that was used.
    pub(super) token: Option<Secret>,
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self { error, cause: Cause::Plain, status: None, token: None }
    }
}

impl From<Lost> for Failed {
    fn from(lost: Lost) -> Self {
        use ProviderErrorKind::{TooLarge, Unavailable};
        let error = match lost {
            Lost::NotSent => ProviderError::new(
                Unavailable,
                "provider_unreachable",
                "Gmail cannot be reached. It is tried again by itself; check the server's way to the internet if it stays so.",
            ),
            Lost::Broken => ProviderError::new(
                Unavailable,
                "provider_unreachable",
                "The connection to Gmail broke. It is tried again by itself.",
            ),
            Lost::Late => ProviderError::new(
                Unavailable,
                "provider_timeout",
                "Gmail did not answer in time. It is tried again by itself.",
            ),
            Lost::TooLong => {
                ProviderError::new(TooLarge, "message_too_large", "The mail is larger than Duplex takes in.")
            }
        };
        ProviderError { may_be_done: lost != Lost::NotSent, ..error }.into()
    }
}

/// An answer that is not what was asked for.
pub(super) fn nonsense() -> ProviderError {
    ProviderError {
        may_be_done: true,
        ..ProviderError::new(
            ProviderErrorKind::Unavailable,
            "provider_answer_invalid",
            "Gmail's answer makes no sense or broke off. It is asked again by itself.",
        )
    }
}

/// What Google's error body says; any part of it may be missing.
struct Body<'a> {
    message: &'a str,
    reasons: Vec<&'a str>,
    status: &'a str,
}

impl<'a> Body<'a> {
    fn read(body: &'a Value) -> Option<Self> {
        let error = body.get("error").filter(|error| error.is_object())?;
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        let listed = ["errors", "details"].iter().filter_map(|name| error[*name].as_array()).flatten();
        let reasons = listed.map(|it| text(&it["reason"])).filter(|reason| !reason.is_empty()).collect();
        Some(Self { message: text(&error["message"]), reasons, status: text(&error["status"]) })
    }

    fn is(&self, reasons: &[&str]) -> bool {
        self.reasons.iter().any(|reason| reasons.iter().any(|known| known.eq_ignore_ascii_case(reason)))
    }

    fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }

    fn is_throttle(&self) -> bool {
        self.is(&["rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"])
            || self.status == "RESOURCE_EXHAUSTED"
            || ["quota exceeded", "rate limit exceeded", "too many concurrent requests"]
                .iter()
                .any(|words| self.says(words))
    }

    /// Google's words without addresses: they go into logs and are shown.
    fn words(&self) -> String {
        let shown = self.message.split_whitespace().filter(|word| !word.contains('@'));
        let text: String = shown.collect::<Vec<_>>().join(" ").chars().take(200).collect();
        let text = text.trim_end_matches('.');
        if text.is_empty() { "without a word".to_owned() } else { text.to_owned() }
    }
}

/// What a refusal means.
pub(super) fn refused(answer: &Answer, sort: Sort) -> Failed {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let told = wait::retry_after(&answer.headers);
    let (mut failed, told) = match Body::read(&value) {
        Some(said) => {
            let told = told.or_else(|| wait::told_in_words(said.message, &answer.headers));
            (meaning(answer.status, &said, sort), told)
        }
        None => (without_a_word(answer.status, &answer.headers), told),
    };
    failed.error.retry_after = told.or(failed.error.retry_after);
    failed.status = Some(answer.status);
    failed
}

/// What an answer means that is not in Google's form: the status counts where it can only mean one thing.
fn without_a_word(status: u16, headers: &HeaderMap) -> Failed {
    match status {
        401 if headers.contains_key(WWW_AUTHENTICATE) => token_refused(),
        429 => throttled(),
        413 => too_large().into(),
        500.. => unavailable().into(),
        _ => nonsense().into(),
    }
}

fn meaning(status: u16, said: &Body<'_>, sort: Sort) -> Failed {
    use ProviderErrorKind::{Conflict, NotFound, OverQuota};
    match status {
        401 => token_refused(),
        400 if sort == Sort::History && said.says("starthistoryid") => cursor_expired(),
        400 => bad_request(said).into(),
        403 | 429 => forbidden(status, said, sort),
        404 if sort == Sort::History => cursor_expired(),
        404 | 410 => ProviderError::new(NotFound, "provider_not_found", "It is not in the mailbox any more.").into(),
        409 | 412 => {
            ProviderError::new(Conflict, "provider_conflict", format!("Gmail refused the change: {}.", said.words()))
                .into()
        }
        413 => too_large().into(),
        507 => ProviderError::new(OverQuota, "provider_over_quota", MAILBOX_FULL).into(),
        408 | 500..=599 | 0..=399 => unavailable().into(),
        _ => plainly_refused(said).into(),
    }
}

const MAILBOX_FULL: &str = "The mailbox is full. Make room at Google, or buy more storage.";

fn bad_request(said: &Body<'_>) -> ProviderError {
    use ProviderErrorKind::{Conflict, NeedsOperator, Refused};
    if said.says("only one user push notification client") {
        return ProviderError::new(
            Conflict,
            "provider_watch_taken",
            "Gmail already tells another topic of this Google project of the mailbox's news. Its order is ended first.",
        );
    }
    if said.is(&["failedPrecondition"]) || said.status == "FAILED_PRECONDITION" || said.says("mail service not enabled")
    {
        return ProviderError::new(
            NeedsOperator,
            "provider_mailbox_unusable",
            format!("Google does not serve this mailbox ({}). Is Gmail switched on for the account?", said.words()),
        );
    }
    if said.is(&["uploadTooLarge"]) {
        return too_large();
    }
    if said.says("pagetoken") || said.says("page token") {
        let detail = "Gmail has forgotten a page of a list. It is listed again from its beginning by itself.";
        return ProviderError::new(Conflict, "provider_page_expired", detail);
    }
    if said.says("invalid label:") || said.says("labelid not found") {
        let detail = format!("The label is not in the mailbox any more ({}).", said.words());
        return ProviderError::new(Refused, "provider_label_missing", detail);
    }
    plainly_refused(said)
}

/// 403 and 429, which Google uses for the same things.
fn forbidden(status: u16, said: &Body<'_>, sort: Sort) -> Failed {
    use ProviderErrorKind::{NeedsOperator, NeedsPerson, OverQuota, SendingLimit, Throttled};
    let plain = |kind, code, detail: &str| Failed::from(ProviderError::new(kind, code, detail));
    if said.is(&["dailyLimitExceeded", "dailyLimitExceededUnreg"]) {
        let error = ProviderError::new(
            Throttled,
            "provider_daily_limit",
            "The Google project has used up its allowance of the day. Raise it in Google's console, or wait until tomorrow.",
        );
        let error = ProviderError { retry_after: Some(NEXT_TRY_OF_A_PROJECT), ..error };
        return Failed { cause: Cause::Project, ..error.into() };
    }
    if said.says("too many concurrent requests") {
        return Failed { cause: Cause::Crowd, ..throttled() };
    }
    if said.is(&["storageQuotaExceeded"]) || said.says("storage quota") {
        return plain(OverQuota, "provider_over_quota", MAILBOX_FULL);
    }
    if status == 429 || said.is_throttle() {
        // Of what is counted by the minute Google says «Quota exceeded …».
        if sort == Sort::Send && !said.says("quota exceeded for quota metric") {
            return plain(
                SendingLimit,
                "sending_limit",
                "Google's limit of sent mails is reached. Sending goes on by itself when Google permits it.",
            );
        }
        return throttled();
    }
    if said.is(&["accessNotConfigured", "SERVICE_DISABLED"]) {
        return plain(
            NeedsOperator,
            "provider_not_enabled",
            "The Gmail API is not enabled in the Google project. Enable it in Google's console under APIs & Services.",
        );
    }
    if said.is(&["domainPolicy", "admin_policy_enforced"]) {
        return plain(
            NeedsOperator,
            "provider_policy",
            "The administrator of the Google Workspace does not permit this. Ask for Duplex to be allowed.",
        );
    }
    if said.is(&["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]) || said.says("insufficient") {
        return plain(
            NeedsPerson,
            "oauth_scope_missing",
            "Google was not allowed to give Duplex all that it needs. Connect the mailbox again and leave every box ticked.",
        );
    }
    plainly_refused(said).into()
}

fn token_refused() -> Failed {
    let error = ProviderError::new(
        ProviderErrorKind::NeedsPerson,
        "oauth_token_refused",
        "Google refuses the access that was granted to Duplex. Connect the mailbox again.",
    );
    Failed { cause: Cause::Token, ..error.into() }
}

fn cursor_expired() -> Failed {
    let detail = "Gmail has forgotten the place in the history. All mail is compared, nothing is lost.";
    ProviderError::new(ProviderErrorKind::CursorExpired, "provider_cursor_expired", detail).into()
}

fn throttled() -> Failed {
    let detail = "Gmail asks to go slower. It goes on by itself.";
    ProviderError::new(ProviderErrorKind::Throttled, "provider_throttled", detail).into()
}

fn too_large() -> ProviderError {
    let detail = "The mail is larger than Gmail takes (35 MB with its attachments). Send large files as links.";
    ProviderError::new(ProviderErrorKind::TooLarge, "message_too_large", detail)
}

/// The request may have reached its end before the server failed.
fn unavailable() -> ProviderError {
    let detail = "Gmail is not available now. It is tried again by itself.";
    let error = ProviderError::new(ProviderErrorKind::Unavailable, "provider_unavailable", detail);
    ProviderError { may_be_done: true, ..error }
}

fn plainly_refused(said: &Body<'_>) -> ProviderError {
    let detail = format!("Gmail refused it: {}.", said.words());
    ProviderError::new(ProviderErrorKind::Refused, "provider_refused", detail)
}
