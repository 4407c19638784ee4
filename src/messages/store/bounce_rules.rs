//! What a delivery report means for a recipient (RFC 3464 §2.3, RFC 3463). Pure.

use crate::mail::BounceRecipient;
use crate::mail::limits::truncate;

/// Longest reply of a server that is kept, in bytes.
const MAX_WORDS: usize = 500;

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// It will never be delivered.
    pub failed: bool,
    /// It will be tried again, and that takes longer than usual.
    pub delayed: bool,
    /// The address takes no mail at all.
    pub is_hard: bool,
    /// The reply code of SMTP, where the report quotes it.
    pub code: Option<i32>,
    /// Status and words of the server.
    pub words: Option<String>,
}

impl Outcome {
    /// What a recipient's delivery becomes, if it changes: a later word about a delay does not take a failure back.
    pub fn delivery(&self, known: Option<&str>) -> Option<&'static str> {
        match known {
            _ if self.failed => Some("bounced"),
            Some("bounced" | "refused") => None,
            _ => self.delayed.then_some("delayed"),
        }
    }
}

/// Reads what a report says of a recipient.
pub(super) fn outcome(report: &BounceRecipient) -> Outcome {
    let status = report.status.as_deref().unwrap_or_default();
    let diagnostic = report.diagnostic.as_deref().unwrap_or_default();
    let code = reply_code(diagnostic);
    let (failed, delayed) = match report.action.as_deref() {
        Some("failed") => (true, false),
        Some("delayed") => (false, true),
        Some(_) => (false, false),
        None => (status.starts_with('5') || code.is_some_and(|code| code >= 500), false),
    };
    let mut words = format!("{status} {diagnostic}").split_whitespace().collect::<Vec<_>>().join(" ");
    truncate(&mut words, MAX_WORDS);
    let words = Some(words).filter(|words| !words.is_empty());
    Outcome { failed, delayed, is_hard: is_hard(status, diagnostic, code), code, words }
}

/// Whether the address is to blame, and for good. What a full mailbox, a policy or a size limit refuses says nothing about
/// the address.
fn is_hard(status: &str, diagnostic: &str, code: Option<i32>) -> bool {
    // Gateways write x.0.0 where they know no more; the server's own words may.
    let vague = status.is_empty() || status.ends_with(".0.0");
    let detailed = Some(status).filter(|_| !vague).or_else(|| enhanced_code(diagnostic));
    match detailed {
        Some(status) => {
            let passing = ["5.2.2", "5.2.3", "5.3.4"].contains(&status) || status.starts_with("5.7.");
            status.starts_with("5.") && !passing
        }
        None => status.starts_with("5.") || code.is_some_and(|code| code >= 500 && code != 552),
    }
}

/// The first enhanced status code in a text, such as `5.1.1`.
fn enhanced_code(text: &str) -> Option<&str> {
    let tokens = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|token| token.trim_matches('.'));
    let mut codes = tokens.filter(|token| {
        let parts: Vec<&str> = token.split('.').collect();
        let sizes = parts.iter().skip(1).all(|part| (1..=3).contains(&part.len()));
        parts.len() == 3 && sizes && parts.first().is_some_and(|class| matches!(*class, "2" | "4" | "5"))
    });
    codes.next()
}

/// The reply code that a diagnostic begins with, after its type: `smtp; 550 5.1.1 No such user`.
fn reply_code(diagnostic: &str) -> Option<i32> {
    let text =
        diagnostic.split_once(';').filter(|(kind, _)| kind.trim().len() < 12).map_or(diagnostic, |(_, text)| text);
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit()).get(..3)?;
    let code = digits.parse().ok()?;
    (200..600).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(action: &str, status: &str, diagnostic: &str) -> Outcome {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        outcome(&BounceRecipient {
            address: "a@b.example".to_owned(),
            action: text(action),
            status: text(status),
            diagnostic: text(diagnostic),
        })
    }

    #[test]
    fn an_address_that_does_not_exist_is_hard_and_what_may_pass_is_soft() {
        for (status, diagnostic) in [
            ("5.1.1", "smtp; 550 5.1.1 No such user"),
            ("5.0.0", ""),
            ("5.0.0", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
            ("", "550 User unknown"),
            ("5.4.4", "Host not found"),
        ] {
            let outcome = said("failed", status, diagnostic);
            assert!(outcome.failed && outcome.is_hard, "{status} {diagnostic}");
        }
        for (status, diagnostic) in [
            ("5.2.2", "smtp; 552 5.2.2 Mailbox full"),
            ("5.0.0", "smtp; 552 5.2.2 Over quota"),
            ("5.7.1", "smtp; 550 5.7.1 Rejected by policy"),
            ("5.3.4", "Message too big"),
            ("4.4.7", "Message expired"),
            ("", ""),
        ] {
            let outcome = said("failed", status, diagnostic);
            assert!(outcome.failed && !outcome.is_hard, "{status} {diagnostic}");
        }
    }

    #[test]
    fn only_a_failure_is_a_failure() {
        let delayed = said("delayed", "4.4.1", "smtp; 421 busy");
        assert!(!delayed.failed && delayed.delayed && !delayed.is_hard);
        assert_eq!((delayed.delivery(Some("accepted")), delayed.delivery(Some("bounced"))), (Some("delayed"), None));
        let delivered = said("delivered", "2.0.0", "");
        assert!(!delivered.failed && delivered.delivery(Some("accepted")).is_none());
        assert!(said("", "5.1.1", "").failed);
    }

    #[test]
    fn the_words_of_the_server_are_kept_in_measure() {
        let outcome = said("failed", "5.1.1", "smtp; 550 5.1.1\n  No such user");
        assert_eq!((outcome.code, outcome.words.as_deref()), (Some(550), Some("5.1.1 smtp; 550 5.1.1 No such user")));
        assert_eq!(said("failed", "", &"ä".repeat(600)).words.map(|words| words.len()), Some(500));
        assert_eq!(said("failed", "5.1.1", "x-unix; status 67").code, None);
    }
}
