//! Turns a cookie or an API key into an [`Access`](crate::access::Access), before any route runs.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};

use super::gate::{Gate, gate};
use super::service::{Admitted, Credential, Identity};
use super::token;
use crate::access::Access;
use crate::error::{ApiError, ErrorCode};
use crate::secret::Secret;

/// The session cookie's name.
const SESSION_COOKIE: &str = "duplex_session";

const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const ACT_AS: HeaderName = HeaderName::from_static("x-act-as");

/// The CSRF token of the session that asks, for `GET /api/me`.
#[derive(Clone)]
pub(super) struct CsrfToken(pub Option<String>);

/// Lets a request through, with its caller noted, or refuses it: wrap the whole application with it by `from_fn`.
///
/// # Errors
/// Only those of the services within; a refusal is an answer.
pub async fn authenticate<B: MessageBody>(
    identity: web::Data<Identity>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let admitted = match admit(&identity, &request).await {
        Ok(admitted) => admitted,
        Err(refusal) => return Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    };
    let token = session_token(request.headers());
    let mut renew = None;
    if let Some(admitted) = admitted {
        let mut extensions = request.extensions_mut();
        extensions.insert::<Access>(admitted.access);
        extensions.insert(CsrfToken(admitted.csrf_token));
        renew = admitted.renew;
    }
    let mut response = next.call(request).await?.map_into_left_body();
    // A route that sets the cookie itself, to sign out, has the last word.
    if let (Some(seconds), Some(token)) = (renew, token)
        && !response.headers().contains_key(SET_COOKIE)
    {
        let cookie = session_cookie(&Secret::new(token), seconds, identity.https());
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn admit(identity: &Identity, request: &ServiceRequest) -> Result<Option<Admitted>, ApiError> {
    // The router's own reading of the path: an escaped letter must not slip past a rule.
    let gate = gate(request.method(), request.match_info().as_str());
    if gate == Gate::Open {
        return Ok(None);
    }
    let admitted = match credential(request.headers())? {
        Some(credential) => identity.admit(credential).await?,
        None => None,
    };
    let Some(admitted) = admitted else {
        return if gate == Gate::Noted { Ok(None) } else { Err(ApiError::unauthenticated()) };
    };
    check_csrf(request.method(), request.headers(), &admitted)?;
    if let Gate::Scope(scope) = gate {
        admitted.access.require(scope)?;
    }
    Ok(Some(admitted))
}

/// The API key, if there is one, else the session cookie.
fn credential(headers: &HeaderMap) -> Result<Option<Credential>, ApiError> {
    let act_as = match headers.get(ACT_AS) {
        Some(value) => {
            Some(value.to_str().map_err(|_| ApiError::invalid("X-Act-As", "must be plain text"))?.to_owned())
        }
        None => None,
    };
    if let Some(value) = headers.get(AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
        });
        let key = bearer.filter(|key| key.starts_with(token::KEY_PREFIX)).ok_or_else(ApiError::unauthenticated)?;
        return Ok(Some(Credential::Key { key, act_as }));
    }
    if act_as.is_some() {
        return Err(ApiError::forbidden("X-Act-As works with an API key only."));
    }
    Ok(session_token(headers).map(Credential::Session))
}

/// A browser sends the cookie by itself, so a change must also carry what only our own pages know.
fn check_csrf(method: &Method, headers: &HeaderMap, admitted: &Admitted) -> Result<(), ApiError> {
    let Some(expected) = admitted.csrf_token.as_ref().filter(|_| !method.is_safe()) else { return Ok(()) };
    let given = headers.get(CSRF).and_then(|value| value.to_str().ok());
    if given.is_some_and(|given| token::same(given, expected)) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::CsrfFailed,
        "Send the csrf_token of GET /api/me in the header X-CSRF-Token, then try again.",
    ))
}

/// The value of the session cookie.
pub(super) fn session_token(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// The `Set-Cookie` header (RFC 6265 §4.1) of a session; no seconds left takes the cookie away.
pub(super) fn session_cookie(token: &Secret, seconds: i64, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{SESSION_COOKIE}={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", token.expose());
    // Tokens are of A-Za-z0-9_- only; anything else came from the client and gets an empty cookie.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("duplex_session=; Path=/; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("theme=dark; duplex_session=abc; x=y"));
        assert_eq!(session_token(&headers).as_deref(), Some("abc"));
        assert_eq!(session_token(&HeaderMap::new()), None);
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_and_foreign_sites() {
        let cookie = session_cookie(&Secret::new("abc"), 60, true);
        assert_eq!(cookie, "duplex_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(!session_cookie(&Secret::new("abc"), 60, false).to_str().unwrap().contains("Secure"));
    }
}
