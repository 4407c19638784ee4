//! Pulling: for servers that Google cannot reach. One worker in each process; copies share the subscription.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::accounts::Provider;
use crate::providers::gmail::{PubSub, Received, notification};
use crate::providers::oauth::AccessTokens;
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::push::service::Inner;

/// Messages that are fetched at once.
const AT_ONCE: u32 = 100;

/// Google waits a while when there is nothing; a server that does not is asked once a second.
const PACE: Duration = Duration::from_secs(1);

/// Waits after failures double up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Failures that may pass by themselves are told of when there were so many in a row.
const PATIENCE: u32 = 3;

/// How the API names mailboxes that are rung for in this way.
const WORD: &str = "pull";

/// What the mailboxes' health says of pulling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What an earlier run left there.
    Unknown,
    Well,
    Trouble,
}

/// Why a round failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the ring could not be written down: {0}")]
    Database(#[from] diesel::result::Error),
}

/// Pulls until told to stop.
pub(in crate::push) async fn pull(
    push: &Inner,
    pubsub: &PubSub,
    tokens: &dyn AccessTokens,
    subscription: &str,
    stop: &CancellationToken,
) {
    let (mut failures, mut told) = (0_u32, Told::Unknown);
    while !stop.is_cancelled() {
        let began = Instant::now();
        let round = tokio::select! {
            round = round(push, pubsub, tokens, subscription) => round,
            () = stop.cancelled() => return,
        };
        let pause = match round {
            Ok(count) => {
                failures = 0;
                if told != Told::Well {
                    tell(push, None).await;
                    told = Told::Well;
                }
                if count == 0 { PACE.saturating_sub(began.elapsed()) } else { Duration::ZERO }
            }
            Err(trouble) => {
                failures = failures.saturating_add(1);
                if let Some(error) = lasting(&trouble, failures) {
                    let (code, words) = explained(error);
                    if told != Told::Trouble {
                        told = Told::Trouble;
                        tracing::warn!(
                            code,
                            subscription,
                            error = words,
                            "news of Gmail cannot be pulled and is found by polling"
                        );
                    }
                    // Each time: mailboxes may have come meanwhile.
                    tell(push, Some((code, words))).await;
                } else {
                    tracing::debug!(%trouble, "news of Gmail could not be pulled; trying again");
                }
                wait(&trouble, failures)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Fetches messages, rings, and only then says that they were seen.
async fn round(push: &Inner, pubsub: &PubSub, tokens: &dyn AccessTokens, subscription: &str) -> Result<usize, Trouble> {
    let received = pubsub.pull(tokens, subscription, AT_ONCE).await?;
    for address in addresses(&received) {
        let rung = push.parts.accounts.ring_address(Provider::Gmail, &address).await?;
        push.announce(&rung);
    }
    if !received.is_empty() {
        let ids: Vec<String> = received.iter().map(|message| message.ack_id.clone()).collect();
        pubsub.acknowledge(tokens, subscription, &ids).await?;
    }
    Ok(received.len())
}

/// The mailboxes that messages are about, each once; what is not readable is about none.
fn addresses(received: &[Received]) -> BTreeSet<String> {
    let told = received.iter().filter_map(|message| notification(&message.data));
    told.map(|told| told.email_address.to_lowercase()).collect()
}

fn wait(trouble: &Trouble, failures: u32) -> Duration {
    let asked = match trouble {
        Trouble::Provider(error) => error.retry_after.unwrap_or_default(),
        Trouble::Database(_) => Duration::ZERO,
    };
    PACE.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT).max(asked)
}

/// The error of which people are told: one that does not pass by itself, or stays.
fn lasting(trouble: &Trouble, failures: u32) -> Option<&ProviderError> {
    match trouble {
        Trouble::Provider(error) => Some(error).filter(|error| !error.passes() || failures >= PATIENCE),
        Trouble::Database(_) => None,
    }
}

/// What is to be done, in the words of a subscription.
fn explained(error: &ProviderError) -> (&'static str, &str) {
    match error.kind {
        ProviderErrorKind::NotFound => (
            "push_subscription_missing",
            "The subscription of GOOGLE_PUBSUB_SUBSCRIPTION does not exist. Create it in Google's console, or correct the \
             setting.",
        ),
        ProviderErrorKind::NeedsPerson | ProviderErrorKind::Refused => (
            "push_subscription_forbidden",
            "The service account may not pull from GOOGLE_PUBSUB_SUBSCRIPTION. Grant it the role Pub/Sub Subscriber on the \
             subscription.",
        ),
        ProviderErrorKind::NeedsOperator if error.code == "provider_mailbox_unusable" => (
            "push_subscription_pushes",
            "The subscription of GOOGLE_PUBSUB_SUBSCRIPTION cannot be pulled from. Change its delivery type to pull.",
        ),
        _ => (error.code, &error.detail),
    }
}

async fn tell(push: &Inner, words: Option<(&str, &str)>) {
    if let Err(error) = push.parts.accounts.note_deaf(WORD, words).await {
        tracing::warn!(%error, "the health of mailboxes that Gmail tells of could not be written down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    #[test]
    fn each_mailbox_is_rung_for_once() {
        let message = |json: &str| Received { ack_id: "a".to_owned(), data: BASE64.encode(json.as_bytes()) };
        let received = [
            message(r#"{"emailAddress":"ann@example.com","historyId":"1"}"#),
            message(r#"{"emailAddress":"Ann@Example.com","historyId":2}"#),
            message("junk"),
            message(r#"{"emailAddress":"bob@example.com","historyId":"3"}"#),
        ];
        assert_eq!(addresses(&received).into_iter().collect::<Vec<_>>(), ["ann@example.com", "bob@example.com"]);
    }

    #[test]
    fn waits_grow_and_obey() {
        let error = ProviderError::new(ProviderErrorKind::Unavailable, "code", "detail");
        let after = |failures| wait(&Trouble::Provider(error.clone()), failures).as_secs();
        assert_eq!([1, 2, 5, 6, 99].map(after), [2, 4, 32, 60, 60]);
        let asked = ProviderError { retry_after: Some(Duration::from_secs(90)), ..error.clone() };
        assert_eq!(wait(&Trouble::Provider(asked), 1).as_secs(), 90);
    }
}
