//! Tells Gmail's errors apart. What follows from one is decided by status and reason, never by status alone: a used-up
//! allowance comes as 403 or as 429, and only a call on the history makes 404 a forgotten cursor.

use std::time::Duration;

use chrono::{DateTime, Utc};
use google_gmail1::common;
use hyper::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::providers::{ProviderError, ProviderErrorKind};

/// Hears what the library does not hand up: the status of an answer and how long to wait.
#[derive(Debug, Default)]
pub(super) struct Ear {
    pub(super) status: Option<u16>,
    retry_after: Option<Duration>,
}

impl common::Delegate for Ear {
    fn http_failure(&mut self, response: &common::Response, _: Option<&Value>) -> common::Retry {
        self.status = Some(response.status().as_u16());
        self.retry_after = retry_after(response.headers(), Utc::now());
        common::Retry::Abort
    }
}

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

impl Sort {
    /// Whether the call may be repeated without harm when nobody knows whether it was carried out.
    pub(super) fn is_repeatable(self) -> bool {
        matches!(self, Self::Ask | Self::History | Self::Change)
    }
}

/// What an error of the library means.
pub(super) fn explained(error: common::Error, ear: &Ear, sort: Sort) -> ProviderError {
    match error {
        common::Error::HttpError(error) => {
            // A connection that never stood carried nothing.
            ProviderError { may_be_done: !error.is_connect(), ..unreachable() }
        }
        common::Error::BadRequest(body) => refused(ear.status, &body, ear.retry_after, sort),
        common::Error::Failure(response) => {
            refused(Some(response.status().as_u16()), &Value::Null, ear.retry_after, sort)
        }
        common::Error::JsonDecodeError(..) | common::Error::Io(_) => ProviderError {
            may_be_done: true,
            ..ProviderError::new(
                ProviderErrorKind::Unavailable,
                "provider_answer_invalid",
                "Gmail's answer makes no sense or broke off. It is asked again by itself.",
            )
        },
        common::Error::UploadSizeLimitExceeded(..) => ProviderError::new(
            ProviderErrorKind::TooLarge,
            "message_too_large",
            "The mail is larger than Gmail takes (35 MB).",
        ),
        other => ProviderError::new(
            ProviderErrorKind::Refused,
            "provider_refused",
            format!("The request could not be made: {}.", other.to_string().trim_end_matches(['\n', '.'])),
        ),
    }
}

/// Nobody answered.
pub(super) fn unreachable() -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_unreachable",
        "Gmail cannot be reached, or the connection broke. It is tried again by itself.",
    )
}

/// Nobody answered in time.
pub(super) fn timed_out() -> ProviderError {
    ProviderError {
        may_be_done: true,
        ..ProviderError::new(
            ProviderErrorKind::Unavailable,
            "provider_timeout",
            "Gmail did not answer in time. It is tried again by itself.",
        )
    }
}

/// The token was refused twice.
pub(super) fn token_refused() -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::NeedsPerson,
        "oauth_token_refused",
        "Google refuses the access that was granted to Duplex. Connect the mailbox again.",
    )
}

/// What Google's error body says; any part of it may be missing.
struct Body<'a> {
    message: &'a str,
    reasons: Vec<&'a str>,
    status: &'a str,
}

impl<'a> Body<'a> {
    fn read(body: &'a Value) -> Self {
        let error = &body["error"];
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        let listed = error["errors"].as_array().into_iter().flatten().map(|it| text(&it["reason"]));
        let detailed = error["details"].as_array().into_iter().flatten().map(|it| text(&it["reason"]));
        Self {
            message: text(&error["message"]),
            reasons: listed.chain(detailed).filter(|reason| !reason.is_empty()).collect(),
            status: text(&error["status"]),
        }
    }

    fn is(&self, reason: &str) -> bool {
        self.reasons.iter().any(|it| it.eq_ignore_ascii_case(reason))
    }

    fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }
}

/// What a refusal means.
pub(super) fn refused(status: Option<u16>, body: &Value, wait: Option<Duration>, sort: Sort) -> ProviderError {
    let said = Body::read(body);
    let code = body["error"]["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let status = status.or(code).unwrap_or_default();
    let wait = wait.or_else(|| told_time(said.message, Utc::now()));
    let error =
        |kind, code, detail: String| ProviderError { retry_after: wait, ..ProviderError::new(kind, code, detail) };
    let plain = |kind, code, detail: &str| error(kind, code, detail.to_owned());
    use ProviderErrorKind::{
        Conflict, CursorExpired, NeedsOperator, NeedsPerson, NotFound, Refused, SendingLimit, Throttled, TooLarge,
        Unavailable,
    };
    match status {
        401 => token_refused(),
        403 if is_throttle(&said) => plain(Throttled, "provider_throttled", SLOW_DOWN),
        403 if said.is("dailyLimitExceeded") => plain(
            Throttled,
            "provider_daily_limit",
            "The Google project has used up its allowance of the day. Raise it in Google's console, or wait until tomorrow.",
        ),
        403 if said.is("accessNotConfigured") || said.is("SERVICE_DISABLED") => plain(
            NeedsOperator,
            "provider_not_enabled",
            "The Gmail API is not enabled in the Google project. Enable it in Google's console under APIs & Services.",
        ),
        403 if said.is("domainPolicy") || said.is("admin_policy_enforced") => plain(
            NeedsOperator,
            "provider_policy",
            "The administrator of the Google Workspace does not permit this. Ask for Duplex to be allowed.",
        ),
        403 if said.is("insufficientPermissions")
            || said.is("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
            || said.says("insufficient") =>
        {
            plain(
                NeedsPerson,
                "oauth_scope_missing",
                "Google was not allowed to give Duplex all that it needs. Connect the mailbox again and leave every box ticked.",
            )
        }
        429 if sort == Sort::Send => plain(
            SendingLimit,
            "sending_limit",
            "Google's limit of sent mails is reached. Sending goes on by itself when Google permits it.",
        ),
        429 => plain(Throttled, "provider_throttled", SLOW_DOWN),
        400 if said.is("failedPrecondition") || said.status == "FAILED_PRECONDITION" => error(
            NeedsOperator,
            "provider_mailbox_unusable",
            format!("Google does not serve this mailbox ({}). Is Gmail switched on for the account?", words(&said)),
        ),
        404 if sort == Sort::History => plain(
            CursorExpired,
            "provider_cursor_expired",
            "Gmail has forgotten the place in the history; all mail is compared.",
        ),
        404 | 410 => plain(NotFound, "provider_not_found", "It is not in the mailbox any more."),
        409 | 412 => error(Conflict, "provider_conflict", format!("Gmail refused the change: {}.", words(&said))),
        413 => plain(TooLarge, "message_too_large", "The mail is larger than Gmail takes."),
        // The request may have reached its end before the server failed.
        408 | 500..=599 | 0..=399 => ProviderError {
            may_be_done: true,
            ..plain(Unavailable, "provider_unavailable", "Gmail is not available now. It is tried again by itself.")
        },
        _ => error(Refused, "provider_refused", format!("Gmail refused it: {}.", words(&said))),
    }
}

const SLOW_DOWN: &str = "Gmail asks to go slower. It goes on by itself.";

fn is_throttle(said: &Body<'_>) -> bool {
    said.is("rateLimitExceeded")
        || said.is("userRateLimitExceeded")
        || said.is("RATE_LIMIT_EXCEEDED")
        || said.status == "RESOURCE_EXHAUSTED"
        || said.says("quota exceeded")
        || said.says("rate limit exceeded")
}

/// Whether the trouble is that too many calls of one user run at once.
pub(super) fn is_crowd(body: &Value) -> bool {
    Body::read(body).says("too many concurrent")
}

/// Google's words, without addresses: they go into logs and are shown.
fn words(said: &Body<'_>) -> String {
    let shown = said.message.split_whitespace().filter(|word| !word.contains('@'));
    let text: String = shown.collect::<Vec<_>>().join(" ").chars().take(200).collect();
    let text = text.trim_end_matches('.');
    if text.is_empty() { "without a word".to_owned() } else { text.to_owned() }
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

/// «… Retry after 2026-11-22T10:00:00.000Z», which Gmail says in words only.
fn told_time(message: &str, now: DateTime<Utc>) -> Option<Duration> {
    let at = message.to_ascii_lowercase().find("retry after ")?;
    let time = message.get(at + "retry after ".len()..)?.split_whitespace().next()?;
    let until = DateTime::parse_from_rfc3339(time.trim_end_matches(['.', ')'])).ok()?;
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(status: u16, body: Value) -> ProviderErrorKind {
        refused(Some(status), &body, None, Sort::Ask).kind
    }

    fn reason(status: u16, reason: &str) -> Value {
        json!({"error": {"code": status, "message": "m", "errors": [{"reason": reason, "domain": "d"}]}})
    }

    #[test]
    fn an_allowance_that_is_used_up_has_two_statuses_and_one_meaning() {
        for (status, body) in [
            (403, reason(403, "rateLimitExceeded")),
            (403, reason(403, "userRateLimitExceeded")),
            (429, reason(429, "rateLimitExceeded")),
            (429, json!({})),
            (403, json!({"error": {"code": 403, "message": "Quota exceeded for quota metric 'Queries'"}})),
        ] {
            assert_eq!(kind(status, body.clone()), ProviderErrorKind::Throttled, "{status} {body}");
        }
        assert_eq!(kind(403, reason(403, "insufficientPermissions")), ProviderErrorKind::NeedsPerson);
        assert_eq!(kind(403, reason(403, "accessNotConfigured")), ProviderErrorKind::NeedsOperator);
        assert_eq!(kind(403, reason(403, "domainPolicy")), ProviderErrorKind::NeedsOperator);
    }

    #[test]
    fn only_the_history_forgets() {
        let gone = reason(404, "notFound");
        assert_eq!(kind(404, gone.clone()), ProviderErrorKind::NotFound);
        assert_eq!(refused(Some(404), &gone, None, Sort::History).kind, ProviderErrorKind::CursorExpired);
    }

    #[test]
    fn a_limit_of_sending_says_until_when() {
        let body = json!({"error": {"code": 429, "message": "User-rate limit exceeded.  Retry after 2999-01-01T00:00:00.000Z"}});
        let error = refused(Some(429), &body, None, Sort::Send);
        assert_eq!(error.kind, ProviderErrorKind::SendingLimit);
        assert!(error.retry_after.is_some_and(|wait| wait > Duration::from_secs(3600)));
    }

    #[test]
    fn how_long_to_wait_is_read_in_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T10:00:00Z").unwrap().with_timezone(&Utc);
        let read = |value: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]), now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 22 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn words_of_google_are_shown_without_addresses() {
        let error = refused(
            Some(400),
            &json!({"error": {"message": "Invalid To header for bob@example.com.", "errors": [{"reason": "invalidArgument"}]}}),
            None,
            Sort::Send,
        );
        assert_eq!(error.kind, ProviderErrorKind::Refused);
        assert_eq!(error.detail, "Gmail refused it: Invalid To header for.");
    }
}
