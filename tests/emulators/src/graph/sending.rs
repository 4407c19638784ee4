//! Mails that leave: what is refused at once, and what is handed to the transport.

use super::call::{Body, Call};
use super::changes::leaving;
use super::drafts;
use super::errors::ApiError;
use super::mailbox::{Journal, NewMail};
use super::model::{Content, Recipient};
use super::state::State;
use super::transport::Transit;
use crate::shared::faults::RetryAfter;
use crate::shared::http::Reply;
use serde_json::Value;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const MAILS_A_MINUTE: usize = 30;
const RECIPIENTS_A_DAY: usize = 10_000;
const MOST_RECIPIENTS: usize = 500;
/// The most bytes of a mail, as organisations have it unless they changed it.
const LARGEST: usize = 35 * 1024 * 1024;

/// `POST messages/{id}/send`: accepted, which is not delivered.
pub fn send(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let key = call.mail()?;
    let mail = call.mailbox()?.mails.get(&key).cloned().ok_or_else(ApiError::not_found)?;
    if mail.is_leaving {
        return Err(leaving());
    }
    if !mail.is_draft {
        return Err(ApiError::denied());
    }
    let user = call.user.clone();
    check(call.state, &user, &mail.content)?;
    if let Some(mail) = call.mailbox()?.mails.get_mut(&key) {
        mail.is_leaving = true;
    }
    let due = call.state.now() + call.state.settings.send_delay_millis;
    call.state.transit.push(Transit { user, key, due, saves: true });
    Ok(Reply::empty(202))
}

/// `POST sendMail`.
pub fn send_mail(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let now = call.state.now();
    let saves = call.value("saveToSentItems").and_then(Value::as_bool).unwrap_or(true);
    let content = match &call.body {
        Body::Mime(raw) => drafts::from_mime(call.state, &call.user, raw),
        _ => {
            let message = call.value("message").cloned();
            let message = message.ok_or_else(|| ApiError::bad_request("The parameter message is missing."))?;
            drafts::check(&message)?;
            drafts::check_attachments(&message, now)?;
            let mut content = drafts::blank(call.state, &call.user);
            drafts::fill_content(&mut content, &message, now);
            content
        }
    };
    at_once(call, content, None, saves)?;
    Ok(Reply::empty(202))
}

/// Sends a mail that was no draft.
pub fn at_once(call: &mut Call<'_>, content: Content, conversation: Option<u64>, saves: bool) -> Result<(), ApiError> {
    let user = call.user.clone();
    check(call.state, &user, &content)?;
    let said = call.value("message").cloned().unwrap_or(Value::Null);
    hand_over(call.state, &user, content, conversation, saves, &said);
    Ok(())
}

/// Gives a mail that lies nowhere yet to the transport.
pub fn hand_over(
    state: &mut State,
    user: &str,
    content: Content,
    conversation: Option<u64>,
    saves: bool,
    said: &Value,
) -> Option<u64> {
    let (now, subject_joins) = (state.now(), state.subject_joins(user));
    let mailbox = state.mailboxes.get_mut(user)?;
    let new = NewMail {
        content,
        received: now,
        sent: now,
        now,
        is_draft: true,
        is_read: true,
        conversation,
        subject_joins,
        ..NewMail::default()
    };
    // It is seen by nobody before it lies in Sent Items.
    let key = mailbox.place(new, &mut Journal::new());
    if let Some(mail) = mailbox.mails.get_mut(&key) {
        super::extended::set(mail, said);
        mail.importance_from(said);
        mail.is_leaving = true;
    }
    let due = now + state.settings.send_delay_millis;
    state.transit.push(Transit { user: user.to_owned(), key, due, saves });
    Some(key)
}

/// Everybody it goes to.
pub fn everybody(content: &Content) -> Vec<&Recipient> {
    content.to.iter().chain(&content.cc).chain(&content.bcc).collect()
}

/// Whether a text can be an address at all.
fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@') && !text.contains([' ', '<', '>', ','])
    })
}

/// Refuses what is never accepted, and counts the rest against the allowances.
fn check(state: &mut State, user: &str, content: &Content) -> Result<(), ApiError> {
    let recipients = everybody(content);
    let count = recipients.len();
    if count == 0 || count > MOST_RECIPIENTS || recipients.iter().any(|one| !is_address(&one.address)) {
        let text = "At least one recipient is not valid.";
        return Err(ApiError::new(400, "ErrorInvalidRecipients", text));
    }
    let size: usize = content.attachments.iter().map(|one| one.len() * 4 / 3).sum();
    let body = content.html.as_ref().or(content.text.as_ref()).map_or(0, String::len);
    if size + body > LARGEST {
        return Err(ApiError::too_large());
    }
    let own = state.user(user)?;
    let from = content.from.as_ref().map(|from| from.address.as_str()).unwrap_or_default();
    if !own.owns(from) && !own.sends_as.contains(&from.to_lowercase()) {
        let text = "The user account which was used to submit this request does not have the right to send mail on \
                    behalf of the specified sending account.";
        return Err(ApiError::new(403, "ErrorSendAsDenied", text));
    }
    count_sending(state, user, count)
}

fn count_sending(state: &mut State, user: &str, recipients: usize) -> Result<(), ApiError> {
    let now = state.now();
    let mailbox = state.mailbox(user)?;
    while mailbox.sent_at.front().is_some_and(|at| at + MINUTE <= now) {
        mailbox.sent_at.pop_front();
    }
    while mailbox.recipients_at.front().is_some_and(|(at, _)| at + DAY <= now) {
        mailbox.recipients_at.pop_front();
    }
    let wait = |until: i64| RetryAfter::Seconds(u64::try_from((until - now) / 1000 + 1).unwrap_or(1));
    if mailbox.sent_at.len() >= MAILS_A_MINUTE {
        let until = mailbox.sent_at.front().map_or(now, |at| at + MINUTE);
        let text = "The mailbox is over its limit of messages per minute.";
        return Err(ApiError::new(429, "ApplicationThrottled", text).retry_after(wait(until), now));
    }
    let today: usize = mailbox.recipients_at.iter().map(|(_, count)| count).sum();
    if today + recipients > RECIPIENTS_A_DAY {
        let until = mailbox.recipients_at.front().map_or(now, |(at, _)| at + DAY);
        let text = "The mailbox is over its limit of recipients per day.";
        return Err(ApiError::new(429, "ErrorExceededMessageLimit", text).retry_after(wait(until), now));
    }
    mailbox.sent_at.push_back(now);
    mailbox.recipients_at.push_back((now, recipients));
    Ok(())
}
