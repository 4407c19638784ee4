//! Refusals in Graph's form.

use crate::shared::clock::rfc3339_seconds;
use crate::shared::faults::RetryAfter;
use crate::shared::http::Reply;
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What clients decide by.
    pub code: Box<str>,
    /// What a person reads.
    pub message: Box<str>,
    /// The value of `Retry-After`.
    pub retry_after: Option<Box<str>>,
    /// Further header fields.
    pub headers: Vec<(&'static str, String)>,
}

/// What an answer needs to know of its request.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Given to each request.
    pub request_id: String,
    /// The client's own name for it, sent back.
    pub client_request_id: Option<String>,
    /// The time, in milliseconds.
    pub now: i64,
    /// Whether the details are written `innererror`, as some workloads do.
    pub lower_case: bool,
}

impl ApiError {
    /// A refusal with this status and code.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into().into(), retry_after: None, headers: Vec::new() }
    }

    /// 400: the request is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 400: a query that cannot be read.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::new(400, "RequestBroker--ParseUri", message)
    }

    /// 400: a body that does not fit its type.
    pub fn bad_body(message: impl Into<String>) -> Self {
        Self::new(400, "RequestBodyRead", message)
    }

    /// 400: an id that is none.
    pub fn malformed_id() -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// 404: gone, or never there.
    pub fn not_found() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// 403: not allowed.
    pub fn denied() -> Self {
        Self::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    /// 401: no token, or one that is not valid any more.
    pub fn unauthenticated(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    /// 400: a path that names nothing.
    pub fn no_segment(segment: &str) -> Self {
        Self::bad_request(format!("Resource not found for the segment '{segment}'."))
    }

    /// 413: more than a request may hold.
    pub fn too_large() -> Self {
        Self::new(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
    }

    /// 429: too many at once.
    pub fn concurrency() -> Self {
        let message = "Application is over its MailboxConcurrency limit.";
        Self::new(429, "ApplicationThrottled", message)
    }

    /// 500 and above.
    pub fn server(status: u16) -> Self {
        let (code, message) = match status {
            503 => ("ErrorServerBusy", "The server cannot service this request right now. Try again later."),
            504 => ("UnknownError", "The gateway did not receive an answer in time."),
            _ => ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
        };
        Self::new(status, code, message)
    }

    /// The same, with a hint when to come back.
    pub fn retry_after(mut self, hint: RetryAfter, now: i64) -> Self {
        self.retry_after = hint.value(now).map(String::into_boxed_str);
        self
    }

    /// The same with one more header field.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The JSON of the answer.
    pub fn body(&self, trace: &Trace) -> Value {
        let client_request_id = trace.client_request_id.as_ref().unwrap_or(&trace.request_id);
        let inner = json!({
            "date": rfc3339_seconds(trace.now).trim_end_matches('Z'),
            "request-id": trace.request_id,
            "client-request-id": client_request_id,
        });
        let name = if trace.lower_case { "innererror" } else { "innerError" };
        let mut error = json!({"code": self.code, "message": self.message});
        error[name] = inner;
        json!({"error": error})
    }

    /// The whole answer.
    pub fn reply(&self, trace: &Trace) -> Reply {
        let mut reply = Reply::new(self.status, "application/json", self.body(trace).to_string());
        if let Some(value) = &self.retry_after {
            reply = reply.with("Retry-After", &**value);
        }
        for (name, value) in &self.headers {
            reply = reply.with(name, value.clone());
        }
        reply
    }
}
