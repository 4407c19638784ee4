//! An HTTP client of the API.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Who a client is.
#[derive(Clone, Debug)]
enum Identity {
    Nobody,
    Session { cookie: String, csrf: String },
    Key(String),
}

/// Somebody who calls the API.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    identity: Identity,
    http: reqwest::Client,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    asked: String,
}

/// A WebSocket that gives one JSON object a frame.
pub struct WebSocket(tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>);

impl Client {
    /// A client that has not signed in.
    pub fn nobody(base: &str) -> Self {
        // The application installs it as well when it runs in this process: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base: base.to_owned(), identity: Identity::Nobody, http }
    }

    fn as_somebody(&self, identity: Identity) -> Self {
        Self { identity, ..self.clone() }
    }

    /// The same server, called with an API key.
    pub fn with_key(&self, key: &str) -> Self {
        self.as_somebody(Identity::Key(key.to_owned()))
    }

    /// The same server, called by nobody in particular.
    pub fn signed_out(&self) -> Self {
        self.as_somebody(Identity::Nobody)
    }

    /// The same session without its CSRF token, as a forged request would be.
    pub fn without_csrf(&self) -> Self {
        let mut copy = self.clone();
        if let Identity::Session { csrf, .. } = &mut copy.identity {
            csrf.clear();
        }
        copy
    }

    /// Makes the first organization and its owner, and signs the owner in.
    pub async fn set_up(&self, token: &str, email: &str, password: &str) -> Self {
        let owner = json!({
            "token": token, "organization": "Acme", "name": "Olga Owner", "email": email, "password": password,
        });
        let answer = self.post("/api/setup", owner).await;
        assert!(answer.status < 300, "{answer:?}");
        self.sign_in(email, password).await
    }

    /// Signs in and gives the client with its session.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let answer = self.post("/api/session", json!({"email": email, "password": password})).await;
        assert!(answer.status < 300, "{answer:?}");
        self.session_of(&answer).await
    }

    /// The client that holds the session cookie of this answer.
    pub async fn session_of(&self, answer: &Answer) -> Self {
        let cookies = answer.headers.get_all(SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let cookie =
            cookies.filter_map(|value| value.split(';').next()).find(|pair| pair.starts_with("duplex_session="));
        let cookie = cookie.unwrap_or_else(|| panic!("no session cookie: {answer:?}")).to_owned();
        let mut client = self.as_somebody(Identity::Session { cookie, csrf: String::new() });
        let me = client.get("/api/me").await.json(200);
        if let Identity::Session { csrf, .. } = &mut client.identity {
            csrf.push_str(me["csrf_token"].as_str().unwrap());
        }
        client
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// All items of a list, page after page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = match &cursor {
                None => format!("{path}{joint}limit=200"),
                Some(cursor) => format!("{path}{joint}limit=200&cursor={cursor}"),
            };
            let answer = self.get(&page).await.json(200);
            items.extend(answer["items"].as_array().unwrap().iter().cloned());
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.request(method.as_str(), path, &[], body).await
    }

    /// Any request, with further headers and a body of any kind.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Answer {
        let method: Method = method.parse().unwrap();
        let asked = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base)).headers(self.headers());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((content_type, bytes)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{asked}: {error:?}")).to_vec();
        Answer { status, headers, bytes, asked }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match &self.identity {
            Identity::Nobody => {}
            Identity::Session { cookie, csrf } => {
                headers.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
                if !csrf.is_empty() {
                    headers.insert("X-CSRF-Token", HeaderValue::from_str(csrf).unwrap());
                }
            }
            Identity::Key(key) => {
                headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}")).unwrap());
            }
        }
        headers
    }

    /// Opens the WebSocket.
    pub async fn web_socket(&self) -> WebSocket {
        self.web_socket_at("/api/ws").await
    }

    /// Opens the WebSocket, with parameters.
    pub async fn web_socket_at(&self, path: &str) -> WebSocket {
        let mut request = format!("{}{path}", self.base.replacen("http", "ws", 1)).into_client_request().unwrap();
        for (name, value) in &self.headers() {
            request.headers_mut().insert(name, value.clone());
        }
        WebSocket(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }
}

impl WebSocket {
    /// The next event that fits, within patience.
    pub async fn next(&mut self, what: &str, mut fits: impl FnMut(&Value) -> bool) -> Value {
        use futures_util::StreamExt;
        let search = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let event: Value = serde_json::from_str(text.as_str()).unwrap();
                        if fits(&event) {
                            return event;
                        }
                    }
                    Some(Ok(_)) => {}
                    end => panic!("the socket ended while waiting for {what}: {end:?}"),
                }
            }
        };
        tokio::time::timeout(super::wait::PATIENCE, search).await.unwrap_or_else(|_| panic!("no event came: {what}"))
    }
}

impl Answer {
    /// The body as JSON, after a look at the status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text());
        if self.bytes.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{}: {error}: {}", self.asked, self.text()))
    }

    /// Checks that this is a refusal in the one form that all have, with this status and code; gives the body.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.json(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}: {body}", self.asked);
        assert_eq!(body["code"], code, "{}: {body}", self.asked);
        assert_eq!(body["status"], status, "{}: {body}", self.asked);
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}: {body}", self.asked);
        body
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
