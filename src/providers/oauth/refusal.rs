//! Tells the refusals of token endpoints apart, and says in words what helps.
//!
//! `error` (RFC 6749 §5.2) decides what follows. The numbers that Microsoft adds (AADSTS…) only choose the words: they may
//! change at any time.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::Vendor;
use crate::providers::{ProviderError, ProviderErrorKind};

/// Google ends grants after so long while the project is being tested.
const TESTING: Duration = Duration::from_secs(7 * 86_400);

/// When in a grant's life its end is put down to testing: refusals are noticed when an access token ends, or later.
const ABOUT_A_WEEK: std::ops::Range<Duration> =
    Duration::from_secs(7 * 86_400 - 4 * 3600)..Duration::from_secs(8 * 86_400);

/// What is asked for at a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The first tokens, for a code.
    Code,
    /// A new access token, for a refresh token.
    Refresh,
    /// A token of the application or the service account itself.
    Service,
}

/// What a refusal says; any part of it may be missing.
#[derive(Debug, Default)]
pub(super) struct Refusal<'a> {
    /// The word of the specification.
    pub error: &'a str,
    suberror: &'a str,
    description: &'a str,
    /// Microsoft's number, 0 where there is none.
    pub number: u64,
}

impl<'a> Refusal<'a> {
    pub fn read(answer: &'a Value) -> Self {
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        // Google's API answers have an object here.
        let error = if answer["error"].is_object() { text(&answer["error"]["status"]) } else { text(&answer["error"]) };
        let description = text(&answer["error_description"]);
        let listed = answer["error_codes"].get(0).and_then(Value::as_u64);
        let written = || {
            let digits = description.strip_prefix("AADSTS")?;
            digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        Self { error, suberror: text(&answer["suberror"]), description, number: listed.or_else(written).unwrap_or(0) }
    }

    /// The provider's words in one line, without addresses, trace numbers and what follows them.
    fn words(&self) -> String {
        let first = self.description.lines().next().unwrap_or_default();
        let first = first.split(" Trace ID:").next().unwrap_or_default();
        let shown = first.split_whitespace().filter(|word| !word.contains('@'));
        let text: String = shown.collect::<Vec<_>>().join(" ").chars().take(240).collect();
        let text = text.trim_end_matches(['.', ':']);
        match (text.is_empty(), self.error.is_empty()) {
            (false, _) => text.to_owned(),
            (true, false) => self.error.to_owned(),
            (true, true) => "without a word".to_owned(),
        }
    }
}

/// What a refusal means.
pub(super) fn refused(vendor: Vendor, step: Step, status: u16, said: &Refusal<'_>) -> ProviderError {
    use ProviderErrorKind::{NeedsOperator, NeedsPerson, Refused, Throttled};
    let name = vendor.name();
    match said.error {
        "temporarily_unavailable" | "server_error" | "internal_failure" => away(vendor),
        _ if status == 429 || said.error == "slow_down" || said.error == "rate_limit_exceeded" => ProviderError::new(
            Throttled,
            "provider_throttled",
            format!("{name} asks to go slower. It goes on by itself."),
        ),
        _ if status >= 500 || status < 400 => away(vendor),
        "invalid_client" | "deleted_client" | "disabled_client" => client_rejected(vendor, said),
        _ if matches!(said.number, 7_000_215 | 7_000_222) => client_rejected(vendor, said),
        "invalid_grant" if step == Step::Service => service_refused(said),
        "unauthorized_client" if step == Step::Service && vendor == Vendor::Google => ProviderError::new(
            NeedsOperator,
            "service_delegation_missing",
            "Google does not let the service account into this mailbox. In the Google Admin console, under Security > API \
             controls > Domain-wide delegation, allow its client id the scope https://www.googleapis.com/auth/gmail.modify.",
        ),
        "invalid_grant" if step == Step::Code => ProviderError::new(
            Refused,
            "oauth_code_refused",
            format!(
                "{name} did not accept the answer of the sign-in: it took too long, or was used before. Start again."
            ),
        ),
        "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => grant_ended(vendor, said),
        "admin_policy_enforced" | "access_denied" => ProviderError::new(
            NeedsPerson,
            "oauth_policy",
            format!(
                "An administrator at {name} does not permit Duplex to use this mailbox. Ask the administrator to allow \
                     it, then connect the mailbox again."
            ),
        ),
        "invalid_scope" => ProviderError::new(
            NeedsOperator,
            "oauth_scope_refused",
            format!(
                "{name} does not know what Duplex asks for ({}). The operator of this server must enable the mail \
                     permissions of the application.",
                said.words()
            ),
        ),
        "unauthorized_client" | "redirect_uri_mismatch" | "unsupported_grant_type" | "invalid_request" => {
            ProviderError::new(
                NeedsOperator,
                "oauth_client_refused",
                format!(
                    "{name} refuses the application of this server ({}). The operator must compare its settings with \
                         those of the application: id, secret, redirect URI, tenant.",
                    said.words()
                ),
            )
        }
        _ => ProviderError::new(Refused, "oauth_refused", format!("{name} refused it: {}.", said.words())),
    }
}

fn client_rejected(vendor: Vendor, said: &Refusal<'_>) -> ProviderError {
    let detail = match (vendor, said.number) {
        (Vendor::Microsoft, 7_000_222) => {
            "The client secret of the application at Microsoft has expired. The operator of this server must make a new \
             one in Entra ID and set MICROSOFT_CLIENT_SECRET. No mailbox needs to be connected again."
        }
        (Vendor::Microsoft, _) => {
            "Microsoft does not accept the id or secret of the application. The operator of this server must correct \
             MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET (the secret's value, not its id). No mailbox needs to be \
             connected again."
        }
        (Vendor::Google, _) => {
            "Google does not accept the OAuth client of this server: its secret is wrong, or it was deleted. The operator \
             must correct GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET. No mailbox needs to be connected again."
        }
    };
    ProviderError::new(ProviderErrorKind::NeedsOperator, "oauth_client_rejected", detail)
}

fn service_refused(said: &Refusal<'_>) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::NeedsOperator,
        "service_account_refused",
        format!(
            "Google refuses the service account for this mailbox ({}). Is the mailbox one of the Workspace, the key file \
             the present one, and the clock of this server right?",
            said.words()
        ),
    )
}

fn grant_ended(vendor: Vendor, said: &Refusal<'_>) -> ProviderError {
    let person = |code, detail: &str| ProviderError::new(ProviderErrorKind::NeedsPerson, code, detail);
    if vendor == Vendor::Google {
        return person(
            "oauth_revoked",
            "Google has ended the access that was granted to Duplex. That happens when it is withdrawn in the Google \
             account, when the password is changed, and after six months without use. Connect the mailbox again.",
        );
    }
    if said.error == "consent_required" || said.suberror == "consent_required" || matches!(said.number, 65_001 | 90_094)
    {
        return person(
            "oauth_consent_required",
            "Microsoft asks for consent again: it was withdrawn, or an administrator has to give it. Connect the mailbox \
             again; if an approval is asked for, an administrator of the organization must give it first.",
        );
    }
    if said.error != "invalid_grant" || matches!(said.suberror, "basic_action" | "additional_action") {
        return person(
            "oauth_interaction_required",
            "Microsoft wants the owner of the mailbox to sign in again, for instance with a second factor. Connect the \
             mailbox again.",
        );
    }
    match said.number {
        50_173 | 50_089 | 70_046 => person(
            "oauth_revoked",
            "Microsoft has ended the access: the password was reset, or all sessions were signed out. Connect the mailbox \
             again.",
        ),
        70_008 | 700_082 | 700_084 => person(
            "oauth_expired",
            "Microsoft has ended the access, because it was not used for 90 days. Connect the mailbox again.",
        ),
        50_053 | 50_057 | 50_034 => person(
            "oauth_account_blocked",
            "The account is blocked or gone at Microsoft. When an administrator has restored it, connect the mailbox again.",
        ),
        50_076 | 50_079 | 50_158 | 53_000..=53_004 => person(
            "oauth_interaction_required",
            "A policy of the organization wants the owner of the mailbox to sign in again, for instance with a second \
             factor. Connect the mailbox again.",
        ),
        _ => person(
            "oauth_revoked",
            "Microsoft has ended the access that was granted to Duplex: it was withdrawn, an administrator has reset the \
             account, or it was not used for 90 days. Connect the mailbox again.",
        ),
    }
}

/// How long a grant lived, as far as that helps to tell why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Since the person consented.
    pub age: Duration,
    /// What the provider announced then.
    pub announced: Option<Duration>,
}

impl Ended {
    /// The same refusal with the likely cause: Google never says why a grant is over.
    pub fn explain(self, vendor: Vendor, error: ProviderError) -> ProviderError {
        if vendor != Vendor::Google || error.code != "oauth_revoked" {
            return error;
        }
        let is_over = |life: Duration| self.age + Duration::from_secs(3600) >= life;
        let detail = match self.announced {
            Some(life) if is_testing(life) && is_over(life) => TESTING_ENDED,
            Some(life) if is_over(life) => {
                return ProviderError {
                    code: "oauth_time_limit",
                    detail:
                        "The access was granted to Duplex for a limited time, which is over. Connect the mailbox again."
                            .to_owned(),
                    ..error
                };
            }
            None if ABOUT_A_WEEK.contains(&self.age) => TESTING_ENDED,
            _ => return error,
        };
        ProviderError { code: "oauth_testing_expired", detail: detail.to_owned(), ..error }
    }
}

/// Whether a refresh token lives as long as those of a Google project that is being tested.
pub fn is_testing(life: Duration) -> bool {
    life <= TESTING + Duration::from_secs(3600) && life + Duration::from_secs(86_400) > TESTING
}

const TESTING_ENDED: &str = "Google ended the access after seven days, as it does for projects whose publishing status is \
     \"Testing\". Connect the mailbox again; it recurs every 7 days until the operator of this server makes the Google \
     project Internal (Workspace) or publishes it to Production.";

/// A consent that the provider sent back with an error, as it names it (RFC 6749 §4.1.2.1).
pub fn refused_consent(vendor: Vendor, error: &str, subcode: &str) -> ProviderError {
    let name = vendor.name();
    match error {
        "access_denied" if subcode.is_empty() || subcode == "cancel" => ProviderError::new(
            ProviderErrorKind::NeedsPerson,
            "access_denied",
            format!("Access was not granted at {name}, so nothing was connected. Start again whenever you like."),
        ),
        "consent_required" | "interaction_required" | "login_required" => {
            let said = Refusal { error, ..Refusal::default() };
            refused(vendor, Step::Refresh, 400, &said)
        }
        "admin_policy_enforced" | "access_denied" => {
            refused(vendor, Step::Refresh, 400, &Refusal { error: "admin_policy_enforced", ..Refusal::default() })
        }
        _ => refused(vendor, Step::Refresh, 400, &Refusal { error: known(error), ..Refusal::default() }),
    }
}

/// Only words of the specification: anybody can write the address of the callback.
fn known(error: &str) -> &'static str {
    const WORDS: [&str; 6] = [
        "temporarily_unavailable",
        "server_error",
        "invalid_scope",
        "unauthorized_client",
        "invalid_request",
        "invalid_client",
    ];
    WORDS.into_iter().find(|word| *word == error).unwrap_or_default()
}

/// The person left something out that is needed.
pub fn scopes_missing(vendor: Vendor, missing: &[String]) -> ProviderError {
    let name = vendor.name();
    ProviderError::new(
        ProviderErrorKind::NeedsPerson,
        "oauth_scope_missing",
        format!(
            "Duplex was not given all that it needs at {name}; missing: {}. Connect the mailbox again and leave every box \
             ticked.",
            missing.join(", ")
        ),
    )
}

/// The mailbox waits for a person already.
pub fn not_connected() -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::NeedsPerson,
        "account_disconnected",
        "The mailbox is disconnected. Connect it again.",
    )
}

fn away(vendor: Vendor) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_unavailable",
        format!("The sign-in service of {} is not available now. It is tried again by itself.", vendor.name()),
    )
}

/// Nobody answered.
pub(super) fn unreachable(vendor: Vendor) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_unreachable",
        format!("The sign-in service of {} cannot be reached. It is tried again by itself.", vendor.name()),
    )
}

/// An answer without a token.
pub(super) fn nonsense(vendor: Vendor) -> ProviderError {
    ProviderError::new(
        ProviderErrorKind::Unavailable,
        "provider_answer_invalid",
        format!("The answer of the sign-in service of {} makes no sense. It is asked again by itself.", vendor.name()),
    )
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.with_timezone(&chrono::Utc) - chrono::Utc::now()).to_std().unwrap_or_default())
}
