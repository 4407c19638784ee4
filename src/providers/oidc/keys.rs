//! The published keys, kept as long as their answer permits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Duration as Span;
use data_encoding::{BASE64URL, BASE64URL_NOPAD};
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use serde_json::Value;
use url::Url;

use super::Refusal;
use super::token::{Forged, PublicKey};
use crate::clock::Timestamp;
use crate::net::read_body;

/// How long an answer may take: a push waits for it.
const PATIENCE: Duration = Duration::from_secs(4);

/// The largest set of keys that is read.
const LIMIT: usize = 256 * 1024;

/// How long keys are kept when the answer does not say.
const KEPT: Span = Span::hours(1);

/// However long an answer may be kept, keys are looked at again once a day.
const LONGEST: Span = Span::days(1);

/// Keys whose time is over still count for so long while new ones cannot be had.
const GRACE: Span = Span::hours(24);

/// Keys are fetched so often at most in such a time: whoever names keys that do not exist must not make us ask without end.
const MOST: usize = 4;
const WITHIN: Span = Span::minutes(2);

type Known = Arc<HashMap<String, PublicKey>>;

/// The keys of one address; cheap to clone.
#[derive(Clone)]
pub(super) struct Keys(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: Url,
    state: Mutex<State>,
    /// One fetch at a time.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    known: Known,
    /// Until when they may be used without a further look.
    fresh_until: Option<Timestamp>,
    /// When they were last asked for.
    tried: Vec<Timestamp>,
    /// Why the last try failed.
    trouble: Option<String>,
}

/// What is to be done about a key.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Here(PublicKey),
    Unknown,
    Unavailable(String),
    Fetch,
}

impl State {
    fn answer(&self, id: &str, now: Timestamp) -> Answer {
        let is_fresh = self.fresh_until.is_some_and(|until| now < until);
        let is_usable = self.fresh_until.is_some_and(|until| now < until + GRACE);
        let may_fetch = self.tried.iter().filter(|at| is_recent(**at, now)).count() < MOST;
        let key = self.known.get(id).filter(|_| is_usable).cloned();
        match key {
            Some(key) if is_fresh || !may_fetch => Answer::Here(key),
            _ if may_fetch => Answer::Fetch,
            _ => match &self.trouble {
                Some(trouble) if !is_usable => Answer::Unavailable(trouble.clone()),
                _ => Answer::Unknown,
            },
        }
    }
}

/// Whether a time counts as recent; one that lies ahead, since a clock was set back, does not.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at + WITHIN
}

impl Keys {
    pub(super) fn new(http: reqwest::Client, url: Url) -> Self {
        let fetching = tokio::sync::Mutex::default();
        Self(Arc::new(Inner { http, url, state: Mutex::default(), fetching }))
    }

    /// Finds a key, fetching all of them when it is not among those that are known.
    pub(super) async fn find(&self, id: &str, now: Timestamp) -> Result<PublicKey, Refusal> {
        if self.answer(id, now) == Answer::Fetch {
            self.refresh_unless(now, |keys| keys.answer(id, now) != Answer::Fetch).await;
        }
        match self.answer(id, now) {
            Answer::Here(key) => Ok(key),
            Answer::Unavailable(trouble) => Err(Refusal::NoKeys(trouble)),
            Answer::Unknown | Answer::Fetch => Err(Forged::UnknownKey.into()),
        }
    }

    /// Fetches the keys.
    pub(super) async fn refresh(&self, now: Timestamp) {
        self.refresh_unless(now, |_| false).await;
    }

    fn answer(&self, id: &str, now: Timestamp) -> Answer {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).answer(id, now)
    }

    /// Waits for a fetch that runs, and fetches unless that has made it needless.
    async fn refresh_unless(&self, now: Timestamp, is_needless: impl Fn(&Self) -> bool) {
        let _turn = self.0.fetching.lock().await;
        if is_needless(self) {
            return;
        }
        let fetched = tokio::time::timeout(PATIENCE, self.fetch()).await;
        let fetched = fetched.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tried.retain(|at| is_recent(*at, now));
        state.tried.push(now);
        match fetched {
            Ok((known, kept)) => {
                state.known = Arc::new(known);
                state.fresh_until = Some(now + kept.min(LONGEST));
                state.trouble = None;
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "the keys that prove Google's pushes could not be fetched (GOOGLE_CERTS_URL)");
                state.trouble = Some(trouble);
            }
        }
    }

    async fn fetch(&self) -> Result<(HashMap<String, PublicKey>, Span), String> {
        let asked = self.0.http.get(self.0.url.clone()).send().await;
        let response = asked.map_err(|error| error.without_url().to_string())?;
        if !response.status().is_success() {
            return Err(format!("the answer was {}", response.status()));
        }
        let kept = kept(response.headers());
        let body = read_body(response, LIMIT).await.map_err(|error| error.to_string())?;
        let known = read(&body).ok_or("the answer is no set of keys")?;
        Ok((known, kept))
    }
}

/// The RSA keys of a set that may sign.
fn read(body: &[u8]) -> Option<HashMap<String, PublicKey>> {
    let set: Value = serde_json::from_slice(body).ok()?;
    let keys = set["keys"].as_array()?;
    Some(keys.iter().filter_map(key).collect())
}

fn key(jwk: &Value) -> Option<(String, PublicKey)> {
    let says = |name: &str, wanted: &str| jwk[name].as_str().is_none_or(|said| said == wanted);
    if jwk["kty"] != "RSA" || !says("use", "sig") || !says("alg", "RS256") {
        return None;
    }
    let number = |name: &str| {
        let text = jwk[name].as_str()?.as_bytes();
        BASE64URL_NOPAD.decode(text).or_else(|_| BASE64URL.decode(text)).ok()
    };
    Some((jwk["kid"].as_str()?.to_owned(), PublicKey { n: number("n")?, e: number("e")? }))
}

/// How long an answer may be kept (RFC 9111 §5.2.2).
fn kept(headers: &HeaderMap) -> Span {
    let values = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let mut directives =
        values.flat_map(|value| value.split(',')).map(|directive| directive.trim().to_ascii_lowercase());
    let seconds = directives.find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok());
    seconds.map_or(KEPT, |seconds: u32| Span::seconds(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_emulators::shared::keys::TestKey;
    use reqwest::header::HeaderValue;
    use serde_json::json;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    /// Keys that were fetched so often of late as they may be, the last time now.
    fn state(fresh_until: i64, tried_at: i64) -> State {
        let known = read(json!({"keys": [TestKey::FirstSigning.jwk()]}).to_string().as_bytes()).unwrap();
        State {
            known: Arc::new(known),
            fresh_until: Some(at(fresh_until)),
            tried: vec![at(tried_at); MOST],
            trouble: None,
        }
    }

    #[test]
    fn a_key_is_kept_as_long_as_its_answer_permits() {
        let kept_for =
            |value: &'static str| kept(&HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]));
        assert_eq!(kept_for("public, max-age=20000, must-revalidate, no-transform"), Span::seconds(20_000));
        assert_eq!(kept_for("Max-Age=5"), Span::seconds(5));
        assert_eq!(kept_for("no-cache"), KEPT);
        assert_eq!(kept(&HeaderMap::new()), KEPT);
        let keys = state(1_000, 0);
        assert!(matches!(keys.answer("test-only-first", at(999)), Answer::Here(_)));
        assert_eq!(keys.answer("test-only-first", at(1_000)), Answer::Fetch);
    }

    #[test]
    fn an_unknown_key_is_asked_for_once_in_a_while() {
        let keys = state(100_000, 1_000);
        assert_eq!(keys.answer("who", at(1_119)), Answer::Unknown);
        assert_eq!(keys.answer("who", at(1_120)), Answer::Fetch);
        assert!(matches!(keys.answer("test-only-first", at(1_119)), Answer::Here(_)));
        let once = State { tried: vec![at(1_000)], ..state(100_000, 1_000) };
        assert_eq!(once.answer("who", at(1_001)), Answer::Fetch, "a new key is found at once");
    }

    #[test]
    fn known_keys_outlive_a_short_trouble_and_no_long_one() {
        let keys = State { trouble: Some("away".to_owned()), ..state(1_000, 2_000) };
        assert!(matches!(keys.answer("test-only-first", at(2_010)), Answer::Here(_)));
        let day = GRACE.num_seconds();
        let keys = State { trouble: Some("away".to_owned()), ..state(1_000, 1_000 + day) };
        assert_eq!(keys.answer("test-only-first", at(1_000 + day)), Answer::Unavailable("away".to_owned()));
    }

    #[test]
    fn before_the_first_answer_nothing_is_known_and_nothing_is_refused() {
        assert_eq!(State::default().answer("any", at(0)), Answer::Fetch);
        let failed = State { tried: vec![at(0); MOST], trouble: Some("away".to_owned()), ..State::default() };
        assert_eq!(failed.answer("any", at(1)), Answer::Unavailable("away".to_owned()));
    }

    #[test]
    fn only_keys_that_may_sign_are_taken() {
        let mut keys = vec![TestKey::FirstSigning.jwk(), TestKey::SecondSigning.jwk(), TestKey::Foreign.jwk()];
        keys[1]["use"] = json!("enc");
        keys[2]["kty"] = json!("EC");
        let read = read(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["test-only-first"]);
        assert!(super::read(b"<html>").is_none() && super::read(b"{}").is_none());
    }
}
