//! Floods.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::json;

use super::{PASSWORD, add, key};
use crate::support::{Backend, Client, TestApp};

async fn guess(nobody: &Client, email: &str, password: &str) -> crate::support::Answer {
    nobody.post("/api/session", json!({ "email": email, "password": password })).await
}

on_both! {
    async fn a_guesser_is_slowed_down_and_may_come_back(backend: Backend) {
        let clock = Clock::fixed(Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |_| {}).await;
        let owner = app.owner().await;
        add(&owner, "mia@acme.example", "member").await;
        let nobody = app.nobody();
        for _ in 0..10 {
            guess(&nobody, "mia@acme.example", "wrong password").await.problem(401, "invalid_credentials");
        }
        let refused = guess(&nobody, "mia@acme.example", PASSWORD).await;
        refused.problem(429, "rate_limited");
        let seconds: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds));
        guess(&nobody, "olga@acme.example", crate::support::app::OWNER_PASSWORD).await.json(200);
        clock.advance(Duration::seconds(seconds));
        guess(&nobody, "mia@acme.example", PASSWORD).await.json(200);
    }
}

on_both! {
    async fn a_network_that_tries_many_people_is_slowed_down(app: TestApp) {
        app.owner().await;
        let nobody = app.nobody();
        let tries = (0..50).map(|n| {
            let nobody = nobody.clone();
            async move { guess(&nobody, &format!("p{n}@acme.example"), "wrong password").await.status }
        });
        for status in futures_util::future::join_all(tries).await {
            assert!([401, 429].contains(&status), "{status}");
        }
        let forged = [("x-forwarded-for", "203.0.113.7")];
        let body = json!({ "email": "p99@acme.example", "password": "wrong password" }).to_string().into_bytes();
        crate::support::wait_until("the network is slowed down", async || {
            let body = Some(("application/json", body.clone()));
            nobody.request("POST", "/api/session", &forged, body).await.status == 429
        })
        .await;
    }
}

on_both! {
    async fn a_key_that_floods_is_slowed_down(app: TestApp) {
        let owner = app.owner().await;
        let program = key(&owner, json!(["read"])).await;
        let refused = crate::support::wait_for("the key is slowed down", async || {
            let calls = futures_util::future::join_all((0..100).map(|_| program.get("/api/me"))).await;
            calls.into_iter().find(|answer| answer.status == 429)
        })
        .await;
        refused.problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        owner.get("/api/me").await.json(200);
    }
}
