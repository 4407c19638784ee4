//! Two organizations on one server know nothing of each other.

use duplex::access::Role;
use serde_json::json;

use super::command_line::user;
use super::{PASSWORD, add, key, operator, text};
use crate::support::{Client, TestApp};

/// Makes a second organization, as an operator does on the command line, and signs its owner in.
async fn another_owner(app: &TestApp) -> Client {
    let order = user("zoe@globex.example", Role::Owner, Some("Globex"));
    operator(app).await.provision_user(order).await.unwrap();
    app.nobody().sign_in("zoe@globex.example", PASSWORD).await
}

on_both! {
    async fn another_organizations_objects_do_not_exist(app: TestApp) {
        let owner = app.owner().await;
        let mia = add(&owner, "mia@acme.example", "member").await;
        let made = owner.post("/api/api-keys", json!({ "name": "x" })).await.json(201);
        let guest = json!({ "email": "new@acme.example", "name": "New" });
        let invited = owner.post("/api/invitations", guest).await.json(201);
        let zoe = another_owner(&app).await;

        let users = format!("/api/users/{}", text(&mia, "id"));
        let keys = format!("/api/api-keys/{}", text(&made, "id"));
        for path in [&users, &keys] {
            zoe.get(path).await.problem(404, "not_found");
            zoe.patch(path, json!({ "name": "Mine" })).await.problem(404, "not_found");
            zoe.delete(path).await.problem(404, "not_found");
        }
        zoe.post(&format!("{users}/password-reset"), json!({})).await.problem(404, "not_found");
        zoe.delete(&format!("/api/invitations/{}", text(&invited, "id"))).await.problem(404, "not_found");
        let session = text(&owner.all("/api/sessions").await[0], "id").to_owned();
        zoe.delete(&format!("/api/sessions/{session}")).await.problem(404, "not_found");

        assert_eq!(zoe.all("/api/users").await.len(), 1);
        assert!(zoe.all("/api/api-keys").await.is_empty());
        assert!(zoe.all("/api/invitations").await.is_empty());
        let zoes: Vec<_> = zoe.all("/api/audit").await;
        assert!(zoes.iter().all(|entry| entry["object_id"] != mia["id"]));
        let cursor = owner.get("/api/audit?limit=1").await.json(200);
        let foreign = format!("/api/audit?cursor={}", text(&cursor, "next_cursor"));
        zoe.get(&foreign).await.problem(422, "validation_failed");

        let program = key(&zoe, json!(["read", "act_as"])).await;
        let act_as = [("x-act-as", "mia@acme.example")];
        program.request("GET", "/api/me", &act_as, None).await.problem(404, "not_found");
        owner.get(&users).await.json(200);
        owner.get(&keys).await.json(200);
    }
}
