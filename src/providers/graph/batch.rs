//! Several requests in one. Exchange carries out four of a mailbox at a time, in a batch too, so a batch holds four: what is
//! sent in one then counts as what it is.

use reqwest::Method;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Ask, GraphMailbox, IMMUTABLE};
use super::error::refused;
use crate::providers::ProviderError;

/// Requests of one batch.
const TOGETHER: usize = 4;

/// A request inside a batch.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    /// By which its answer is known.
    pub id: String,
    method: &'static str,
    url: String,
    body: Option<Value>,
}

impl BatchRequest {
    /// Asks for something.
    pub(super) fn get(id: impl Into<String>, path: &[String]) -> Self {
        Self { id: id.into(), method: "GET", url: relative(path), body: None }
    }
}

/// The answer to one request of a batch.
#[derive(Debug)]
pub struct BatchAnswer {
    /// Which it was.
    pub id: String,
    /// What it came to.
    pub result: Result<Value, ProviderError>,
}

#[derive(Deserialize)]
struct Answers {
    #[serde(default)]
    responses: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: String,
    status: u16,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl GraphMailbox {
    /// Makes requests together. Each has its own outcome; the order of the answers is not that of the requests.
    pub async fn batch(&self, requests: &[BatchRequest]) -> Result<Vec<BatchAnswer>, ProviderError> {
        let mut answers = Vec::with_capacity(requests.len());
        for together in requests.chunks(TOGETHER) {
            let parts: Vec<Value> = together.iter().map(BatchRequest::written).collect();
            let ask = Ask::new(Method::POST, vec!["$batch".to_owned()]).json(json!({ "requests": parts }));
            let Answers { responses } = self.read(ask.repeatable()).await?;
            answers.extend(responses.into_iter().map(Part::outcome));
        }
        Ok(answers)
    }
}

impl BatchRequest {
    fn written(&self) -> Value {
        let mut headers = json!({ "Prefer": IMMUTABLE });
        let mut part = json!({ "id": self.id, "method": self.method, "url": self.url });
        if let Some(body) = &self.body {
            headers["Content-Type"] = "application/json".into();
            part["body"] = body.clone();
        }
        part["headers"] = headers;
        part
    }
}

impl Part {
    fn outcome(self) -> BatchAnswer {
        if (200..300).contains(&self.status) {
            return BatchAnswer { id: self.id, result: Ok(self.body) };
        }
        let wait = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let wait = wait.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let wait = wait.and_then(|value| value.parse().ok()).map(|value| (RETRY_AFTER, value));
        let headers: HeaderMap = wait.into_iter().collect();
        BatchAnswer { id: self.id, result: Err(refused(self.status, &headers, &self.body)) }
    }
}

/// A path as it stands inside a batch: without host and version, its segments encoded.
fn relative(path: &[String]) -> String {
    let encoded = path.iter().map(|segment| {
        url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
    });
    format!("/{}", encoded.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_encoded_inside_a_batch() {
        let path = ["me", "messages", "AA/b+c="].map(str::to_owned);
        assert_eq!(relative(&path), "/me/messages/AA%2Fb%2Bc%3D");
    }

    #[test]
    fn a_part_is_refused_for_itself() {
        let part = Part {
            id: "1".to_owned(),
            status: 429,
            headers: serde_json::from_value(json!({"Retry-After": "3"})).unwrap(),
            body: json!({"error": {"code": "ApplicationThrottled"}}),
        };
        let error = part.outcome().result.unwrap_err();
        assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(3)));
    }
}
