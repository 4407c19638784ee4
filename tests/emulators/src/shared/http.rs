//! Requests and answers as plain values, so that a part of a batch is handled like a request of its own.

use bytes::Bytes;
use serde_json::Value;

/// Header fields in order; names are compared without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> String {
        media_type(self.get("content-type").unwrap_or_default())
    }
}

/// The media type of a `Content-Type` value without its parameters, in lower case.
pub fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// One parameter of a header value such as `multipart/mixed; boundary=x`.
pub fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method in capitals.
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: String,
    /// Header fields.
    pub headers: Headers,
    /// The whole body.
    pub body: Bytes,
}

impl Request {
    /// The decoded names and values of the query, in order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The decoded names and values of a form in the body.
    pub fn form_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The path cut at its slashes, each piece decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|piece| !piece.is_empty()).map(percent_decoded).collect()
    }
}

/// Undoes percent-encoding; a plus sign stays one.
pub fn percent_decoded(text: &str) -> String {
    let kept = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("v={kept}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Headers::default(), body: Bytes::new() }
    }

    /// An answer of this media type.
    pub fn new(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self::empty(status).with("Content-Type", media_type).body(body)
    }

    /// An answer in JSON, laid out as Google and Microsoft do.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json; charset=UTF-8", value.to_string())
    }

    /// A page for a person.
    pub fn html(status: u16, text: &str) -> Self {
        Self::new(status, "text/html; charset=UTF-8", format!("<!DOCTYPE html>\n<html><body>{text}</body></html>\n"))
    }

    /// The same with one more header field.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.0.push((name.to_owned(), value.into()));
        self
    }

    /// The same with this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is answered.
    Reply(Reply),
    /// The head is answered in full and the body breaks off half-way.
    Cut(Reply),
    /// The connection is closed without an answer.
    Closed,
}
