//! Extractors that refuse bad input with a reason.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ApiError, ErrorCode};

/// The largest JSON body, in bytes.
const MAX_JSON: usize = 1024 * 1024;

/// The settings of actix's own extractors, for routes that use them.
pub fn body_config(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(35 * 1024 * 1024))
        .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into()));
}

/// A JSON body: 415 without a JSON content type, 400 when it is not JSON, 422 when it does not fit, 413 when too large.
///
/// The type should derive `Deserialize` with `deny_unknown_fields`.
pub struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let mut payload = payload.take();
        Box::pin(async move {
            if !json {
                return Err(ApiError::new(
                    ErrorCode::UnsupportedMediaType,
                    "Send the body as JSON with Content-Type: application/json.",
                ));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = payload.next().await {
                let chunk =
                    chunk.map_err(|_| ApiError::new(ErrorCode::InvalidJson, "The body ended early; send it again."))?;
                if bytes.len() + chunk.len() > MAX_JSON {
                    return Err(ApiError::new(ErrorCode::PayloadTooLarge, "A JSON body may be 1 MiB at most."));
                }
                bytes.extend_from_slice(&chunk);
            }
            parse_json(&bytes).map(Self)
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads JSON in two steps, so that "not JSON" (400) and "does not fit" (422) stay apart.
fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::new(ErrorCode::InvalidJson, format!("The body is not valid JSON: {error}.")))?;
    if has_nul(&value) {
        return Err(ApiError::invalid("body", "a text holds a NUL character"));
    }
    fit(value)
}

fn fit<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    T::deserialize(value).map_err(|error| {
        let message = error.to_string();
        // serde names the field between backticks: `unknown field `x``, `missing field `x``.
        let field = message.split('`').nth(1).filter(|_| message.contains("field")).unwrap_or("body").to_owned();
        ApiError::invalid(field, message)
    })
}

/// Whether any text holds U+0000, which PostgreSQL cannot store.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// Query parameters: 422 when one is unknown or does not fit.
pub struct QueryParams<T>(pub T);

impl<T> Deref for QueryParams<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for QueryParams<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.query_string();
        if query.contains("%00") {
            return ready(Err(ApiError::invalid("query", "a parameter holds a NUL character")));
        }
        ready(web::Query::<T>::from_query(query).map(|query| Self(query.into_inner())).map_err(|error| {
            let message = error.to_string();
            let message = message.strip_prefix("Query deserialize error: ").unwrap_or(&message);
            let field = message.split('`').nth(1).filter(|_| message.contains("field")).unwrap_or("query");
            ApiError::invalid(field, message)
        }))
    }
}

/// The `{id}` of a path; a malformed one is simply not found.
pub struct PathId<T>(pub T);

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or_else(ApiError::not_found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only the refusal is looked at")]
        name: String,
    }

    #[test]
    fn broken_json_is_400_and_a_misfit_is_422_with_the_field() {
        let broken = parse_json::<Sample>(b"{").unwrap_err();
        assert_eq!(broken.code, ErrorCode::InvalidJson);
        let unknown = parse_json::<Sample>(br#"{"name":"a","nmae":1}"#).unwrap_err();
        assert_eq!((unknown.code, unknown.errors[0].field.as_str()), (ErrorCode::ValidationFailed, "nmae"));
        let nul = parse_json::<Sample>(b"{\"name\":\"a\\u0000\"}").unwrap_err();
        assert_eq!(nul.code, ErrorCode::ValidationFailed);
    }
}
