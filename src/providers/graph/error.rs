//! Tells Graph's errors apart: by their codes, never by their words, which Microsoft changes at will.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::providers::{ProviderError, ProviderErrorKind};

/// Nobody answered.
pub(super) fn unreachable() -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_unreachable",
        "Microsoft Graph cannot be reached, or the connection broke. It is tried again by itself.",
    )
}

/// An answer that makes no sense or broke off.
pub(super) fn nonsense() -> ProviderError {
    ProviderError {
        may_be_done: true,
        ..ProviderError::new(
            ProviderErrorKind::Unavailable,
            "provider_answer_invalid",
            "Microsoft's answer makes no sense or broke off. It is asked again by itself.",
        )
    }
}

/// Every code of an answer, the outer one first; inner ones say more.
fn codes(body: &Value) -> Vec<String> {
    let mut codes = Vec::new();
    let mut error = &body["error"];
    while let Some(code) = error["code"].as_str() {
        codes.push(code.to_ascii_lowercase());
        error = match (&error["innerError"], &error["innererror"]) {
            (Value::Null, inner) => inner,
            (inner, _) => inner,
        };
    }
    codes
}

/// What a refusal means.
pub(super) fn refused(status: u16, headers: &HeaderMap, body: &Value) -> ProviderError {
    let codes = codes(body);
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.iter().any(|it| it.eq_ignore_ascii_case(code)));
    let wait = retry_after(headers, Utc::now());
    let error =
        |kind, code, detail: &str| ProviderError { retry_after: wait, ..ProviderError::new(kind, code, detail) };
    use ProviderErrorKind::{
        Conflict, CursorExpired, NeedsOperator, NeedsPerson, NotFound, OverQuota, Refused, SendingLimit, Throttled,
        TooLarge, Unavailable,
    };
    if has(&["SyncStateNotFound", "resyncRequired", "SyncStateInvalid"]) || status == 410 {
        return error(
            CursorExpired,
            "provider_cursor_expired",
            "Microsoft has forgotten the place in the folder's changes; all mail of it is compared.",
        );
    }
    if has(&["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"]) {
        return error(
            NeedsOperator,
            "provider_mailbox_unusable",
            "This account has no mailbox at Exchange Online, so it cannot be reached over Microsoft Graph.",
        );
    }
    if has(&["ErrorMessageSizeExceeded"]) || status == 413 {
        return error(TooLarge, "message_too_large", "The mail is larger than Microsoft takes.");
    }
    if has(&["ErrorQuotaExceeded"]) {
        return error(OverQuota, "mailbox_full", "The mailbox is full. Make room in Outlook, then it is tried again.");
    }
    if has(&["ErrorExceededMessageLimit", "ErrorRecipientLimitExceeded", "ErrorMessageSubmissionBlocked"]) {
        return error(
            SendingLimit,
            "sending_limit",
            "Microsoft's limit of sent mails is reached. Sending goes on by itself when Microsoft permits it.",
        );
    }
    if has(&["ErrorSendAsDenied"]) {
        return error(
            Refused,
            "send_as_denied",
            "Microsoft does not permit sending from this address. Choose another, or have the right granted.",
        );
    }
    if has(&["ErrorInvalidRecipients"]) {
        return error(
            Refused,
            "recipient_invalid",
            "Microsoft refuses an address of a recipient. Correct it and send again.",
        );
    }
    match status {
        401 => error(
            NeedsPerson,
            "oauth_token_refused",
            "Microsoft refuses the access that was granted to Duplex. Connect the mailbox again.",
        ),
        403 => error(
            NeedsPerson,
            "oauth_scope_missing",
            "Microsoft does not let Duplex do this. Connect the mailbox again and agree to all that is asked; an administrator may have to agree too.",
        ),
        404 => error(NotFound, "provider_not_found", "It is not in the mailbox any more."),
        409 | 412 => {
            error(Conflict, "provider_conflict", "Somebody else changed it at the same time. It is tried again.")
        }
        429 => error(Throttled, "provider_throttled", "Microsoft asks to go slower. It goes on by itself."),
        // A busy server did not do it.
        503 => error(
            Unavailable,
            "provider_unavailable",
            "Microsoft Graph is not available now. It is tried again by itself.",
        ),
        408 | 500..=599 | 0..=399 => ProviderError {
            may_be_done: true,
            ..error(
                Unavailable,
                "provider_unavailable",
                "Microsoft Graph is not available now. It is tried again by itself.",
            )
        },
        _ => {
            let said = body["error"]["code"].as_str().unwrap_or("without a word");
            error(Refused, "provider_refused", &format!("Microsoft refused it ({said})."))
        }
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(status: u16, body: Value) -> ProviderErrorKind {
        refused(status, &HeaderMap::new(), &body).kind
    }

    fn code(code: &str) -> Value {
        json!({"error": {"code": code, "message": "m", "innerError": {"request-id": "r"}}})
    }

    #[test]
    fn codes_decide_whatever_their_letters_and_wherever_they_stand() {
        assert_eq!(kind(400, code("syncstatenotfound")), ProviderErrorKind::CursorExpired);
        assert_eq!(kind(410, json!({})), ProviderErrorKind::CursorExpired);
        let inner = json!({"error": {"code": "UnknownError", "innererror": {"code": "ErrorQuotaExceeded"}}});
        assert_eq!(kind(507, inner), ProviderErrorKind::OverQuota);
        assert_eq!(kind(404, code("MailboxNotEnabledForRESTAPI")), ProviderErrorKind::NeedsOperator);
        assert_eq!(kind(404, code("ErrorItemNotFound")), ProviderErrorKind::NotFound);
        assert_eq!(kind(429, code("ApplicationThrottled")), ProviderErrorKind::Throttled);
        assert_eq!(kind(503, code("ErrorServerBusy")), ProviderErrorKind::Unavailable);
        assert_eq!(kind(403, code("ErrorSendAsDenied")), ProviderErrorKind::Refused);
    }

    #[test]
    fn how_long_to_wait_is_read_in_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T10:00:00Z").unwrap().with_timezone(&Utc);
        let read = |value: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]), now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 22 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
    }
}
