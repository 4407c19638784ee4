//! A user, a client with a token, and requests whose answers are held against Google's own schema.

use crate::discovery::Discovery;
use data_encoding::BASE64URL;
use duplex_emulators::GmailEmulator;
use duplex_emulators::gmail::control::{MailIds, NewUser, Seed};
use duplex_emulators::gmail::oauth::{Client, Publishing};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub const ANN: &str = "ann@example.com";
pub const BOB: &str = "bob@example.com";
pub const CLIENT: &str = "tests.apps.googleusercontent.com";
pub const PROJECT: &str = "tests";
pub const FULL: &str = "https://mail.google.com/";
pub const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";

/// An answer, taken in whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, json }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The reason of a refusal.
    pub fn reason(&self) -> (u16, &str) {
        (self.status, self.json["error"]["errors"][0]["reason"].as_str().unwrap_or_default())
    }

    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json
    }
}

/// An emulator with two users, and a client that acts for the first.
pub struct World {
    pub gmail: GmailEmulator,
    pub http: reqwest::Client,
    pub token: String,
    pub refresh_token: String,
}

impl World {
    pub fn new() -> Self {
        Self::with_scopes(&[MODIFY])
    }

    pub fn with_scopes(scopes: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let gmail = GmailEmulator::start().unwrap();
        gmail.add_user(NewUser { email: ANN.to_owned(), name: "Ann".to_owned(), workspace: true });
        gmail.add_user(NewUser { email: BOB.to_owned(), ..NewUser::default() });
        gmail.add_client(Client {
            id: CLIENT.to_owned(),
            secret: "secret".to_owned(),
            project: PROJECT.to_owned(),
            redirect_uris: vec!["https://crm.example/back".to_owned()],
            publishing: Publishing::Production,
        });
        let tokens = gmail.grant(ANN, CLIENT, scopes).unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { gmail, http, token: tokens.access_token, refresh_token: tokens.refresh_token }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gmail.url())
    }

    /// A request to the API below the user.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(&format!("/gmail/v1/users/me/{path}"))).bearer_auth(&self.token)
    }

    /// A call whose request and answer are checked against Google's schema, if it was accepted.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method.clone(), path);
        request = match &body {
            Some(body) => request.json(body),
            None if method == Method::GET || method == Method::DELETE => request,
            None => request.header("Content-Length", "0"),
        };
        let answer = Answer::of(request).await;
        if let Some(discovery) = Discovery::read().filter(|_| answer.status < 300) {
            discovery.check(method.as_str(), &format!("/gmail/v1/users/me/{path}"), body.as_ref(), &answer.text);
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn post_empty(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// A mail that came to Ann.
    pub fn mail(&self, number: u32) -> MailIds {
        self.mail_with(number, None)
    }

    pub fn mail_with(&self, number: u32, labels: Option<&[&str]>) -> MailIds {
        let seed = Seed {
            raw: raw("carol@example.org", ANN, &format!("Mail {number}"), &format!("<{number}@example.org>"), ""),
            labels: labels.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect()),
            internal_date: Some(1_700_000_000_000 + i64::from(number) * 1000),
            ..Seed::default()
        };
        self.gmail.add_mail(ANN, seed).unwrap()
    }

    /// Where Ann's mailbox stands.
    pub async fn history_id(&self) -> String {
        self.get("profile").await.ok()["historyId"].as_str().unwrap().to_owned()
    }

    pub async fn history(&self, start: &str) -> Value {
        self.get(&format!("history?startHistoryId={start}")).await.ok()
    }
}

/// A plain mail; `more` is further fields, each with its line end.
pub fn raw(from: &str, to: &str, subject: &str, message_id: &str, more: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n{more}\r\nText of {subject}.\r\n"
    )
}

/// The same, ready to be sent.
pub fn encoded(raw: &str) -> String {
    BASE64URL.encode(raw.as_bytes())
}

/// A message with one mail.
pub fn message(raw: &str) -> Value {
    json!({"raw": encoded(raw)})
}

/// Texts of a list.
pub fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// Ids of a list of objects.
pub fn ids(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().filter_map(|item| item["id"].as_str()).collect()).unwrap_or_default()
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "never came: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
