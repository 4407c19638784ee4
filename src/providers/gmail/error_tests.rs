use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::error::{Cause, Failed, Sort, refused};
use super::transport::{Answer, Lost};
use crate::providers::ProviderErrorKind as Kind;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn said(status: u16, body: &Value, sort: Sort) -> Failed {
    refused(&answer(status, &body.to_string()), sort)
}

fn kind(status: u16, body: &Value) -> Kind {
    said(status, body, Sort::Ask).error.kind
}

/// A refusal in Google's form, with all, with `status` alone, and with `errors` alone.
fn forms(code: u16, reason: &str, status: &str, message: &str) -> [Value; 3] {
    let errors = json!([{"message": message, "domain": "global", "reason": reason}]);
    [
        json!({"error": {"code": code, "message": message, "errors": errors, "status": status}}),
        json!({"error": {"code": code, "message": message, "status": status}}),
        json!({"error": {"code": code, "message": message, "errors": errors}}),
    ]
}

const QUOTA: &str = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service \
                     'gmail.googleapis.com' for consumer 'project_number:1'.";

#[test]
fn an_allowance_that_is_used_up_has_two_statuses_and_one_meaning() {
    let bodies = [
        forms(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", "Too fast"),
        forms(403, "userRateLimitExceeded", "RESOURCE_EXHAUSTED", QUOTA),
        forms(403, "rateLimitExceeded", "PERMISSION_DENIED", QUOTA),
        forms(403, "userRateLimitExceeded", "PERMISSION_DENIED", "User Rate Limit Exceeded"),
    ];
    for body in bodies.iter().flatten() {
        for status in [403, 429] {
            assert_eq!(kind(status, body), Kind::Throttled, "{status} {body}");
        }
    }
    assert_eq!(refused(&answer(429, ""), Sort::Ask).error.kind, Kind::Throttled);
}

#[test]
fn a_permission_that_is_missing_is_no_throttle() {
    let [full, ..] = forms(403, "insufficientPermissions", "PERMISSION_DENIED", "Insufficient Permission");
    assert_eq!(kind(403, &full), Kind::NeedsPerson);
    let details = json!({"error": {"code": 403, "message": "Request had insufficient authentication scopes.",
        "status": "PERMISSION_DENIED", "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}});
    assert_eq!(kind(403, &details), Kind::NeedsPerson);
    for reason in ["accessNotConfigured", "domainPolicy"] {
        assert_eq!(kind(403, &forms(403, reason, "PERMISSION_DENIED", "No")[0]), Kind::NeedsOperator, "{reason}");
    }
    assert_eq!(kind(403, &forms(403, "forbidden", "PERMISSION_DENIED", "No")[0]), Kind::Refused);
}

#[test]
fn a_crowd_and_a_project_that_is_stopped_have_consequences_of_their_own() {
    for status in [403, 429] {
        let message = "Too many concurrent requests for user.";
        let failed = said(status, &forms(status, "rateLimitExceeded", "RESOURCE_EXHAUSTED", message)[1], Sort::Send);
        assert_eq!((failed.cause, failed.error.kind), (Cause::Crowd, Kind::Throttled));
    }
    let failed =
        said(403, &forms(403, "dailyLimitExceeded", "PERMISSION_DENIED", "Daily Limit Exceeded")[0], Sort::Ask);
    assert_eq!((failed.cause, failed.error.kind), (Cause::Project, Kind::Throttled));
    assert!(failed.error.retry_after.is_some_and(|wait| wait > Duration::from_secs(600)));
}

#[test]
fn what_the_operator_must_mend_says_how() {
    for (message, reason) in [("Mail service not enabled", "failedPrecondition"), ("Precondition check failed.", "x")] {
        for body in forms(400, reason, "FAILED_PRECONDITION", message) {
            if body["error"]["status"].is_null() && reason == "x" {
                continue;
            }
            let error = said(400, &body, Sort::Ask).error;
            assert_eq!((error.kind, error.code), (Kind::NeedsOperator, "provider_mailbox_unusable"), "{body}");
            assert!(error.detail.contains("Is Gmail switched on"), "{}", error.detail);
        }
    }
}

#[test]
fn only_the_history_forgets() {
    for gone in forms(404, "notFound", "NOT_FOUND", "Requested entity was not found.") {
        assert_eq!(kind(404, &gone), Kind::NotFound);
        assert_eq!(said(404, &gone, Sort::History).error.kind, Kind::CursorExpired);
    }
    let invalid = &forms(400, "invalidArgument", "INVALID_ARGUMENT", "Missing or invalid startHistoryId")[0];
    assert_eq!(said(400, invalid, Sort::History).error.kind, Kind::CursorExpired);
    assert_eq!(kind(400, &forms(400, "invalidArgument", "INVALID_ARGUMENT", "Invalid pageToken")[0]), Kind::Conflict);
}

#[test]
fn an_answer_from_somebody_in_between_says_nothing_about_the_mailbox() {
    for status in [302, 400, 401, 403, 404, 407, 409, 500, 502, 503] {
        for body in ["", "<html><body>Sign in to the hotel's network</body></html>", "{}", "[]", "{\"error\":\"x\"}"] {
            for sort in [Sort::Ask, Sort::History, Sort::Send] {
                let error = refused(&answer(status, body), sort).error;
                assert_eq!(error.kind, Kind::Unavailable, "{status} {body}");
            }
        }
    }
    let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, "Bearer".parse().unwrap())]);
    let failed = refused(&Answer { headers, ..answer(401, "") }, Sort::Ask);
    assert_eq!((failed.cause, failed.error.kind), (Cause::Token, Kind::NeedsPerson));
}

#[test]
fn a_limit_of_sending_is_told_from_one_of_calls() {
    let limit = "User-rate limit exceeded.  Retry after 2999-01-01T00:00:00.000Z";
    for status in [403, 429] {
        let error = said(status, &forms(status, "userRateLimitExceeded", "", limit)[0], Sort::Send).error;
        assert_eq!(error.kind, Kind::SendingLimit);
        assert!(error.retry_after.is_some_and(|wait| wait > Duration::from_secs(3600)));
        let error = said(status, &forms(status, "rateLimitExceeded", "RESOURCE_EXHAUSTED", QUOTA)[0], Sort::Send).error;
        assert_eq!((error.kind, error.may_be_done), (Kind::Throttled, false));
    }
}

#[test]
fn how_long_to_wait_goes_along() {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
    for (status, body) in [(429, QUOTA), (503, "")] {
        let failed = refused(&Answer { headers: headers.clone(), ..answer(status, body) }, Sort::Ask);
        assert_eq!(failed.error.retry_after, Some(Duration::from_secs(7)), "{status}");
    }
}

#[test]
fn whether_it_may_be_done_is_known() {
    let may_be_done = |failed: Failed| failed.error.may_be_done;
    assert!(!may_be_done(Lost::NotSent.into()));
    assert!(may_be_done(Lost::Broken.into()) && may_be_done(Lost::Late.into()) && may_be_done(Lost::TooLong.into()));
    for status in [500, 502, 503, 504] {
        assert!(may_be_done(refused(&answer(status, ""), Sort::Send)), "{status}");
    }
    for status in [400, 403, 404, 409, 413, 429] {
        assert!(!may_be_done(said(status, &forms(status, "x", "X", "No")[0], Sort::Send)), "{status}");
    }
}

#[test]
fn other_refusals_have_names() {
    let named = |status, message: &str| {
        let error = said(status, &forms(status, "invalidArgument", "INVALID_ARGUMENT", message)[0], Sort::Change).error;
        (error.kind, error.code)
    };
    assert_eq!(named(400, "Invalid label: Label_9"), (Kind::Refused, "provider_label_missing"));
    assert_eq!(named(400, "Invalid label name"), (Kind::Refused, "provider_refused"));
    assert_eq!(named(409, "Label name exists or conflicts"), (Kind::Conflict, "provider_conflict"));
    assert_eq!(named(413, "Request Entity Too Large"), (Kind::TooLarge, "message_too_large"));
    let taken = "Only one user push notification client allowed per developer (call /stop then try again)";
    assert_eq!(named(400, taken), (Kind::Conflict, "provider_watch_taken"));
    assert_eq!(named(403, "The user's storage quota has been exceeded."), (Kind::OverQuota, "provider_over_quota"));
}

#[test]
fn words_of_google_are_shown_without_addresses() {
    let body = &forms(400, "invalidArgument", "INVALID_ARGUMENT", "Invalid To header for bob@example.com.")[0];
    let error = said(400, body, Sort::Create).error;
    assert_eq!((error.kind, &*error.detail), (Kind::Refused, "Gmail refused it: Invalid To header for."));
}
