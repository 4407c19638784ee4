//! Invitations.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::json;

use super::{PASSWORD, join, text, token};
use crate::support::{Backend, TestApp};

on_both! {
    async fn an_invited_person_joins_with_a_password_of_their_own(app: TestApp) {
        let owner = app.owner().await;
        let guest = json!({ "email": "mia@acme.example", "name": "Mia", "role": "member" });
        let made = owner.post("/api/invitations", guest).await.json(201);
        let link = text(&made, "link").to_owned();
        assert!(link.contains("/invitation?token="), "{link}");
        let open = owner.all("/api/invitations").await;
        assert_eq!(open.len(), 1);
        assert!(open[0].get("link").is_none(), "the link is told once");

        let nobody = app.nobody();
        let path = format!("/api/invitations/{}", token(&link));
        let view = nobody.get(&path).await.json(200);
        assert_eq!((text(&view, "organization"), text(&view, "email")), ("Acme", "mia@acme.example"));
        nobody.post(&path, json!({ "password": "short" })).await.problem(422, "validation_failed");
        let answer = nobody.post(&path, json!({ "password": PASSWORD, "name": "Mia Muster" })).await;
        assert_eq!(text(&answer.json(201), "name"), "Mia Muster");
        nobody.session_of(&answer).await.get("/api/me").await.json(200);
        nobody.sign_in("mia@acme.example", PASSWORD).await;

        nobody.get(&path).await.problem(422, "invalid_token");
        nobody.post(&path, json!({ "password": PASSWORD })).await.problem(422, "invalid_token");
        assert!(owner.all("/api/invitations").await.is_empty());
    }
}

on_both! {
    async fn an_invitation_is_used_once_even_by_many_at_once(app: TestApp) {
        let owner = app.owner().await;
        let guest = json!({ "email": "mia@acme.example", "name": "Mia" });
        let link = text(&owner.post("/api/invitations", guest).await.json(201), "link").to_owned();
        let (nobody, path) = (app.nobody(), format!("/api/invitations/{}", token(&link)));
        let tries = (0..5).map(|_| nobody.post(&path, json!({ "password": PASSWORD })));
        let mut statuses: Vec<_> =
            futures_util::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422, 422, 422, 422]);
    }
}

on_both! {
    async fn a_withdrawn_replaced_or_old_invitation_does_not_count(backend: Backend) {
        let clock = Clock::fixed(Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |_| {}).await;
        let owner = app.owner().await;
        let nobody = app.nobody();
        let guest = json!({ "email": "mia@acme.example", "name": "Mia" });
        let first = owner.post("/api/invitations", guest.clone()).await.json(201);
        let second = owner.post("/api/invitations", guest.clone()).await.json(201);
        let path = |made: &serde_json::Value| format!("/api/invitations/{}", token(text(made, "link")));
        nobody.get(&path(&first)).await.problem(422, "invalid_token");
        nobody.get(&path(&second)).await.json(200);
        assert_eq!(owner.delete(&format!("/api/invitations/{}", text(&second, "id"))).await.status, 204);
        nobody.get(&path(&second)).await.problem(422, "invalid_token");
        owner.delete(&format!("/api/invitations/{}", text(&second, "id"))).await.problem(404, "not_found");
        owner.delete("/api/invitations/not-an-id").await.problem(404, "not_found");

        let third = owner.post("/api/invitations", guest).await.json(201);
        clock.advance(Duration::days(8));
        nobody.get(&path(&third)).await.problem(422, "invalid_token");
    }
}

on_both! {
    async fn who_is_there_already_is_not_invited_and_admins_invite_no_owners(app: TestApp) {
        let owner = app.owner().await;
        let admin = join(&owner, "ada@acme.example", "admin").await;
        let known = json!({ "email": "Ada@acme.example", "name": "Ada" });
        owner.post("/api/invitations", known).await.problem(409, "email_taken");
        let boss = json!({ "email": "boss@acme.example", "name": "Boss", "role": "owner" });
        admin.post("/api/invitations", boss).await.problem(403, "forbidden");
    }
}
