//! Orders: `users.watch` for each live mailbox, renewed daily, and `users.stop` for those that are paused.

use std::sync::Arc;

use chrono::Duration;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Account, Order, Promise, Provider, Status};
use crate::clock::Timestamp;
use crate::providers::gmail::{GmailMailbox, Lane, Watch};
use crate::providers::oauth::AccessTokens;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::push::{GmailPush, PushParts};

/// Orders that are made at once.
const AT_ONCE: usize = 4;

/// Orders that are claimed at once.
const CLAIMED: i64 = 40;

/// Google recommends to renew daily, and lets an order end after seven days.
const DAILY: Duration = Duration::days(1);

/// How long an order lasts when the answer does not say.
const LASTS: Duration = Duration::days(7);

/// The first wait after a failure that may pass by itself, and after one that somebody must mend.
const SOON: Duration = Duration::minutes(1);
const LATER: Duration = Duration::minutes(15);

/// At the start: what failed is tried again, and what was ordered for another topic is ordered anew.
pub(in crate::push) async fn begin(parts: &PushParts, settings: &GmailPush) {
    match parts.accounts.reorder(Provider::Gmail, Some(&settings.topic)).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "Gmail is asked anew to tell of news"),
        Err(error) => tracing::warn!(%error, "orders for notifications could not be looked through"),
    }
}

/// Without a topic nobody rings: what is ordered ends by itself within seven days.
pub(in crate::push) async fn silence(parts: &PushParts) {
    match parts.accounts.silence_all(Provider::Gmail).await {
        Ok(0) => {}
        Ok(count) => {
            tracing::info!(count, "GOOGLE_PUBSUB_TOPIC is not set any more: news of Gmail is found by polling")
        }
        Err(error) => tracing::warn!(%error, "mailboxes could not be marked as not rung for"),
    }
}

/// Makes the orders that are due, and ends those of mailboxes that nobody syncs.
pub(in crate::push) async fn keep_orders(
    parts: &PushParts,
    settings: &GmailPush,
    stop: &CancellationToken,
) -> diesel::QueryResult<()> {
    loop {
        let due = parts.accounts.claim_orders(Provider::Gmail, CLAIMED).await?;
        let is_last = due.is_empty();
        let work = futures_util::stream::iter(due).for_each_concurrent(AT_ONCE, async |order| {
            if let Err(error) = renew(parts, settings, &order).await {
                tracing::warn!(account.id = %order.account, %error, "an order for notifications could not be written down");
            }
        });
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => return Ok(()),
        }
        if is_last {
            break;
        }
    }
    for order in parts.accounts.rung_in_vain(Provider::Gmail).await? {
        // Without access nothing can be ended: what was ordered ends by itself.
        let account = parts.accounts.find(order.org, order.account).await?;
        if let Some(account) = account.filter(|account| account.status != Status::Disconnected) {
            end(parts, &account, &mailbox(parts, &account)).await;
        }
        parts.accounts.note_silence(order.account).await?;
    }
    Ok(())
}

/// A mailbox leaves; its tokens are good for a last call.
pub(in crate::push) async fn leave(parts: &PushParts, account: &Account, tokens: Arc<dyn AccessTokens>) {
    if account.provider == Provider::Gmail && account.webhook_expires_at.is_some() {
        let mailbox = parts.gmail.mailbox(account.id.to_string(), tokens, Lane::Interactive);
        end(parts, account, &mailbox).await;
    }
}

async fn renew(parts: &PushParts, settings: &GmailPush, order: &Order) -> diesel::QueryResult<()> {
    let Some(account) = parts.accounts.find(order.org, order.account).await? else { return Ok(()) };
    match watch(&mailbox(parts, &account), &settings.topic).await {
        Ok(watch) => {
            let now = parts.clock.now();
            let until = watch.expires_at.map_or(now + LASTS, Timestamp::from);
            let promise = Promise {
                push: settings.word(),
                reference: &settings.topic,
                until,
                renew_at: renewal(now, until),
                secret_hash: None,
            };
            tracing::debug!(account.id = %order.account, %until, "Gmail tells of news");
            parts.accounts.note_promise(order.account, &promise).await
        }
        Err(error) => {
            let (wait, is_told) = trouble(&error);
            tracing::warn!(account.id = %order.account, error.code = error.code, %error, "Gmail could not be asked to tell of news");
            let words = is_told.then_some((error.code, error.detail.as_str()));
            parts.accounts.note_refusal(order.account, wait, words).await
        }
    }
}

/// Orders notifications. Another topic of the same project, which an earlier set-up may have left, is stopped first.
async fn watch(mailbox: &GmailMailbox, topic: &str) -> Result<Watch, ProviderError> {
    match mailbox.watch(topic, &[]).await {
        Err(error) if error.kind == ProviderErrorKind::Conflict => {
            mailbox.stop_watch().await?;
            mailbox.watch(topic, &[]).await
        }
        answer => answer,
    }
}

/// Ends the notifications of a mailbox, unless another one of the same address counts on them. They end by themselves
/// anyway, and are of no effect here: a failure does no harm.
async fn end(parts: &PushParts, account: &Account, mailbox: &GmailMailbox) {
    match parts.accounts.shares_bell(account.id, Provider::Gmail, &account.email_address).await {
        Ok(false) => {}
        Ok(true) => return,
        Err(error) => {
            tracing::warn!(%error, "mailboxes of one address could not be read");
            return;
        }
    }
    if let Err(error) = mailbox.stop_watch().await {
        tracing::debug!(account.id = %account.id, %error, "notifications could not be ended; they end by themselves");
    }
}

fn mailbox(parts: &PushParts, account: &Account) -> GmailMailbox {
    parts.gmail.mailbox(account.id.to_string(), parts.accounts.tokens(account), Lane::Background)
}

/// When an order is renewed: daily, or at half-life where it lasts less.
fn renewal(now: Timestamp, until: Timestamp) -> Timestamp {
    now + DAILY.min((until - now) / 2).max(SOON)
}

/// How long to wait after a failure, and whether people are told of it.
fn trouble(error: &ProviderError) -> (Duration, bool) {
    if error.passes() {
        let asked = error.retry_after.and_then(|wait| Duration::from_std(wait).ok());
        (asked.unwrap_or(SOON).max(SOON), false)
    } else {
        (LATER, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_renewed_daily_or_at_half_life() {
        let now = Timestamp::from_micros(1_000_000_000_000).unwrap();
        let renewed_after = |lasts| renewal(now, now + lasts) - now;
        assert_eq!(renewed_after(Duration::days(7)), Duration::days(1));
        assert_eq!(renewed_after(Duration::hours(10)), Duration::hours(5));
        assert_eq!(renewed_after(Duration::seconds(-5)), SOON);
    }

    #[test]
    fn people_hear_of_what_does_not_pass_by_itself() {
        let error = |kind| ProviderError::new(kind, "code", "detail");
        assert_eq!(trouble(&error(ProviderErrorKind::Unavailable)), (SOON, false));
        assert_eq!(trouble(&error(ProviderErrorKind::NeedsOperator)), (LATER, true));
        let wait = std::time::Duration::from_secs(600);
        let slow = ProviderError { retry_after: Some(wait), ..error(ProviderErrorKind::Throttled) };
        assert_eq!(trouble(&slow), (Duration::minutes(10), false));
    }
}
