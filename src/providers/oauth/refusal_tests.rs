use std::time::Duration;

use serde_json::{Value, json};

use super::refusal::{Refusal, Step, refused};
use super::{Ended, Vendor, refused_consent};
use crate::providers::{ProviderError, ProviderErrorKind as Kind};

const DAY: Duration = Duration::from_secs(86_400);

fn refusal(vendor: Vendor, step: Step, status: u16, answer: &Value) -> ProviderError {
    refused(vendor, step, status, &Refusal::read(answer))
}

#[test]
fn what_google_refuses_is_put_down_to_who_can_mend_it() {
    for (step, status, error, kind, code) in [
        (Step::Refresh, 400, "invalid_grant", Kind::NeedsPerson, "oauth_revoked"),
        (Step::Refresh, 400, "admin_policy_enforced", Kind::NeedsPerson, "oauth_policy"),
        (Step::Refresh, 401, "invalid_client", Kind::NeedsOperator, "oauth_client_rejected"),
        (Step::Refresh, 401, "unauthorized_client", Kind::NeedsOperator, "oauth_client_refused"),
        (Step::Refresh, 400, "invalid_scope", Kind::NeedsOperator, "oauth_scope_refused"),
        (Step::Refresh, 400, "temporarily_unavailable", Kind::Unavailable, "provider_unavailable"),
        (Step::Refresh, 503, "", Kind::Unavailable, "provider_unavailable"),
        (Step::Refresh, 429, "", Kind::Throttled, "provider_throttled"),
        (Step::Code, 400, "invalid_grant", Kind::Refused, "oauth_code_refused"),
        (Step::Service, 400, "invalid_grant", Kind::NeedsOperator, "service_account_refused"),
        (Step::Service, 401, "unauthorized_client", Kind::NeedsOperator, "service_delegation_missing"),
        (Step::Refresh, 400, "never_heard_of", Kind::Refused, "oauth_refused"),
    ] {
        let error = refusal(Vendor::Google, step, status, &json!({ "error": error, "error_description": "d" }));
        assert_eq!((error.kind, error.code), (kind, code), "{status} {error}");
    }
}

#[test]
fn what_microsoft_refuses_is_put_down_to_who_can_mend_it() {
    for (answer, kind, code) in [
        (
            json!({"error": "invalid_grant", "error_description": "AADSTS50173: The provided grant has expired…"}),
            Kind::NeedsPerson,
            "oauth_revoked",
        ),
        (json!({"error": "invalid_grant", "error_codes": [700_082]}), Kind::NeedsPerson, "oauth_expired"),
        (
            json!({"error": "invalid_grant", "error_codes": [65_001], "suberror": "consent_required"}),
            Kind::NeedsPerson,
            "oauth_consent_required",
        ),
        (json!({"error": "consent_required"}), Kind::NeedsPerson, "oauth_consent_required"),
        (
            json!({"error": "interaction_required", "error_codes": [50_076]}),
            Kind::NeedsPerson,
            "oauth_interaction_required",
        ),
        (
            json!({"error": "invalid_grant", "suberror": "basic_action"}),
            Kind::NeedsPerson,
            "oauth_interaction_required",
        ),
        (json!({"error": "invalid_client", "error_codes": [7_000_215]}), Kind::NeedsOperator, "oauth_client_rejected"),
        (
            json!({"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys for app are expired."}),
            Kind::NeedsOperator,
            "oauth_client_rejected",
        ),
        (
            json!({"error": "unauthorized_client", "error_codes": [700_016]}),
            Kind::NeedsOperator,
            "oauth_client_refused",
        ),
        (json!({"error": "invalid_scope", "error_codes": [70_011]}), Kind::NeedsOperator, "oauth_scope_refused"),
        (json!({"error": "temporarily_unavailable"}), Kind::Unavailable, "provider_unavailable"),
        (json!({"error": "invalid_grant"}), Kind::NeedsPerson, "oauth_revoked"),
    ] {
        let error = refusal(Vendor::Microsoft, Step::Refresh, 400, &answer);
        assert_eq!((error.kind, error.code), (kind, code), "{answer}");
    }
    let expired = json!({"error": "invalid_client", "error_codes": [7_000_222]});
    assert!(refusal(Vendor::Microsoft, Step::Service, 401, &expired).detail.contains("expired"));
}

#[test]
fn an_answer_of_any_shape_is_an_error_without_addresses() {
    for answer in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"error": 7}),
        json!({"error": {"status": "X"}}),
        json!({"error_codes": "none", "error_description": ["x"]}),
    ] {
        assert_eq!(refusal(Vendor::Google, Step::Refresh, 400, &answer).kind, Kind::Refused, "{answer}");
    }
    let words =
        "AADSTS700016: Application 'x' for ann@example.com was not found. Trace ID: 1 Correlation ID: 2\r\nmore";
    let error = refusal(
        Vendor::Microsoft,
        Step::Code,
        400,
        &json!({"error": "unauthorized_client", "error_description": words}),
    );
    assert!(error.detail.contains("AADSTS700016: Application 'x' for was not found"), "{error}");
    assert!(!error.detail.contains('@') && !error.detail.contains("Trace") && !error.detail.contains("more"));
}

#[test]
fn a_grant_that_ends_after_a_week_is_put_down_to_testing() {
    let revoked = refusal(Vendor::Google, Step::Refresh, 400, &json!({"error": "invalid_grant"}));
    let explain = |age, announced| Ended { age, announced }.explain(Vendor::Google, revoked.clone()).code;
    let announced = Some(Duration::from_secs(604_799));
    assert_eq!(explain(7 * DAY, None), "oauth_testing_expired");
    assert_eq!(explain(30 * DAY, announced), "oauth_testing_expired");
    assert_eq!(explain(2 * DAY, announced), "oauth_revoked");
    assert_eq!(explain(2 * DAY, None), "oauth_revoked");
    assert_eq!(explain(60 * DAY, None), "oauth_revoked");
    assert_eq!(explain(DAY, Some(DAY)), "oauth_time_limit");
}

#[test]
fn a_consent_that_was_not_given_is_no_fault_of_anybody() {
    assert_eq!(refused_consent(Vendor::Google, "access_denied", "").code, "access_denied");
    assert_eq!(refused_consent(Vendor::Microsoft, "access_denied", "cancel").code, "access_denied");
    assert_eq!(refused_consent(Vendor::Microsoft, "consent_required", "").code, "oauth_consent_required");
    assert_eq!(refused_consent(Vendor::Google, "admin_policy_enforced", "").code, "oauth_policy");
    assert_eq!(refused_consent(Vendor::Google, "server_error", "").kind, Kind::Unavailable);
    let made_up = refused_consent(Vendor::Google, "call this number", "");
    assert!(made_up.code == "oauth_refused" && !made_up.detail.contains("number"), "{made_up}");
}
