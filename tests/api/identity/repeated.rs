//! Requests that are sent again.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::{Value, json};

use super::join;
use crate::support::{Answer, Backend, Client, TestApp};

async fn create(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let body = Some(("application/json", body.to_string().into_bytes()));
    client.request("POST", path, &[("idempotency-key", key)], body).await
}

on_both! {
    async fn the_same_request_gets_the_first_answer_again(app: TestApp) {
        let owner = app.owner().await;
        let mia = json!({ "email": "mia@acme.example", "name": "Mia" });
        let first = create(&owner, "/api/users", "k1", &mia).await;
        let made = first.json(201);
        let again = create(&owner, "/api/users", "k1", &mia).await;
        assert_eq!(again.json(201), made);
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(owner.all("/api/users").await.len(), 2);

        let other = json!({ "email": "otto@acme.example", "name": "Otto" });
        create(&owner, "/api/users", "k1", &other).await.problem(409, "idempotency_key_reused");
        create(&owner, "/api/invitations", "k1", &mia).await.problem(409, "idempotency_key_reused");
        create(&owner, "/api/users", "", &other).await.problem(422, "validation_failed");

        let admin = join(&owner, "ada@acme.example", "admin").await;
        create(&admin, "/api/users", "k1", &other).await.json(201);
    }
}

on_both! {
    async fn of_the_same_request_many_times_at_once_one_is_done(app: TestApp) {
        let owner = app.owner().await;
        let mia = json!({ "email": "mia@acme.example", "name": "Mia" });
        let answers = futures_util::future::join_all((0..6).map(|_| create(&owner, "/api/users", "k1", &mia))).await;
        for answer in &answers {
            assert_eq!(answer.json(201), answers[0].json(201));
        }
        assert_eq!(owner.all("/api/users").await.len(), 2);
    }
}

on_both! {
    async fn a_secret_is_neither_kept_nor_made_twice(app: TestApp) {
        let owner = app.owner().await;
        let order = json!({ "name": "CRM" });
        let made = create(&owner, "/api/api-keys", "k1", &order).await.json(201);
        assert!(made["key"].is_string());
        create(&owner, "/api/api-keys", "k1", &order).await.problem(409, "conflict");
        assert_eq!(owner.all("/api/api-keys").await.len(), 1);
    }
}

on_both! {
    async fn a_key_is_forgotten_after_a_day(backend: Backend) {
        let clock = Clock::fixed(Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |_| {}).await;
        let owner = app.owner().await;
        create(&owner, "/api/users", "k1", &json!({ "email": "mia@acme.example", "name": "Mia" })).await.json(201);
        clock.advance(Duration::hours(24));
        create(&owner, "/api/users", "k1", &json!({ "email": "otto@acme.example", "name": "Otto" })).await.json(201);
    }
}
