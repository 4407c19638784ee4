//! Two users, an application with a token, and requests whose answers are held against Microsoft's description.

use crate::description::Description;
use duplex_emulators::GraphEmulator;
use duplex_emulators::graph::control::{MailIds, NewUser, Seed};
use duplex_emulators::graph::oauth::{Client, Secret};
use duplex_emulators::graph::switches::Often;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub const ANN: &str = "ann@example.com";
pub const BOB: &str = "bob@example.com";
pub const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
pub const BACK: &str = "https://crm.example/back";
pub const SCOPES: [&str; 6] = ["offline_access", "openid", "email", "User.Read", "Mail.ReadWrite", "Mail.Send"];
pub const IMMUTABLE: (&str, &str) = ("Prefer", "IdType=\"ImmutableId\"");

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

    /// The code of a refusal.
    pub fn code(&self) -> (u16, &str) {
        (self.status, self.json["error"]["code"].as_str().unwrap_or_default())
    }

    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json
    }
}

/// An emulator with two users, and an application that acts for the first.
pub struct World {
    pub graph: GraphEmulator,
    pub http: reqwest::Client,
    pub token: String,
    pub refresh_token: String,
}

impl World {
    pub fn new() -> Self {
        Self::with_scopes(&SCOPES)
    }

    /// What happens every other time does not happen at all.
    pub fn calm() -> Self {
        let world = Self::new();
        world.graph.change_settings(|settings| {
            settings.text_becomes_html = Often::Never;
            settings.subject_joins = Often::Never;
            settings.delta_empty_pages = Often::Never;
            settings.delta_repeats = Often::Never;
            settings.delta_shuffles = Often::Never;
            settings.delta_removed_at_first = Often::Never;
            settings.delta_partial = Often::Never;
            settings.shortens_subscriptions = Often::Never;
            settings.send_delay_millis = 0;
            settings.send_gap_millis = 0;
        });
        world
    }

    pub fn with_scopes(scopes: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let graph = GraphEmulator::start().unwrap();
        graph.add_user(NewUser { email: ANN.to_owned(), name: "Ann".to_owned(), ..NewUser::default() });
        graph.add_user(NewUser { email: BOB.to_owned(), ..NewUser::default() });
        graph.add_client(Client {
            id: CLIENT.to_owned(),
            secrets: vec![Secret { value: "secret".to_owned(), is_expired: false }],
            redirect_uris: vec![BACK.to_owned()],
            ..Client::default()
        });
        let tokens = graph.grant(ANN, CLIENT, scopes).unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { graph, http, token: tokens.access_token, refresh_token: tokens.refresh_token }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.graph.url())
    }

    /// A request to the API; the path is below the version, or a whole link.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { self.url(&format!("/v1.0/{path}")) };
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// A call whose answer is checked against the description, if it was accepted.
    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match &body {
            Some(body) => request.json(body),
            None if method == Method::GET || method == Method::DELETE => request,
            None => request.header("Content-Length", "0"),
        };
        let answer = Answer::of(request).await;
        if let Some(description) = Description::read().filter(|_| answer.status < 300) {
            checked(description, &answer.json);
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.call(Method::POST, path, headers, Some(body)).await
    }

    pub async fn post_empty(&self, path: &str) -> Answer {
        self.call(Method::POST, path, &[], None).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, &[], Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, &[], None).await
    }

    /// A mail that came to Ann.
    pub fn mail(&self, number: u32) -> MailIds {
        self.mail_in(number, "inbox")
    }

    pub fn mail_in(&self, number: u32, folder: &str) -> MailIds {
        let seed = Seed {
            raw: raw(
                "Carol <carol@example.org>",
                ANN,
                &format!("Mail {number}"),
                &format!("<{number}@example.org>"),
                "",
            ),
            folder: Some(folder.to_owned()),
            received: Some(1_700_000_000_000 + i64::from(number) * 1000),
            ..Seed::default()
        };
        self.graph.add_mail(ANN, seed).unwrap()
    }

    /// A raw mail that came to Ann.
    pub fn raw_mail(&self, raw: &str) -> MailIds {
        self.graph.add_mail(ANN, Seed { raw: raw.to_owned(), ..Seed::default() }).unwrap()
    }

    /// A whole round of a delta query: what it told, and the link to the next.
    pub async fn round(&self, start: &str, headers: &[(&str, &str)]) -> (Vec<Value>, String) {
        let (mut items, mut link) = (Vec::new(), start.to_owned());
        loop {
            let page = self.get_with(&link, headers).await.ok();
            items.extend(page["value"].as_array().unwrap().iter().cloned());
            match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
                (Some(next), None) => link = next.to_owned(),
                (None, Some(delta)) => return (items, delta.to_owned()),
                both => panic!("one link of the two: {both:?}"),
            }
        }
    }
}

/// Holds an answer against the type that its context names.
fn checked(description: &Description, answer: &Value) {
    let context = answer["@odata.context"].as_str().unwrap_or_default();
    let of = if context.contains("ailFolder") {
        "mailFolder"
    } else if context.contains("attachments") {
        "attachment"
    } else if context.contains("essage") {
        "message"
    } else if context.contains("subscriptions") {
        "subscription"
    } else {
        return;
    };
    match answer["value"].as_array() {
        Some(items) => items.iter().for_each(|item| description.fits(item, of, context)),
        None => description.fits(answer, of, context),
    }
}

/// A plain mail; `more` is further fields, each with its line end.
pub fn raw(from: &str, to: &str, subject: &str, message_id: &str, more: &str) -> String {
    format!(
        "Received: from mx.example.org by mail.example.com; Fri, 20 Nov 2026 10:00:01 +0000\r\nFrom: {from}\r\n\
         To: {to}\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n{more}\r\n\
         Text of {subject}.\r\n"
    )
}

/// An id as a piece of a path.
pub fn piece(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// The path of a mail.
pub fn at(id: &str) -> String {
    format!("me/messages/{}", piece(id))
}

/// Texts of one property in a list.
pub fn all<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let items = value.as_array().or_else(|| value["value"].as_array());
    items.map(|items| items.iter().filter_map(|item| item[name].as_str()).collect()).unwrap_or_default()
}

/// One recipient.
pub fn to(address: &str) -> Value {
    json!([{"emailAddress": {"address": address}}])
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "never came: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
