//! What a change makes of the local view, at once.

use actix_web::test::TestRequest;
use duplex::messages::{
    Flag,
    FolderRole::{Archive, Inbox, Sent, Trash},
    IncomingMail,
};
use serde_json::json;

use super::provider::Provider;
use super::{World, later, operation};
use crate::messages::ground::{incoming, parsed};
use crate::messages::served::Api;
use crate::support::Backend;

on_both! {
    async fn a_flag_shows_at_once_and_what_the_provider_has_stays_known(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        let answer = world.patch(id, json!({ "is_read": true, "is_starred": true })).await;
        let op = operation(&answer);
        let shown = answer.json();
        assert_eq!((shown["is_read"].as_bool(), shown["is_starred"].as_bool(), shown["id"].as_str()), (Some(true), Some(true), Some(id.to_string().as_str())));
        let listed = world.operation(&op).await;
        assert_eq!((listed["kind"].as_str(), listed["state"].as_str()), (Some("batch"), Some("pending")));
        let row = world.diffs(&[id]).await[&id].locations[0].clone();
        assert!(!row.server(Flag::Read) && !row.server(Flag::Starred) && row.server_read.is_some());
        assert_eq!(world.counts("inbox").await, (0, 1));
        assert_eq!(world.api.get("/api/email/threads").await.json()["items"][0]["unread_count"], 0);
        assert_eq!(world.api.get("/api/email/messages?is_read=false").await.items("id").len(), 0);
        provider.settle(&world, &[id]).await;
        let done = world.operation(&op).await;
        assert_eq!(done["state"], "confirmed");
        assert!(done["confirmed_at"].is_string());
        // Asked for again, there is nothing to do.
        let op = operation(&world.patch(id, json!({ "is_read": true })).await);
        assert_eq!((world.state(&op).await.as_str(), world.operation(&op).await["kind"].as_str()), ("confirmed", Some("read")));
    }
}

on_both! {
    async fn a_flag_that_changes_back_before_it_is_carried_leaves_no_shield(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        let first = operation(&world.patch(id, json!({ "is_read": true })).await);
        let second = operation(&world.patch(id, json!({ "is_read": false })).await);
        assert_eq!((world.state(&first).await.as_str(), world.state(&second).await.as_str()), ("superseded", "pending"));
        assert_eq!(world.diffs(&[id]).await[&id].locations[0].server_read, Some(false));
        provider.settle(&world, &[id]).await;
        assert_eq!((world.state(&first).await.as_str(), world.state(&second).await.as_str()), ("superseded", "confirmed"));
    }
}

on_both! {
    async fn archiving_moves_out_of_the_inbox_and_unarchiving_back(backend: Backend) {
        let world = World::new(backend).await;
        let read = IncomingMail { is_read: true, ..incoming(world.folder(Inbox), 1, parsed("m", &[])) };
        let id = world.store(Inbox, read).await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        let shown = world.patch(id, json!({ "is_archived": true })).await.json();
        assert_eq!((shown["is_archived"].as_bool(), shown["folders"][0]["role"].as_str()), (Some(true), Some("archive")));
        assert_eq!(world.lies(id).await, [("archive".to_owned(), true, false)]);
        assert_eq!((world.counts("inbox").await.1, world.counts("archive").await.1), (0, 1));
        assert!(world.api.get("/api/email/messages?folder=inbox").await.items("id").is_empty());
        assert_eq!(world.api.get("/api/email/messages?folder=archive").await.items("id"), [id.to_string()]);
        let diff = world.diffs(&[id]).await[&id].clone();
        assert_eq!((diff.departures.len(), diff.departures[0].folder, diff.locations[0].number), (1, world.folder(Inbox), None));
        // Taken out before it was carried, the place is as if nothing had been.
        world.patch(id, json!({ "is_archived": false })).await;
        let back = world.diffs(&[id]).await[&id].clone();
        assert_eq!((back.departures.len(), back.locations[0].number.unwrap().uid), (0, 1));
        world.patch(id, json!({ "is_archived": true })).await;
        provider.settle(&world, &[id]).await;
        world.patch(id, json!({ "is_archived": false })).await;
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), true, false)]);
        provider.settle(&world, &[id]).await;
    }
}

on_both! {
    async fn the_trash_takes_every_copy_and_gives_each_back_to_its_folder(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        world.store(Sent, incoming(world.folder(Sent), 5, parsed("m", &[]))).await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        let answer = world.trash(id).await;
        assert_eq!((answer.status, world.folders(id).await), (200, vec!["trash".to_owned(), "trash".to_owned()]));
        // A second time there is nothing left to do.
        assert_eq!(world.state(&operation(&world.trash(id).await)).await, "confirmed");
        provider.settle(&world, &[id]).await;
        let answer = world.batch(&[id], json!({ "trash": false })).await;
        assert_eq!(answer.json()["operation_id"], answer.header("duplex-operation-id"));
        assert_eq!(world.folders(id).await, ["inbox", "sent"]);
        provider.settle(&world, &[id]).await;
        // Trashed elsewhere, nothing is known of where it lay: it goes where such mail belongs.
        let other = world.mail(Trash, 9, "other").await;
        world.batch(&[other], json!({ "trash": false })).await;
        assert_eq!(world.folders(other).await, ["inbox"]);
    }
}

on_both! {
    async fn a_label_is_a_copy_in_a_folder_that_is_made_when_absent(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        assert_eq!(world.label(id, &["Kunden/Müller"], &[]).await.status, 200);
        assert_eq!(world.folders(id).await, ["Kunden/Müller", "inbox"]);
        let diff = world.diffs(&[id]).await[&id].clone();
        assert!(diff.locations.iter().any(|row| row.folder_name == "Kunden/M&APw-ller" && row.number.is_none()));
        // The provider does not list it yet; a sync must not take it for deleted.
        let mut conn = world.api.ground.write().await;
        let gone = duplex::messages::upsert_folders(&mut conn, world.api.ground.owner.account, Vec::new(), later()).await.unwrap();
        drop(conn);
        assert!(!gone.contains(&world.folder_named("Kunden/Müller").await));
        provider.settle(&world, &[id]).await;
        // Case counts, and the same label twice is one copy.
        world.label(id, &["Kunden/Müller"], &[]).await;
        assert_eq!(world.folders(id).await.len(), 2);
    }
}

on_both! {
    async fn without_its_last_label_a_mail_is_archived(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut provider = Provider::mirror(&world, &[id]).await;
        world.label(id, &["Work"], &[]).await;
        let work = world.folder_named("Work").await;
        let from_inbox = json!({ "folder_id": work, "from_folder_id": world.folder(Inbox) });
        world.post(&format!("/api/email/messages/{id}/move"), from_inbox).await;
        assert_eq!(world.folders(id).await, ["Work"]);
        provider.settle(&world, &[id]).await;
        assert_eq!(world.label(id, &[], &["Work"]).await.json()["is_archived"], true);
        assert_eq!(world.folders(id).await, ["archive"]);
        provider.settle(&world, &[id]).await;
        assert_eq!(world.move_to(id, work).await.status, 200);
        assert_eq!(world.folders(id).await, ["Work"]);
        provider.settle(&world, &[id]).await;
    }
}

on_both! {
    async fn missing_folders_with_a_purpose_are_made(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut conn = world.api.ground.write().await;
        let inbox = duplex::messages::FolderListing {
            external_id: "INBOX".to_owned(), parent_external_id: None, name: "inbox".to_owned(), role: Some(Inbox), selectable: true,
        };
        duplex::messages::upsert_folders(&mut conn, world.api.ground.owner.account, vec![inbox], later()).await.unwrap();
        drop(conn);
        world.patch(id, json!({ "is_archived": true })).await;
        assert_eq!(world.folders(id).await, ["Archive"]);
        let shown = world.trash(id).await.json();
        assert_eq!((shown["folders"][0]["name"].as_str(), shown["folders"][0]["role"].as_str()), (Some("Trash"), Some("trash")));
    }
}

on_both! {
    async fn a_thread_is_changed_as_a_whole_for_its_reader_alone(backend: Backend) {
        let world = World::new(backend).await;
        let first = world.mail(Inbox, 1, "a").await;
        let second = world.store(Inbox, incoming(world.folder(Inbox), 2, parsed("b", &["a"]))).await;
        let answer_of_mine = world.store(Sent, incoming(world.folder(Sent), 3, parsed("c", &["a", "b"]))).await;
        let thread = world.api.get("/api/email/threads").await.json()["items"][0].clone();
        assert_eq!((thread["message_count"].as_i64(), thread["unread_count"].as_i64()), (Some(3), Some(3)));
        let path = format!("/api/email/threads/{}", thread["id"].as_str().unwrap());
        let changed = world.ask(TestRequest::patch().uri(&path).set_json(json!({ "is_read": true, "is_archived": true }))).await;
        let op = operation(&changed);
        assert_eq!((changed.json()["unread_count"].as_i64(), changed.json()["messages"].as_array().unwrap().len()), (Some(0), 3));
        assert_eq!((world.folders(first).await, world.folders(second).await), (vec!["archive".to_owned()], vec!["archive".to_owned()]));
        assert_eq!(world.lies(answer_of_mine).await, [("sent".to_owned(), true, false)]);
        assert_eq!(world.operation(&op).await["email_ids"].as_array().unwrap().len(), 3);
        let (colleague, _) = world.api.stranger().await;
        let request = TestRequest::patch().uri(&path).set_json(json!({ "is_read": false }));
        assert_eq!(world.api.ask(Some(Api::access(&colleague)), request).await.status, 404);
    }
}

on_both! {
    async fn operations_are_listed_newest_first_with_filters_and_pages(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let mut ids = Vec::new();
        for value in [true, false, true, false] {
            ids.push(operation(&world.patch(id, json!({ "is_starred": value })).await));
        }
        ids.reverse();
        let first = world.api.get("/api/email/operations?limit=3").await;
        assert_eq!(first.items("id"), ids[..3]);
        assert_eq!(first.items("kind"), ["unstar", "star", "unstar"]);
        assert_eq!(first.items("state"), ["pending", "superseded", "superseded"]);
        let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(world.api.get(&format!("/api/email/operations?limit=3&cursor={cursor}")).await.items("id"), ids[3..]);
        assert_eq!(world.api.get("/api/email/operations?state=pending").await.items("id"), ids[..1]);
        let account = world.api.ground.owner.account;
        assert_eq!(world.api.get(&format!("/api/email/operations?account_id={account}")).await.items("id").len(), 4);
        let other = duplex::ids::AccountId::new();
        assert!(world.api.get(&format!("/api/email/operations?account_id={other}")).await.items("id").is_empty());
        for query in ["state=done", "limit=0", "cursor=x", "unknown=1"] {
            assert_eq!(world.api.get(&format!("/api/email/operations?{query}")).await.status, 422, "{query}");
        }
        let one = world.operation(&ids[0]).await;
        for field in ["id", "kind", "email_ids", "state", "error_code", "error_message", "created_by", "created_at", "confirmed_at", "undoes", "items"] {
            assert!(one.get(field).is_some(), "{field}");
        }
        assert_eq!(one["created_by"], world.me().user.to_string());
    }
}

on_both! {
    async fn a_change_is_told_once_and_written_to_the_audit_log(backend: Backend) {
        use diesel::{ExpressionMethods, QueryDsl};
        use diesel_async::RunQueryDsl;
        use duplex::db::schema::{audit_log, events};
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Archive, 2, "b").await];
        let mut provider = Provider::mirror(&world, &ids).await;
        let op = operation(&world.batch(&ids, json!({ "is_archived": true })).await);
        provider.settle(&world, &ids).await;
        let mut conn = world.api.ground.db.read().await.unwrap();
        let query = events::table.filter(events::type_.eq("email.updated")).select(events::data);
        let facts: Vec<duplex::db::types::Json> = duplex::on_conn!(&mut conn, |c| query.load(c).await).unwrap();
        assert_eq!(facts.len(), 1, "{facts:?}");
        assert_eq!((facts[0].0["email_id"].as_str(), &facts[0].0["changed"]), (Some(ids[0].to_string().as_str()), &json!(["folders"])));
        let query = audit_log::table.filter(audit_log::object_id.eq(&op)).select((audit_log::action, audit_log::detail));
        let entries: Vec<(String, duplex::db::types::Json)> = duplex::on_conn!(&mut conn, |c| query.load(c).await).unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].0.as_str(), &entries[0].1.0), ("mail.changed", &json!({ "kind": "archive", "mails": 2 })));
    }
}
