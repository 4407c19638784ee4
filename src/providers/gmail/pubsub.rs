//! Pub/Sub, by which Gmail tells of news: what a notification says, and how it is fetched where Google cannot reach us.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::answer;
use super::error::{Cause, Failed, Sort, refused};
use super::transport::{self, Request};
use crate::net::Net;
use crate::providers::oauth::AccessTokens;
use crate::providers::{ProviderError, ProviderErrorKind};

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The mailbox.
    pub email_address: String,
    /// Its place in the history; never a place to ask from, since what came before it would be missed.
    pub history_id: Option<u64>,
}

/// A message of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it is acknowledged by.
    pub ack_id: String,
    /// What it says, still encoded.
    pub data: String,
}

/// The Pub/Sub API.
#[derive(Clone)]
pub struct PubSub {
    http: Client,
    base: Url,
}

/// Reads the data of a notification: JSON in base64 of either alphabet, whose number may be a text.
pub fn notification(data: &str) -> Option<Notification> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        email_address: String,
        #[serde(default)]
        history_id: Value,
    }
    let alphabets: [Encoding; 4] = [BASE64, BASE64URL, BASE64_NOPAD, BASE64URL_NOPAD];
    let json = alphabets.iter().find_map(|alphabet| alphabet.decode(data.trim().as_bytes()).ok())?;
    let data: Data = serde_json::from_slice(&json).ok()?;
    let history_id = data.history_id.as_u64().or_else(|| data.history_id.as_str()?.parse().ok());
    Some(Notification { email_address: data.email_address, history_id })
}

impl PubSub {
    /// Takes the base of the API, such as `https://pubsub.googleapis.com`.
    pub fn new(net: &Net, base_url: Url) -> Self {
        Self { http: net.patient_http(), base: base_url }
    }

    /// Fetches messages of `projects/…/subscriptions/…`; waits a while when there is none.
    pub async fn pull(
        &self,
        tokens: &dyn AccessTokens,
        subscription: &str,
        most: u32,
    ) -> Result<Vec<Received>, ProviderError> {
        let request = Request::to_subscription(subscription, "pull").json(&json!({ "maxMessages": most }));
        let answer: Value = self.post(tokens, &request, answer::read).await?;
        let received = answer["receivedMessages"].as_array().into_iter().flatten();
        let read = |message: &Value| {
            let data = message["message"]["data"].as_str().unwrap_or_default().to_owned();
            Some(Received { ack_id: message["ackId"].as_str()?.to_owned(), data })
        };
        Ok(received.filter_map(read).collect())
    }

    /// Says that messages were seen. It does no harm to say it twice.
    pub async fn acknowledge(
        &self,
        tokens: &dyn AccessTokens,
        subscription: &str,
        ack_ids: &[String],
    ) -> Result<(), ProviderError> {
        if ack_ids.is_empty() {
            return Ok(());
        }
        let request = Request::to_subscription(subscription, "acknowledge").json(&json!({ "ackIds": ack_ids }));
        self.post(tokens, &request, answer::nothing).await
    }

    async fn post<T>(
        &self,
        tokens: &dyn AccessTokens,
        request: &Request,
        read: fn(&[u8]) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let mut token = tokens.current().await?;
        let mut renewed = false;
        loop {
            let sent = transport::send(&self.http, &self.base, request, &token).await;
            let answer = sent.map_err(|lost| Failed::from(lost).error)?;
            if answer.is_success() {
                return read(&answer.body);
            }
            let failed = refused(&answer, Sort::Ask);
            if failed.cause != Cause::Token || renewed {
                return Err(operators(failed.error));
            }
            renewed = true;
            token = tokens.renewed(&token).await?;
        }
    }
}

/// A subscription belongs to the operator, and so does what is wrong with it.
fn operators(error: ProviderError) -> ProviderError {
    if error.passes() {
        return error;
    }
    let detail = format!(
        "The Pub/Sub subscription cannot be used ({}). Check its name, that it is one for pulling, and that the service \
         account may subscribe to it.",
        error.detail.trim_end_matches('.')
    );
    ProviderError { kind: ProviderErrorKind::NeedsOperator, code: "pubsub_refused", detail, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_read_in_every_form_that_was_seen() {
        let json = r#"{"emailAddress":"ann@example.com","historyId":"9876"}"#;
        let told = Notification { email_address: "ann@example.com".to_owned(), history_id: Some(9_876) };
        for alphabet in [BASE64, BASE64URL, BASE64_NOPAD, BASE64URL_NOPAD] {
            assert_eq!(notification(&alphabet.encode(json.as_bytes())), Some(told.clone()));
        }
        let number = BASE64.encode(br#"{"emailAddress":"ann@example.com","historyId":9876}"#);
        assert_eq!(notification(&number), Some(told));
        for junk in ["", "!!!", &BASE64.encode(b"{}"), &BASE64.encode(b"no json")] {
            assert_eq!(notification(junk), None, "{junk}");
        }
    }
}
