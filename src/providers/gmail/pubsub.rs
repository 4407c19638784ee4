//! Pub/Sub, by which Gmail tells of news: what a notification says, and how it is fetched where Google cannot reach us.

use std::time::Duration;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::error::{Sort, refused, retry_after, unreachable};
use crate::net::{Net, read_body};
use crate::providers::ProviderError;
use crate::providers::oauth::AccessTokens;

/// The longest wait for a pull: Google holds it open while there is nothing.
const PULL: Duration = Duration::from_secs(100);

/// The largest answer that is read.
const LIMIT: usize = 4 * 1024 * 1024;

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
    http: reqwest::Client,
    base_url: Url,
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
        Self { http: net.http(), base_url }
    }

    /// Fetches messages of `projects/…/subscriptions/…`; waits a while when there is none.
    pub async fn pull(
        &self,
        tokens: &dyn AccessTokens,
        subscription: &str,
        most: u32,
    ) -> Result<Vec<Received>, ProviderError> {
        let answer = self.post(tokens, subscription, "pull", json!({ "maxMessages": most })).await?;
        let received = answer["receivedMessages"].as_array().into_iter().flatten();
        let read = |message: &Value| {
            let data = message["message"]["data"].as_str().unwrap_or_default().to_owned();
            Some(Received { ack_id: message["ackId"].as_str()?.to_owned(), data })
        };
        Ok(received.filter_map(read).collect())
    }

    /// Says that messages were seen.
    pub async fn acknowledge(
        &self,
        tokens: &dyn AccessTokens,
        subscription: &str,
        ack_ids: &[String],
    ) -> Result<(), ProviderError> {
        self.post(tokens, subscription, "acknowledge", json!({ "ackIds": ack_ids })).await?;
        Ok(())
    }

    async fn post(
        &self,
        tokens: &dyn AccessTokens,
        subscription: &str,
        verb: &str,
        body: Value,
    ) -> Result<Value, ProviderError> {
        let url = format!("{}/v1/{subscription}:{verb}", self.base_url.as_str().trim_end_matches('/'));
        let mut token = tokens.current().await?;
        let mut renewed = false;
        loop {
            let request = self.http.post(&url).bearer_auth(token.expose()).json(&body).timeout(PULL);
            let response = request.send().await.map_err(|_| unreachable())?;
            let (status, wait) = (response.status(), retry_after(response.headers(), chrono::Utc::now()));
            let read = read_body(response, LIMIT).await.map_err(|_| unreachable())?;
            let answer: Value = serde_json::from_slice(&read).unwrap_or_default();
            if status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                token = tokens.renewed(&token).await?;
                continue;
            }
            if status.is_success() {
                return Ok(answer);
            }
            return Err(refused(Some(status.as_u16()), &answer, wait, Sort::Ask));
        }
    }
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
