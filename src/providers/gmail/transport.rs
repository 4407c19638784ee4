//! One request and its answer: what goes over the wire, and nothing of quota or of trying again.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, Response};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::secret::Secret;

/// The largest answer that holds one mail: the largest that Gmail takes in, 50 MB, in base64.
const LARGEST: usize = 72 * 1024 * 1024;

/// The largest answer to a batch. Mails that do not fit are asked for in smaller batches.
const LARGEST_BATCH: usize = 24 * 1024 * 1024;

/// How long an answer without mails may take.
const SHORT: Duration = Duration::from_secs(45);

/// How long an answer with mails may take.
const LONG: Duration = Duration::from_secs(120);

/// The slowest way on which a mail is still uploaded in time, in octets a second.
const SLOWEST: usize = 128 * 1024;

/// A request below `users/me`, or a batch of such.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    path: String,
    content: Option<(String, Bytes)>,
    most: usize,
    time: Duration,
}

impl Request {
    fn new(method: Method, path: String) -> Self {
        Self { method, path, content: None, most: LARGEST, time: SHORT }
    }

    /// A request to a place below the user, whose parts are percent-encoded.
    pub(super) fn to(method: Method, place: &[&str]) -> Self {
        Self::new(method, below("/gmail/v1/users/me", place.iter().copied()))
    }

    pub(super) fn get(place: &[&str]) -> Self {
        Self::to(Method::GET, place)
    }

    pub(super) fn post(place: &[&str]) -> Self {
        Self::to(Method::POST, place)
    }

    /// A mail (RFC 5322) beside what is said of it, in one body.
    pub(super) fn upload(method: Method, place: &[&str], about: &impl Serialize, mail: &[u8]) -> Self {
        let boundary = boundary();
        let about = without_nulls(about);
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{about}\r\n\
             --{boundary}\r\nContent-Type: message/rfc822\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let body = [head.as_bytes(), mail, tail.as_bytes()].concat();
        let time = SHORT + Duration::from_secs((body.len() / SLOWEST) as u64);
        let request = Self::new(method, below("/upload/gmail/v1/users/me", place.iter().copied()));
        Self { content: Some((format!("multipart/related; boundary={boundary}"), body.into())), time, ..request }
            .with("uploadType", "multipart")
    }

    /// A batch of requests, each as its own `application/http` part.
    pub(super) fn batch(boundary: &str, body: Vec<u8>) -> Self {
        let content = Some((format!("multipart/mixed; boundary={boundary}"), body.into()));
        let request = Self::new(Method::POST, "/batch/gmail/v1".to_owned());
        Self { content, most: LARGEST_BATCH, time: LONG, ..request }
    }

    /// A request to a Pub/Sub subscription, which may answer only when there is news.
    pub(super) fn to_subscription(subscription: &str, verb: &str) -> Self {
        let path = below("/v1", subscription.split('/'));
        Self { time: LONG, ..Self::new(Method::POST, format!("{path}:{verb}")) }
    }

    /// The same with one more parameter.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        self.path.push_str(&pair);
        self
    }

    /// The same with JSON.
    pub(super) fn json(mut self, content: &impl Serialize) -> Self {
        let json = without_nulls(content).to_string();
        self.content = Some(("application/json".to_owned(), json.into()));
        self
    }

    /// The same, whose answer holds mails and takes its time.
    pub(super) fn slow(mut self) -> Self {
        self.time = LONG;
        self
    }

    /// What stands in its first line.
    pub(super) fn target(&self) -> &str {
        &self.path
    }
}

/// A path whose parts cannot leave it, whatever is in them.
fn below<'a>(base: &str, place: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = base.to_owned();
    for part in place {
        path.push('/');
        // Of what a form escapes, a path must have the same escaped but for the space.
        let escaped: String = url::form_urlencoded::byte_serialize(part.as_bytes()).collect();
        path.push_str(&escaped.replace('+', "%20"));
    }
    path
}

/// A boundary that stands in no mail.
pub(super) fn boundary() -> String {
    let mut random = [0; 16];
    // Without random numbers a mail could be made to hold it, and would be refused.
    let _ = SystemRandom::new().fill(&mut random);
    format!("duplex_{}", HEXLOWER.encode(&random))
}

/// The library's types write what is not set as `null`, which is not the same to Google.
fn without_nulls(content: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(content).unwrap_or_default();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(strip);
    }
}

/// An answer that came whole.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why no whole answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// No connection: nothing was sent.
    NotSent,
    /// The connection broke.
    Broken,
    /// It took too long.
    Late,
    /// It is longer than is taken in.
    TooLong,
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Self::NotSent
        } else if error.is_timeout() {
            Self::Late
        } else {
            Self::Broken
        }
    }
}

/// Sends a request and reads the answer.
pub(super) async fn send(http: &Client, base: &Url, request: &Request, token: &Secret) -> Result<Answer, Lost> {
    let url = format!("{}{}", base.as_str().trim_end_matches('/'), request.path);
    let mut outgoing = http.request(request.method.clone(), url).bearer_auth(token.expose()).timeout(request.time);
    outgoing = match &request.content {
        Some((media_type, content)) => outgoing.header(CONTENT_TYPE, media_type).body(content.clone()),
        // Google's front end wants a length of every POST.
        None if request.method == Method::POST => outgoing.body(Bytes::new()),
        None => outgoing,
    };
    read(outgoing.send().await?, request.most).await
}

async fn read(mut response: Response, most: usize) -> Result<Answer, Lost> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > most) {
        return Err(Lost::TooLong);
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(Lost::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status: response.status().as_u16(), headers, body: body.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_in_an_id_does_not_leave_its_place() {
        let request = Request::get(&["messages", "../x?y=1#z /é"]).with("q", "a b&c");
        assert_eq!(request.target(), "/gmail/v1/users/me/messages/..%2Fx%3Fy%3D1%23z%20%2F%C3%A9?q=a+b%26c");
        let two = Request::get(&["history"]).with("a", "1").with("b", "2");
        assert!(two.target().ends_with("/history?a=1&b=2"));
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let request = Request::post(&["x"]).json(&json!({"a": null, "b": {"c": null, "d": 1}, "e": [null]}));
        let (_, content) = request.content.unwrap();
        assert_eq!(&content[..], br#"{"b":{"d":1},"e":[null]}"#);
    }

    #[test]
    fn a_mail_is_uploaded_as_it_is() {
        let mail = b"Subject: x\r\n\r\n--y\r\n\0\xff";
        let request = Request::upload(Method::PUT, &["drafts", "r1"], &json!({"id": "r1"}), mail);
        assert_eq!(request.target(), "/upload/gmail/v1/users/me/drafts/r1?uploadType=multipart");
        let (media_type, content) = request.content.unwrap();
        let boundary = media_type.strip_prefix("multipart/related; boundary=").unwrap();
        let end = format!("\r\n--{boundary}--\r\n");
        let whole = content.strip_suffix(end.as_bytes()).unwrap();
        assert!(whole.ends_with(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n--y\r\n\0\xff"));
    }
}
