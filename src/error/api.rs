//! The error of the HTTP edge: RFC 9457 problem details.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::ErrorCode;

/// What a route answers.
pub type ApiResult<T> = Result<T, ApiError>;

/// An error as a client sees it.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The code from the public table.
    pub code: ErrorCode,
    /// What happened and what to do next, for a person.
    pub detail: String,
    /// The fields that do not fit.
    pub errors: Vec<FieldError>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// The first event that is still kept.
    pub earliest_seq: Option<i64>,
}

/// One field that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name, with dots inside objects.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// The body of every error (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
pub struct Problem<'a> {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title, the same for every problem of this kind.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time and what to do next.
    pub detail: &'a str,
    /// The stable code.
    #[schema(value_type = String)]
    pub code: ErrorCode,
    /// The fields that do not fit.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldError],
    /// With `events_expired`: the `seq` of the first event that is still kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest_seq: Option<i64>,
}

impl ApiError {
    /// An error with a code and a detail.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, earliest_seq: None }
    }

    /// No such thing, or not the caller's.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "It does not exist, was deleted, or belongs to somebody else.")
    }

    /// One field does not fit.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let detail = format!("{field}: {message}");
        Self { errors: vec![FieldError { field, message }], ..Self::new(ErrorCode::ValidationFailed, detail) }
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Sign in, or send an API key as \"Authorization: Bearer dx_…\".")
    }

    /// The caller may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, detail)
    }

    /// Too many requests; another try makes sense after some seconds.
    pub fn rate_limited(detail: impl Into<String>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after.max(1)), ..Self::new(ErrorCode::RateLimited, detail) }
    }

    /// Events after the asked number are not kept any more.
    pub fn events_expired(earliest: i64) -> Self {
        let detail = format!(
            "Events are kept for 30 days; the first that is still kept has the seq {earliest}. Read the lists again, then ask with after={}.",
            earliest - 1
        );
        Self { earliest_seq: Some(earliest), ..Self::new(ErrorCode::EventsExpired, detail) }
    }

    /// The database or storage is away; it is expected back soon.
    pub fn unavailable() -> Self {
        Self {
            retry_after: Some(5),
            ..Self::new(
                ErrorCode::Unavailable,
                "The database or the storage does not answer. Nothing was changed; try again in some seconds.",
            )
        }
    }

    /// A fault of ours: the cause goes to the log, the client learns nothing of it.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(error = %cause, "a request failed inside");
        Self::new(
            ErrorCode::Internal,
            "Something went wrong on the server and was logged. Try again; if it stays, tell the operator.",
        )
    }

    /// Adds the seconds after which another try makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response.content_type("application/problem+json").json_body(&Problem {
            kind: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.status_code().as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
            earliest_seq: self.earliest_seq,
        })
    }
}

/// Serialises a body while keeping the content type that was set.
trait JsonBody {
    fn json_body(&mut self, value: &impl Serialize) -> HttpResponse;
}

impl JsonBody for actix_web::HttpResponseBuilder {
    fn json_body(&mut self, value: &impl Serialize) -> HttpResponse {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body(bytes),
            Err(_) => self.finish(),
        }
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        if matches!(error, diesel::result::Error::NotFound) {
            return Self::not_found();
        }
        if crate::error::is_unavailable(&error) {
            tracing::warn!(error = %error, "the database does not answer");
            return Self::unavailable();
        }
        Self::internal(error)
    }
}
