//! Delivery reports in prose, as qmail, Exim, Exchange and others write them.

use super::mime::tree::Part;
use super::model::{BounceRecipient, ParsedMail};
use super::{address, bounce};

/// Most lines of a report that are searched.
const MAX_LINES: usize = 200;

/// The failed recipients of a report in prose; nothing if the mail is no such report.
pub fn recipients(root: &Part<'_>, mail: &ParsedMail) -> Option<Vec<BounceRecipient>> {
    let named = root.headers.first("x-failed-recipients");
    if named.is_none() && !is_from_a_mail_system(mail) && !is_subject_of_a_report(&mail.subject) {
        return None;
    }
    if let Some(value) = named {
        let list = address::parse_raw(value).into_iter();
        return Some(list.map(|mailbox| failed(mailbox.address, String::new())).collect());
    }
    let text = mail.body_text.as_deref().unwrap_or_default();
    if !speaks_of_failure(&mail.subject) && !speaks_of_failure(super::limits::prefix(text, 2_000)) {
        return None;
    }
    let own: Vec<String> = mail.to.iter().map(|to| to.address.to_lowercase()).collect();
    let mut found = in_text(text);
    found.retain(|one| !own.contains(&one.address.to_lowercase()));
    if found.is_empty() {
        found = in_sentences(text);
        found.retain(|one| !own.contains(&one.address.to_lowercase()));
    }
    Some(found)
}

pub fn is_from_a_mail_system(mail: &ParsedMail) -> bool {
    let empty_path = mail.header("return-path").is_some_and(|path| path.trim() == "<>");
    let author = mail.author().map(|author| author.address.to_lowercase());
    let author = author.unwrap_or_default();
    let local = author.split('@').next().unwrap_or_default();
    let path = mail.header("return-path").unwrap_or_default();
    let name = author_name(mail);
    let names = ["mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mdaemon", "mmdf"];
    empty_path
        || author.is_empty()
        || name.contains("mail delivery")
        || path.to_lowercase().starts_with("<mailer-daemon@")
        || names.iter().any(|name| local.starts_with(name))
        || local.starts_with("microsoftexchange")
}

fn author_name(mail: &ParsedMail) -> String {
    let name = mail.from.as_ref().and_then(|from| from.name.as_deref());
    name.unwrap_or_default().to_lowercase()
}

/// Subjects that only mail systems write.
fn is_subject_of_a_report(subject: &str) -> bool {
    const STARTS: [&str; 8] = [
        "undelivered mail returned to sender",
        "mail delivery failed",
        "undeliverable:",
        "failure notice",
        "delivery status notification (failure)",
        "returned mail:",
        "mail delivery failure",
        "delivery failure",
    ];
    let lower = subject.trim().to_lowercase();
    STARTS.iter().any(|start| lower.starts_with(start))
}

fn speaks_of_failure(text: &str) -> bool {
    const PHRASES: [&str; 26] = [
        "undeliver",
        "delivery fail",
        "delivery status notification",
        "failure notice",
        "returned mail",
        "mail delivery",
        "delivery has failed",
        "could not be delivered",
        "not delivered",
        "non-delivery",
        "nondeliverable",
        "unzustellbar",
        "returning message",
        "returned to sender",
        "delivery error",
        "message rejected",
        "delivery problem",
        "permanent error",
        "fatal error",
        "unable to deliver",
        "cannot be delivered",
        "wasn't delivered",
        "undelivered",
        "rejected",
        "mail system error",
        "user unknown",
    ];
    let lower = text.to_lowercase();
    PHRASES.iter().any(|phrase| lower.contains(phrase))
}

/// Addresses that stand alone or at the head of a line before the returned mail begins.
fn in_text(text: &str) -> Vec<BounceRecipient> {
    let mut found: Vec<BounceRecipient> = Vec::new();
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    for (at, line) in lines.iter().enumerate() {
        if begins_returned_mail(line) {
            break;
        }
        let Some((address, rest)) = leading_address(line) else {
            continue;
        };
        let known = found.iter().any(|one| one.address.eq_ignore_ascii_case(&address));
        if !known && found.len() < 100 {
            found.push(failed(address, reason(&lines, at, rest)));
        }
    }
    found
}

/// The first bracketed address of a sentence, as in `an error delivering your mail to <a@example.org>`.
fn in_sentences(text: &str) -> Vec<BounceRecipient> {
    let lines = text.lines().take(MAX_LINES);
    let before = lines.take_while(|line| !begins_returned_mail(line));
    for line in before {
        let bracketed = line.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
        let candidates = bracketed.map(|(inner, _)| inner);
        let bullet = line.trim_start().strip_prefix("* ");
        let address = candidates.chain(bullet).find_map(|inner| {
            let parsed = address::parse(inner).into_iter().next()?;
            parsed.address.contains('@').then_some(parsed.address)
        });
        if let Some(address) = address {
            return vec![failed(address, line.trim().to_owned())];
        }
    }
    Vec::new()
}

fn begins_returned_mail(line: &str) -> bool {
    let lower = line.trim().to_lowercase();
    let marks = ["copy of the message", "original message", "unsent message", "returned message"];
    (lower.starts_with("--") && marks.iter().any(|mark| lower.contains(mark)))
        || lower.starts_with("--- below this line is a copy")
        || lower.starts_with("received: from")
        || lower.starts_with("return-path:")
}

/// `<a@example.org>: reason`, `a@example.org` alone, or `Recipient: <a@example.org>`.
fn leading_address(line: &str) -> Option<(String, &str)> {
    let trimmed = line.trim();
    let lower = trimmed.to_ascii_lowercase();
    let labels = ["recipient:", "to:", "recipient address:", "final-recipient:", "failed recipient:", "rcpt to:"];
    let label = labels.iter().find(|label| lower.starts_with(**label));
    let body = trimmed.get(label.map_or(0, |label| label.len())..)?.trim_start();
    let body = body.strip_prefix("rfc822;").unwrap_or(body).trim_start();
    let end = body.find(|c: char| c.is_whitespace() || matches!(c, '>' | ':' | ',' | ';' | '('));
    let (head, rest) = body.split_at(end.unwrap_or(body.len()));
    let head = head.trim_start_matches(['<', '"', '(', '[', '\'']);
    let bracketed = body.starts_with('<') && rest.starts_with('>');
    let rest = rest.trim_start_matches(['>', ':', ',', ';', '.', ')', '"']).trim();
    let plausible = head.contains('@') && (bracketed || rest.is_empty() || label.is_some() || body.contains(':'));
    let mailbox = address::parse(head.trim_end_matches(['.', '"', ')', ']', '\''])).into_iter().next()?;
    plausible.then_some((mailbox.address, rest))
}

/// What is said about an address: the rest of its line and the lines up to the next blank one.
fn reason(lines: &[&str], at: usize, rest: &str) -> String {
    let mut reason = rest.to_owned();
    for line in lines.iter().skip(at + 1).take(6) {
        if line.trim().is_empty() || leading_address(line).is_some() {
            break;
        }
        reason.push(' ');
        reason.push_str(line.trim());
    }
    reason.trim().to_owned()
}

fn failed(address: String, reason: String) -> BounceRecipient {
    BounceRecipient {
        address,
        action: Some("failed".into()),
        status: status_code(&reason),
        diagnostic: (!reason.is_empty()).then(|| bounce::bounded(reason)),
    }
}

/// The first enhanced status code in a text, such as `5.1.1`.
fn status_code(text: &str) -> Option<String> {
    let tokens = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    let mut codes = tokens.filter(|token| {
        let fields: Vec<&str> = token.split('.').collect();
        let class = matches!(fields.first(), Some(&("4" | "5")));
        class && fields.len() == 3 && fields.iter().all(|field| (1..=3).contains(&field.len()))
    });
    codes.next().map(str::to_owned)
}

/// The Message-ID of a mail returned as plain text.
pub fn original_message_id(text: &str) -> Option<String> {
    let mut lines = text.lines().take(2_000);
    let line = lines.find(|line| {
        let head = line.trim_start().get(..11);
        head.is_some_and(|head| head.eq_ignore_ascii_case("message-id:"))
    })?;
    let (_, value) = line.split_once(':')?;
    super::message_id::single(value.as_bytes())
}
