//! New passwords.

use serde_json::json;

use super::{PASSWORD, add, join, text, token};
use crate::support::TestApp;

const NEW: &str = "eight blue bottles";

on_both! {
    async fn a_forgotten_password_is_set_anew_by_a_link_of_an_admin(app: TestApp) {
        let owner = app.owner().await;
        let mia = add(&owner, "mia@acme.example", "member").await;
        let nobody = app.nobody();
        let session = nobody.sign_in("mia@acme.example", PASSWORD).await;
        let path = format!("/api/users/{}/password-reset", text(&mia, "id"));
        let old = owner.post(&path, json!({})).await.json(201);
        let made = owner.post(&path, json!({})).await.json(201);
        let link = text(&made, "link");
        assert!(link.contains("/password-reset?token="), "{link}");

        let replaced = json!({ "token": token(text(&old, "link")), "password": NEW });
        nobody.post("/api/password-reset", replaced).await.problem(422, "invalid_token");
        let weak = json!({ "token": token(link), "password": "short" });
        nobody.post("/api/password-reset", weak).await.problem(422, "validation_failed");
        let good = json!({ "token": token(link), "password": NEW });
        assert_eq!(nobody.post("/api/password-reset", good.clone()).await.status, 204);
        nobody.post("/api/password-reset", good).await.problem(422, "invalid_token");

        session.get("/api/me").await.problem(401, "unauthenticated");
        let old = json!({ "email": "mia@acme.example", "password": PASSWORD });
        nobody.post("/api/session", old).await.problem(401, "invalid_credentials");
        nobody.sign_in("mia@acme.example", NEW).await;
    }
}

on_both! {
    async fn a_person_changes_the_own_password_and_is_signed_out_elsewhere(app: TestApp) {
        let owner = app.owner().await;
        let desk = join(&owner, "mia@acme.example", "member").await;
        let phone = app.nobody().sign_in("mia@acme.example", PASSWORD).await;
        let wrong = json!({ "current_password": "not this one", "new_password": NEW });
        desk.put("/api/me/password", wrong).await.problem(401, "invalid_credentials");
        let right = json!({ "current_password": PASSWORD, "new_password": NEW });
        assert_eq!(desk.put("/api/me/password", right).await.status, 204);
        desk.get("/api/me").await.json(200);
        phone.get("/api/me").await.problem(401, "unauthenticated");
        app.nobody().sign_in("mia@acme.example", NEW).await;
    }
}
