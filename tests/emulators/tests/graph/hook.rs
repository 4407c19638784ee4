//! An endpoint that subscribers have, for the tests of subscriptions.

use duplex_emulators::shared::http::{Outcome, Reply, Request};
use duplex_emulators::shared::lock;
use duplex_emulators::shared::server::{BoxFuture, Running, Service};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// How an endpoint proves itself, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Right,
    Encoded,
    Html,
    Wrong,
}

/// What the endpoint has heard and how it answers.
pub struct Heard {
    proof: Mutex<Proof>,
    status: Mutex<u16>,
    items: Mutex<Vec<Value>>,
    posts: Mutex<usize>,
    proofs: Mutex<usize>,
}

impl Service for Heard {
    fn serve(self: Arc<Self>, request: Request) -> BoxFuture<Outcome> {
        Box::pin(async move { Outcome::Reply(self.answer(&request)) })
    }

    fn run(self: Arc<Self>) -> BoxFuture<()> {
        Box::pin(std::future::pending())
    }
}

impl Heard {
    fn answer(&self, request: &Request) -> Reply {
        let token = request.query_pairs().into_iter().find(|(name, _)| name == "validationToken");
        if let Some((_, token)) = token {
            assert_eq!(request.headers.media_type(), "text/plain");
            *lock(&self.proofs) += 1;
            return match *lock(&self.proof) {
                Proof::Right => Reply::new(200, "text/plain", token),
                Proof::Encoded => Reply::new(200, "text/plain", token.replace(' ', "%20")),
                Proof::Html => Reply::new(200, "text/html", token),
                Proof::Wrong => Reply::empty(404),
            };
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let status = *lock(&self.status);
        *lock(&self.posts) += 1;
        if status < 300 {
            lock(&self.items).extend(body["value"].as_array().unwrap().iter().cloned());
        }
        Reply::empty(status)
    }
}

/// The endpoint as long as it listens.
pub struct Hook {
    heard: Arc<Heard>,
    running: Running,
}

impl Hook {
    pub fn start() -> Self {
        let (running, heard) = Running::start("127.0.0.1:0", |_| {
            Arc::new(Heard {
                proof: Mutex::new(Proof::Right),
                status: Mutex::new(202),
                items: Mutex::default(),
                posts: Mutex::default(),
                proofs: Mutex::default(),
            })
        })
        .unwrap();
        Self { heard, running }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    pub fn prove(&self, proof: Proof) {
        *lock(&self.heard.proof) = proof;
    }

    pub fn answer_with(&self, status: u16) {
        *lock(&self.heard.status) = status;
    }

    pub fn items(&self) -> Vec<Value> {
        lock(&self.heard.items).clone()
    }

    pub fn posts(&self) -> usize {
        *lock(&self.heard.posts)
    }

    pub fn proofs(&self) -> usize {
        *lock(&self.heard.proofs)
    }
}
