//! Refusals in Google's form.

use crate::shared::http::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub code: u16,
    /// What a person reads.
    pub message: Box<str>,
    /// What `errors[0].reason` says.
    pub reason: Box<str>,
    /// `global` or `usageLimits`.
    pub domain: &'static str,
    /// The name of the canonical code.
    pub status: &'static str,
    /// `ErrorInfo.reason` of the details.
    pub detail: Option<&'static str>,
    /// The value of `Retry-After`.
    pub retry_after: Option<Box<str>>,
}

/// Which of the optional parts of a refusal are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `errors` and `status`.
    #[default]
    Full,
    /// `status` alone, as newer front ends answer.
    WithoutErrors,
    /// `errors` alone, as older front ends answer.
    WithoutStatus,
}

impl ApiError {
    fn new(code: u16, status: &'static str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into().into(),
            reason: reason.into(),
            domain: "global",
            status,
            detail: None,
            retry_after: None,
        }
    }

    /// 400: the request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", "invalidArgument", message)
    }

    /// 400: the mailbox cannot do this at all.
    pub fn precondition(message: &str) -> Self {
        Self::new(400, "FAILED_PRECONDITION", "failedPrecondition", message)
    }

    /// 400: a name that no schema knows.
    pub fn unknown_name(name: &str, place: &str) -> Self {
        let whereabouts = if place.is_empty() { String::new() } else { format!(" at '{place}'") };
        Self::badly_formed(format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{whereabouts}: Cannot find field."
        ))
    }

    /// 400: a query parameter that the method does not know.
    pub fn unknown_parameter(name: &str) -> Self {
        Self::badly_formed(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could \
             not be found in request message."
        ))
    }

    /// 400: a value of the wrong kind.
    pub fn bad_value(place: &str, kind: &str, value: &str) -> Self {
        Self::badly_formed(format!("Invalid value at '{place}' ({kind}), {value}"))
    }

    /// 400 from the front end, which names no reason of Gmail's.
    pub fn badly_formed(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", "badRequest", message)
    }

    /// 400: a body of the wrong media type.
    pub fn bad_content(found: &str, valid: &str) -> Self {
        let message = format!("Media type '{found}' is not supported. Valid media types: [{valid}]");
        Self::new(400, "INVALID_ARGUMENT", "badContent", message)
    }

    /// 401: no token, or one that is not valid any more.
    pub fn unauthenticated(message: &str) -> Self {
        Self::new(401, "UNAUTHENTICATED", "authError", message)
    }

    /// 403: the token lacks a scope.
    pub fn scope() -> Self {
        let mut error = Self::new(403, "PERMISSION_DENIED", "insufficientPermissions", "Insufficient Permission");
        error.detail = Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT");
        error
    }

    /// 403: not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "PERMISSION_DENIED", "forbidden", message)
    }

    /// 404: gone, or never there.
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "notFound", "Requested entity was not found.")
    }

    /// 409: the name is taken.
    pub fn conflict(message: &str) -> Self {
        Self::new(409, "ABORTED", "aborted", message)
    }

    /// 413: more than the method takes.
    pub fn too_large() -> Self {
        Self::new(413, "INVALID_ARGUMENT", "uploadTooLarge", "Request Entity Too Large")
    }

    /// 429: too fast or too much at once.
    pub fn too_many(message: impl Into<String>) -> Self {
        Self::new(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", message)
    }

    /// 403 that means the same as 429.
    pub fn rate_forbidden(reason: &str, message: impl Into<String>) -> Self {
        let mut error = Self::new(403, "PERMISSION_DENIED", reason, message);
        error.domain = "usageLimits";
        error
    }

    /// 500 and above.
    pub fn server(code: u16) -> Self {
        let (status, reason) = match code {
            503 => ("UNAVAILABLE", "backendError"),
            504 => ("DEADLINE_EXCEEDED", "backendError"),
            _ => ("INTERNAL", "backendError"),
        };
        Self::new(code, status, reason, "Backend Error")
    }

    /// Any other refusal with this reason.
    pub fn named(code: u16, reason: &str) -> Self {
        let status = match code {
            400 => "FAILED_PRECONDITION",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            _ => "INTERNAL",
        };
        Self::new(code, status, reason, format!("Refused: {reason}"))
    }

    /// The same, with a hint when to come back.
    pub fn retry_after(mut self, value: Option<String>) -> Self {
        self.retry_after = value.map(String::into_boxed_str);
        self
    }

    /// The JSON of the answer.
    pub fn body(&self, shape: ErrorShape) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if shape != ErrorShape::WithoutErrors {
            error["errors"] = json!([{"message": self.message, "domain": self.domain, "reason": self.reason}]);
        }
        if shape != ErrorShape::WithoutStatus {
            error["status"] = json!(self.status);
        }
        if let Some(detail) = self.detail {
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": detail,
                "domain": "googleapis.com",
                "metadata": {"service": "gmail.googleapis.com"},
            }]);
        }
        json!({"error": error})
    }

    /// The whole answer.
    pub fn reply(&self, shape: ErrorShape) -> Reply {
        let mut reply = Reply::json(self.code, &self.body(shape));
        if let Some(value) = &self.retry_after {
            reply = reply.with("Retry-After", &**value);
        }
        if self.code == 401 {
            reply = reply.with("WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"");
        }
        reply
    }
}
