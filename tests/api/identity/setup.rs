//! The first run.

use serde_json::{Value, json};

use crate::support::TestApp;

fn first(token: &str) -> Value {
    json!({ "token": token, "organization": "Acme", "name": "Olga", "email": "olga@acme.example",
            "password": "correct horse battery staple" })
}

on_both! {
    async fn the_first_run_makes_an_owner_and_is_closed_afterwards(app: TestApp) {
        let nobody = app.nobody();
        assert_eq!(nobody.get("/api/setup").await.json(200)["needed"], true);
        assert!(app.setup_token().len() >= 20);

        nobody.post("/api/setup", first("a-token-that-nobody-printed")).await.problem(422, "invalid_token");
        let mut weak = first(app.setup_token());
        weak["password"] = json!("short");
        nobody.post("/api/setup", weak).await.problem(422, "validation_failed");

        let answer = nobody.post("/api/setup", first(app.setup_token())).await;
        let me = answer.json(201);
        assert_eq!((me["role"].as_str(), me["organization"]["name"].as_str()), (Some("owner"), Some("Acme")));
        nobody.session_of(&answer).await.get("/api/users").await.json(200);

        assert_eq!(nobody.get("/api/setup").await.json(200)["needed"], false);
        nobody.post("/api/setup", first(app.setup_token())).await.problem(409, "setup_done");
    }
}

on_both! {
    async fn of_many_first_runs_at_once_one_wins(app: TestApp) {
        let nobody = app.nobody();
        let tries = (0..8).map(|n| {
            let mut person = first(app.setup_token());
            person["email"] = json!(format!("olga{n}@acme.example"));
            nobody.post("/api/setup", person)
        });
        let answers = futures_util::future::join_all(tries).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.problem(409, "setup_done");
        }
        let owner = nobody.session_of(won[0]).await;
        assert_eq!(owner.all("/api/users").await.len(), 1);
    }
}
