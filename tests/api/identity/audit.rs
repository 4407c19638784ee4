//! The audit log.

use serde_json::json;

use super::{add, tamper, text};
use crate::support::TestApp;

on_both! {
    async fn what_was_done_stands_in_the_log_and_the_chain_holds(app: TestApp) {
        let owner = app.owner().await;
        let mia = add(&owner, "mia@acme.example", "member").await;
        let path = format!("/api/users/{}", text(&mia, "id"));
        owner.patch(&path, json!({ "role": "admin", "name": "Secret Name" })).await.json(200);
        owner.delete(&path).await;

        let entries = owner.all(&format!("/api/audit?object_type=user&object_id={}", text(&mia, "id"))).await;
        let actions: Vec<_> = entries.iter().map(|entry| text(entry, "action")).collect();
        assert_eq!(actions, ["user.deleted", "user.changed", "user.created"]);
        let changed = &entries[1];
        assert_eq!((text(changed, "actor_kind"), &changed["detail"]["role"]), ("user", &json!("admin")));
        assert_eq!(text(changed, "ip_address"), "127.0.0.1");
        assert!(!changed.to_string().contains("Secret Name"));

        let me = owner.get("/api/me").await.json(200);
        let mine = owner.all(&format!("/api/audit?actor_id={}&action=user.created", text(&me, "id"))).await;
        assert_eq!(mine.len(), 1);
        let all = owner.all("/api/audit").await;
        let numbers: Vec<_> = all.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
        let expected: Vec<_> = (1..=i64::try_from(all.len()).unwrap()).rev().collect();
        assert_eq!(numbers, expected);
        let pages = owner.get("/api/audit?limit=2").await.json(200);
        let next = owner.get(&format!("/api/audit?limit=2&cursor={}", text(&pages, "next_cursor"))).await.json(200);
        assert_eq!(next["items"][0]["seq"].as_i64(), Some(numbers[2]));

        let check = owner.get("/api/audit/check").await.json(200);
        assert_eq!((check["valid"].as_bool(), check["entries"].as_u64()), (Some(true), Some(all.len() as u64)));
    }
}

on_both! {
    async fn a_changed_entry_breaks_the_chain(app: TestApp) {
        let owner = app.owner().await;
        add(&owner, "mia@acme.example", "member").await;
        add(&owner, "otto@acme.example", "member").await;
        tamper(&app, "UPDATE audit_log SET action = 'user.seen' WHERE seq = 3").await;
        let check = owner.get("/api/audit/check").await.json(200);
        assert_eq!((check["valid"].as_bool(), check["broken_at"].as_i64()), (Some(false), Some(3)));
    }
}

on_both! {
    async fn people_who_act_at_once_still_make_one_chain(app: TestApp) {
        let owner = app.owner().await;
        let people = (0..12).map(|n| {
            let person = json!({ "email": format!("p{n}@acme.example"), "name": "P" });
            owner.post("/api/users", person)
        });
        for answer in futures_util::future::join_all(people).await {
            answer.json(201);
        }
        let check = owner.get("/api/audit/check").await.json(200);
        assert_eq!(check["valid"], true, "{check}");
        assert!(check["entries"].as_i64().unwrap() >= 13);
    }
}
