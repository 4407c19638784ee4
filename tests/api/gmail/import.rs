//! The first import.

use crate::support::gmail::{ANN, GmailWorld, live, states, sync};
use crate::support::{Backend, TestApp};
use serde_json::json;

on_both! {
    async fn a_mailbox_is_imported_with_its_labels_as_folders(backend: Backend) {
        let world = GmailWorld::start();
        let label = world.gmail.create_label(ANN, "Customers").unwrap();
        let below = world.gmail.create_label(ANN, "Customers/2026").unwrap();
        world.mail(1, None);
        world.mail(2, Some(&["INBOX", "STARRED"]));
        world.mail(3, Some(&[]));
        world.mail(4, Some(&["TRASH"]));
        world.mail(5, Some(&["INBOX", &label, &below, "CATEGORY_SOCIAL", "IMPORTANT"]));
        world.mail(6, Some(&["SENT"]));
        let spam = world.mail(7, Some(&["SPAM"]));
        world.mail(8, Some(&["CHAT"]));
        let app = TestApp::start_with(backend, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        let here = states(&owner, &account).await;
        assert_eq!(here.len(), 6);
        assert!(!here.contains_key(&spam.id));
        let folders = owner.get(&format!("/api/email/accounts/{account}/folders")).await.json(200);
        let folders = folders["items"].as_array().unwrap();
        let of = |name: &str| folders.iter().find(|folder| folder["name"] == name).unwrap();
        assert_eq!(of("Customers/2026")["parent_id"], of("Customers")["id"]);
        assert_eq!((of("Customers")["role"].as_str(), of("Inbox")["role"].as_str()), (Some("label"), Some("inbox")));
        assert_eq!((of("Spam")["included"].as_bool(), of("Trash")["included"].as_bool()), (Some(false), Some(true)));
        let archived = owner.get(&format!("/api/email/messages?account_id={account}&is_archived=true")).await.json(200);
        assert_eq!(archived["items"].as_array().unwrap().len(), 1);
        assert_eq!(archived["items"][0]["subject"], "Mail 3");
        let complete = owner.get(&format!("/api/email/accounts/{account}/completeness")).await.json(200);
        for folder in complete["folders"].as_array().unwrap() {
            assert!(folder["proven_at"].is_string() && folder["missing"] == 0, "{folder}");
        }
        let events = owner.get("/api/events?after=0").await.json(200);
        let kinds: Vec<&str> = events["items"].as_array().unwrap().iter().filter_map(|it| it["type"].as_str()).collect();
        assert!(kinds.contains(&"account.backfill_completed") && !kinds.contains(&"email.received"), "{kinds:?}");
    }
}

on_both! {
    async fn a_sync_without_changes_is_one_request(backend: Backend) {
        let world = GmailWorld::start();
        (1..=30).for_each(|number| drop(world.mail(number, None)));
        let app = TestApp::start_with(backend, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        world.gmail.clear_calls();
        sync(&owner, &account).await;
        assert_eq!(world.gmail.counts().calls, 1, "{:?}", world.gmail.counts().by_name);
        assert_eq!(world.gmail.counts().by_name["history.list"], 1);
    }
}

on_both! {
    async fn spam_is_imported_when_its_folder_is_included_and_forgotten_when_it_is_not(backend: Backend) {
        let world = GmailWorld::start();
        world.mail(1, None);
        let spam = world.mail(2, Some(&["SPAM", "UNREAD"]));
        let app = TestApp::start_with(backend, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let folders = owner.get(&format!("/api/email/accounts/{account}/folders")).await.json(200);
        let folders = folders["items"].as_array().unwrap();
        let folder = folders.iter().find(|folder| folder["role"] == "spam").unwrap()["id"].as_str().unwrap();
        let path = format!("/api/email/accounts/{account}/folders/{folder}");
        owner.patch(&path, json!({"included": true})).await.json(200);
        sync(&owner, &account).await;
        assert!(states(&owner, &account).await.contains_key(&spam.id));
        owner.patch(&path, json!({"included": false})).await.json(200);
        sync(&owner, &account).await;
        assert!(!states(&owner, &account).await.contains_key(&spam.id));
    }
}
