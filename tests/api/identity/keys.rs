//! API keys.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::json;

use super::{PASSWORD, add, join, key, text};
use crate::support::{Backend, TestApp};

on_both! {
    async fn a_key_is_told_once_works_without_csrf_and_dies_when_revoked(app: TestApp) {
        let owner = app.owner().await;
        let made = owner.post("/api/api-keys", json!({ "name": "CRM" })).await.json(201);
        let secret = text(&made, "key");
        assert!(secret.starts_with("dx_") && secret.starts_with(text(&made, "prefix")) && secret.len() > 40);
        let listed = owner.all("/api/api-keys").await;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].get("key").is_none() && listed[0].get("key_hash").is_none());

        let program = owner.with_key(secret);
        let me = program.get("/api/me").await.json(200);
        assert!(me["csrf_token"].is_null() && me["scopes"].is_null());
        program.post("/api/users", json!({ "email": "a@b.example", "name": "A" })).await.json(201);

        let path = format!("/api/api-keys/{}", text(&made, "id"));
        assert_eq!(text(&owner.patch(&path, json!({ "name": "Old CRM" })).await.json(200), "name"), "Old CRM");
        assert_eq!(owner.delete(&path).await.status, 204);
        program.get("/api/me").await.problem(401, "unauthenticated");
        owner.get(&path).await.problem(404, "not_found");
        assert!(owner.all("/api/api-keys").await.is_empty());
    }
}

on_both! {
    async fn scopes_hold(app: TestApp) {
        let owner = app.owner().await;
        let reader = key(&owner, json!(["read"])).await;
        reader.get("/api/me").await.json(200);
        reader.get("/api/organization").await.json(200);
        reader.get("/api/audit").await.problem(403, "forbidden");
        reader.post("/api/users", json!({ "email": "a@b.example", "name": "A" })).await.problem(403, "forbidden");
        reader.post("/api/api-keys", json!({ "name": "more" })).await.problem(403, "forbidden");
        assert_eq!(reader.all("/api/users").await.len(), 1);

        let writer = key(&owner, json!(["write"])).await;
        writer.get("/api/me").await.json(200);
        writer.get("/api/organization").await.problem(403, "forbidden");

        let none = key(&owner, json!([])).await;
        none.get("/api/me").await.json(200);
        none.get("/api/users").await.problem(403, "forbidden");

        let admin = key(&owner, json!(["read", "admin"])).await;
        admin.get("/api/audit").await.json(200);
        admin.post("/api/api-keys", json!({ "name": "more" })).await.problem(403, "forbidden");
        admin.post("/api/api-keys", json!({ "name": "more", "scopes": ["send"] })).await.problem(403, "forbidden");
        admin.post("/api/api-keys", json!({ "name": "less", "scopes": ["read"] })).await.json(201);
        owner.post("/api/api-keys", json!({ "name": "x", "scopes": ["fly"] })).await.problem(422, "validation_failed");
    }
}

on_both! {
    async fn an_encoded_path_does_not_slip_past_a_scope(app: TestApp) {
        let owner = app.owner().await;
        let writer = key(&owner, json!(["write", "read"])).await;
        let body = json!({ "email": "a@b.example", "name": "A" }).to_string().into_bytes();
        let answer = writer.request("POST", "/api/%75sers", &[], Some(("application/json", body))).await;
        assert!([403, 404].contains(&answer.status), "{answer:?}");
    }
}

on_both! {
    async fn a_member_has_keys_of_its_own_but_none_that_administer(app: TestApp) {
        let owner = app.owner().await;
        let mia = join(&owner, "mia@acme.example", "member").await;
        let otto = join(&owner, "otto@acme.example", "member").await;
        mia.post("/api/api-keys", json!({ "name": "x", "scopes": ["admin"] })).await.problem(403, "forbidden");
        mia.post("/api/api-keys", json!({ "name": "x", "scopes": ["act_as"] })).await.problem(403, "forbidden");
        let made = mia.post("/api/api-keys", json!({ "name": "mine" })).await.json(201);
        let path = format!("/api/api-keys/{}", text(&made, "id"));
        mia.get(&path).await.json(200);
        otto.get(&path).await.problem(404, "not_found");
        otto.delete(&path).await.problem(404, "not_found");
        assert!(otto.all("/api/api-keys").await.is_empty());
        assert_eq!(owner.all("/api/api-keys").await.len(), 1);
        owner.patch(&path, json!({ "scopes": ["read"] })).await.problem(403, "forbidden");
        assert_eq!(owner.delete(&path).await.status, 204);
    }
}

on_both! {
    async fn a_key_stops_at_its_expiry(backend: Backend) {
        let clock = Clock::fixed(Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |_| {}).await;
        let owner = app.owner().await;
        let past = json!({ "name": "x", "expires_at": "2020-01-01T00:00:00Z" });
        owner.post("/api/api-keys", past).await.problem(422, "validation_failed");
        let soon = (clock.now() + Duration::hours(1)).to_string();
        let made = owner.post("/api/api-keys", json!({ "name": "x", "expires_at": soon })).await.json(201);
        let program = owner.with_key(text(&made, "key"));
        program.get("/api/me").await.json(200);
        clock.advance(Duration::hours(1));
        program.get("/api/me").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn an_admins_key_acts_for_others_without_gaining_rights(app: TestApp) {
        let owner = app.owner().await;
        let admin = join(&owner, "ada@acme.example", "admin").await;
        let mia = json!({ "email": "mia@acme.example", "name": "Mia", "external_id": "crm-7" });
        let mia = owner.post("/api/users", mia).await.json(201);
        let program = key(&admin, json!(["read", "write", "admin", "act_as"])).await;
        for reference in ["mia@acme.example", "MIA@acme.example", "crm-7"] {
            let me = program.request("GET", "/api/me", &[("x-act-as", reference)], None).await.json(200);
            assert_eq!(me["id"], mia["id"]);
        }
        let me = program.request("GET", "/api/me", &[("x-act-as", "olga@acme.example")], None).await.json(200);
        assert_eq!((text(&me, "role"), &me["scopes"]), ("owner", &json!(["read", "write"])));
        let as_owner = [("x-act-as", "olga@acme.example")];
        let body = json!({ "name": "mine" }).to_string().into_bytes();
        let answer = program.request("POST", "/api/api-keys", &as_owner, Some(("application/json", body))).await;
        answer.problem(403, "forbidden");

        program.request("GET", "/api/me", &[("x-act-as", "eve@else.example")], None).await.problem(404, "not_found");
        let lacking = key(&admin, json!(["read", "write", "admin"])).await;
        lacking.request("GET", "/api/me", &[("x-act-as", "crm-7")], None).await.problem(403, "forbidden");
        admin.request("GET", "/api/me", &[("x-act-as", "crm-7")], None).await.problem(403, "forbidden");
    }
}

on_both! {
    async fn a_key_dies_with_its_user(app: TestApp) {
        let owner = app.owner().await;
        let id = add(&owner, "mia@acme.example", "member").await["id"].as_str().unwrap().to_owned();
        let mia = app.nobody().sign_in("mia@acme.example", PASSWORD).await;
        let program = key(&mia, json!(["read"])).await;
        program.get("/api/me").await.json(200);
        owner.patch(&format!("/api/users/{id}"), json!({ "disabled": true })).await.json(200);
        program.get("/api/me").await.problem(401, "unauthenticated");
        owner.patch(&format!("/api/users/{id}"), json!({ "disabled": false })).await.json(200);
        program.get("/api/me").await.json(200);
        owner.delete(&format!("/api/users/{id}")).await;
        program.get("/api/me").await.problem(401, "unauthenticated");
    }
}
