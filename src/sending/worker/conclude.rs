//! From a server's answers to what becomes of a mail: a pure function.

use super::backoff::{MOST_ATTEMPTS, pause};
use crate::messages::MailStatus;
use crate::providers::smtp::{Delivery, SmtpReply};
use crate::sending::model::{Delivered, Outgoing, Recipient};
use crate::sending::store::outcome::RecipientResult;

/// What becomes of a mail after an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// The results of the recipients that were tried.
    pub results: Vec<RecipientResult>,
    /// How far the mail is.
    pub status: MailStatus,
    /// A stable code and words for a person, where not all is well.
    pub why: Option<(&'static str, String)>,
    /// How long to wait before the next try, while it is queued.
    pub pause: Option<chrono::Duration>,
}

/// Decides what an answered attempt means. `tried` are the recipients of the envelope, in its order.
pub fn conclude(mail: &Outgoing, tried: &[&Recipient], delivery: &Delivery) -> Conclusion {
    let results: Vec<RecipientResult> =
        tried.iter().enumerate().map(|(number, recipient)| result(recipient, number, delivery)).collect();
    let after = |recipient: &Recipient| {
        let new = results.iter().find(|result| result.id == recipient.id).map(|result| result.delivered);
        new.or(recipient.delivered)
    };
    let real = || mail.recipients.iter().filter(|recipient| recipient.kind != "reply_to");
    let count = |wanted: &[Delivered]| real().filter(|row| after(row).is_some_and(|one| wanted.contains(&one))).count();
    let reached = count(&[Delivered::Accepted, Delivered::Delayed, Delivered::Bounced]);
    let waiting = count(&[Delivered::Deferred]);
    let said = |wanted: Delivered| words(tried, &results, wanted);
    if waiting == 0 {
        return match (reached, said(Delivered::Refused)) {
            (0, refusals) => {
                let why = refusals.unwrap_or_else(|| "The server refused the mail.".to_owned());
                Conclusion { results, status: MailStatus::Failed, why: Some(("smtp_rejected", why)), pause: None }
            }
            (_, refusals) => {
                let why = refusals.map(|words| ("recipients_refused", format!("Not for everybody: {words}")));
                Conclusion { results, status: MailStatus::Sent, why, pause: None }
            }
        };
    }
    let words = said(Delivered::Deferred).unwrap_or_default();
    if mail.attempts >= MOST_ATTEMPTS {
        let why = format!("Given up after three days. {words}");
        let status = if reached > 0 { MailStatus::Sent } else { MailStatus::Failed };
        return Conclusion { results, status, why: Some(("smtp_unavailable", why)), pause: None };
    }
    // A server may take only so many recipients at once: the rest go at once (RFC 5321 §4.5.3.1.10).
    let accepted_now = results.iter().any(|result| result.delivered == Delivered::Accepted);
    let too_many = delivery.recipients.iter().any(SmtpReply::is_too_many_recipients);
    let pause = if accepted_now && too_many { chrono::Duration::zero() } else { pause(mail.attempts) };
    let why = format!("The server asks to try again later; that is done by itself. {words}");
    Conclusion { results, status: MailStatus::Queued, why: Some(("smtp_deferred", why)), pause: Some(pause) }
}

fn result(recipient: &Recipient, number: usize, delivery: &Delivery) -> RecipientResult {
    let own = delivery.recipients.get(number);
    // Whoever was accepted shares the answer to the mail as a whole.
    let decisive = match own {
        Some(reply) if reply.is_accepted() => delivery.data.as_ref().or(own),
        other => other,
    };
    let delivered = match (decisive, &delivery.data) {
        (Some(reply), Some(_)) if reply.is_accepted() => Delivered::Accepted,
        (Some(reply), _) if reply.is_permanent() => Delivered::Refused,
        _ => Delivered::Deferred,
    };
    RecipientResult { id: recipient.id, delivered, said: decisive.map(said) }
}

fn said(reply: &SmtpReply) -> (u16, String) {
    let text = match &reply.enhanced {
        Some(enhanced) => format!("{enhanced} {}", reply.text),
        None => reply.text.clone(),
    };
    (reply.code, text)
}

/// The server's words for recipients with this result: each different answer once.
fn words(tried: &[&Recipient], results: &[RecipientResult], wanted: Delivered) -> Option<String> {
    let mut answers: Vec<(String, Vec<&str>)> = Vec::new();
    for (recipient, result) in tried.iter().zip(results).filter(|(_, result)| result.delivered == wanted) {
        let (code, text) = result.said.as_ref()?;
        let answer = format!("{code} {text}");
        match answers.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, people)) => people.push(&recipient.person.address),
            None => answers.push((answer, vec![&recipient.person.address])),
        }
    }
    let one = |(answer, people): (String, Vec<&str>)| {
        let more = people.len().saturating_sub(3);
        let named = people.into_iter().take(3).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{named}{more}: {answer}.")
    };
    (!answers.is_empty()).then(|| answers.into_iter().take(5).map(one).collect::<Vec<_>>().join(" "))
}
