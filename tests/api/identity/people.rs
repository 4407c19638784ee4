//! The people of an organization and their roles.

use serde_json::json;

use super::{PASSWORD, add, join, text};
use crate::support::TestApp;

on_both! {
    async fn an_admin_adds_changes_and_removes_people(app: TestApp) {
        let owner = app.owner().await;
        let admin = join(&owner, "ada@acme.example", "admin").await;
        let mia = json!({ "email": "mia@acme.example", "name": "Mia", "external_id": "crm-7" });
        let mia = admin.post("/api/users", mia).await.json(201);
        assert_eq!((text(&mia, "role"), mia["disabled"].as_bool()), ("member", Some(false)));
        let path = format!("/api/users/{}", text(&mia, "id"));
        assert_eq!(admin.get(&path).await.json(200), mia);

        let changed = json!({ "name": "Mia Muster", "email": "mia.muster@acme.example", "external_id": null });
        let changed = admin.patch(&path, changed).await.json(200);
        assert_eq!((text(&changed, "name"), text(&changed, "email")), ("Mia Muster", "mia.muster@acme.example"));
        assert!(changed["external_id"].is_null());

        assert_eq!(admin.delete(&path).await.status, 204);
        admin.get(&path).await.problem(404, "not_found");
        admin.delete(&path).await.problem(404, "not_found");
        admin.patch("/api/users/not-an-id", json!({})).await.problem(404, "not_found");
    }
}

on_both! {
    async fn an_address_belongs_to_one_user_and_an_external_id_too(app: TestApp) {
        let owner = app.owner().await;
        let taken = json!({ "email": "OLGA@acme.example", "name": "Olga" });
        owner.post("/api/users", taken).await.problem(409, "email_taken");
        let one = json!({ "email": "one@acme.example", "name": "One", "external_id": "7" });
        owner.post("/api/users", one).await.json(201);
        let two = json!({ "email": "two@acme.example", "name": "Two", "external_id": "7" });
        owner.post("/api/users", two).await.problem(409, "conflict");
    }
}

on_both! {
    async fn bad_input_is_refused_with_its_field(app: TestApp) {
        let owner = app.owner().await;
        for (person, field) in [
            (json!({ "email": "nonsense", "name": "A" }), "email"),
            (json!({ "email": "a@b.example", "name": " " }), "name"),
            (json!({ "email": "a@b.example", "name": "A", "password": "short" }), "password"),
            (json!({ "email": "a@b.example", "name": "A", "rôle": "member" }), "rôle"),
            (json!({ "email": "a@b.example" }), "name"),
            (json!({ "email": "a@b.example", "name": "A", "external_id": "" }), "external_id"),
        ] {
            let problem = owner.post("/api/users", person).await.problem(422, "validation_failed");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        owner.post("/api/users", json!({ "email": "a@b.example", "name": "A\u{0}" })).await.problem(422, "validation_failed");
        owner.get("/api/users?limit=0").await.problem(422, "validation_failed");
        owner.get("/api/users?cursor=nonsense").await.problem(422, "validation_failed");
    }
}

on_both! {
    async fn a_member_sees_and_changes_only_itself(app: TestApp) {
        let owner = app.owner().await;
        let mia = join(&owner, "mia@acme.example", "member").await;
        let me = mia.get("/api/me").await.json(200);
        let own = format!("/api/users/{}", text(&me, "id"));
        let owners = format!("/api/users/{}", text(&owner.get("/api/me").await.json(200), "id"));

        let seen = mia.all("/api/users").await;
        assert_eq!((seen.len(), &seen[0]["id"]), (1, &me["id"]));
        mia.get(&own).await.json(200);
        mia.get(&owners).await.problem(404, "not_found");
        assert_eq!(text(&mia.patch(&own, json!({"name": "Mia M."})).await.json(200), "name"), "Mia M.");
        mia.patch(&own, json!({"role": "owner"})).await.problem(403, "forbidden");
        mia.patch(&owners, json!({"name": "Hacked"})).await.problem(404, "not_found");
        mia.delete(&own).await.problem(403, "forbidden");
        mia.post("/api/users", json!({"email": "x@acme.example", "name": "X"})).await.problem(403, "forbidden");
        for path in ["/api/audit", "/api/audit/check", "/api/invitations"] {
            mia.get(path).await.problem(403, "forbidden");
        }
        mia.patch("/api/organization", json!({"name": "Mine"})).await.problem(403, "forbidden");
    }
}

on_both! {
    async fn only_an_owner_manages_owners(app: TestApp) {
        let owner = app.owner().await;
        let admin = join(&owner, "ada@acme.example", "admin").await;
        let owners = format!("/api/users/{}", text(&owner.get("/api/me").await.json(200), "id"));
        let own = format!("/api/users/{}", text(&admin.get("/api/me").await.json(200), "id"));
        let second = json!({ "email": "x@acme.example", "name": "X", "role": "owner", "password": PASSWORD });
        admin.post("/api/users", second.clone()).await.problem(403, "forbidden");
        admin.patch(&own, json!({"role": "owner"})).await.problem(403, "forbidden");
        admin.patch(&owners, json!({"role": "member"})).await.problem(403, "forbidden");
        admin.delete(&owners).await.problem(403, "forbidden");
        admin.post(&format!("{owners}/password-reset"), json!({})).await.problem(403, "forbidden");
        owner.post("/api/users", second).await.json(201);
    }
}

on_both! {
    async fn the_last_owner_stays(app: TestApp) {
        let owner = app.owner().await;
        let path = format!("/api/users/{}", text(&owner.get("/api/me").await.json(200), "id"));
        owner.patch(&path, json!({"role": "admin"})).await.problem(409, "last_owner");
        owner.patch(&path, json!({"disabled": true})).await.problem(409, "last_owner");
        owner.delete(&path).await.problem(409, "last_owner");

        let second = add(&owner, "otto@acme.example", "owner").await;
        let seconds = format!("/api/users/{}", text(&second, "id"));
        owner.patch(&seconds, json!({"disabled": true})).await.json(200);
        owner.delete(&path).await.problem(409, "last_owner");
        owner.patch(&seconds, json!({"disabled": false})).await.json(200);
        assert_eq!(owner.delete(&path).await.status, 204);
        owner.get("/api/me").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn of_two_owners_who_step_down_at_once_one_stays(app: TestApp) {
        let owner = app.owner().await;
        let other = join(&owner, "otto@acme.example", "owner").await;
        let mut steps = Vec::new();
        for client in [&owner, &other] {
            let path = format!("/api/users/{}", text(&client.get("/api/me").await.json(200), "id"));
            steps.push(async move { client.patch(&path, json!({"role": "member"})).await.status });
        }
        let mut statuses = futures_util::future::join_all(steps).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

on_both! {
    async fn a_changed_role_counts_at_once(app: TestApp) {
        let owner = app.owner().await;
        let mia = join(&owner, "mia@acme.example", "admin").await;
        assert_eq!(mia.all("/api/users").await.len(), 2);
        let path = format!("/api/users/{}", text(&mia.get("/api/me").await.json(200), "id"));
        owner.patch(&path, json!({"role": "member"})).await.json(200);
        mia.get("/api/audit").await.problem(403, "forbidden");
        owner.patch(&path, json!({"disabled": true})).await.json(200);
        mia.get("/api/me").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn a_list_is_read_page_by_page(app: TestApp) {
        let owner = app.owner().await;
        for n in 0..4 {
            let person = json!({ "email": format!("p{n}@acme.example"), "name": format!("P{n}") });
            owner.post("/api/users", person).await.json(201);
        }
        let first = owner.get("/api/users?limit=3").await.json(200);
        let second = owner.get(&format!("/api/users?limit=3&cursor={}", text(&first, "next_cursor"))).await.json(200);
        let names = [&first, &second].map(|page| page["items"].as_array().unwrap().clone()).concat();
        let names: Vec<_> = names.iter().map(|user| text(user, "name").to_owned()).collect();
        assert_eq!(names, ["Olga Owner", "P0", "P1", "P2", "P3"]);
        assert!(second["next_cursor"].is_null());
    }
}

on_both! {
    async fn the_organization_gets_another_name(app: TestApp) {
        let owner = app.owner().await;
        assert_eq!(text(&owner.patch("/api/organization", json!({"name": "Acme Ltd"})).await.json(200), "name"), "Acme Ltd");
        assert_eq!(text(&owner.get("/api/organization").await.json(200), "name"), "Acme Ltd");
    }
}
