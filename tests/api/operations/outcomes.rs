//! How items end, and who carries them.

use duplex::clock::Clock;
use duplex::ids::EmailId;
use duplex::messages::{
    self, Fields, Flag,
    FolderRole::{Archive, Inbox},
    ItemKey, OperationState,
};
use duplex::on_conn;
use serde_json::json;

use super::provider::Provider;
use super::{World, later, operation};
use crate::support::Backend;

fn key(op: &str, email: EmailId) -> ItemKey {
    ItemKey { operation: op.parse().unwrap(), email }
}

async fn fail(world: &World, keys: &[ItemKey]) -> Vec<(String, OperationState)> {
    let mut conn = world.api.ground.write().await;
    let changes = conn
        .transaction(async |tx| messages::fail(tx, keys, "imap_over_quota", "The mailbox is full.", later()).await)
        .await
        .unwrap();
    changes.into_iter().map(|change| (change.operation.to_string(), change.state)).collect()
}

on_both! {
    async fn items_are_due_in_the_order_of_their_operations(backend: Backend) {
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Inbox, 2, "b").await];
        let first = operation(&world.batch(&ids, json!({ "is_read": true, "is_archived": true })).await);
        let second = operation(&world.patch(ids[0], json!({ "is_archived": false })).await);
        let account = world.api.ground.owner.account;
        let mut conn = world.api.ground.write().await;
        let due = messages::due_items(&mut conn, account, later(), 10).await.unwrap();
        let found: Vec<(ItemKey, Fields)> = due.iter().map(|item| (item.key, item.todo)).collect();
        let read = Fields { is_read: true, ..Fields::default() };
        let places = Fields { places: true, ..Fields::default() };
        let mut expected = vec![(key(&first, ids[0]), read), (key(&first, ids[1]), read.or(places)), (key(&second, ids[0]), places)];
        expected.sort_by_key(|(key, _)| *key);
        assert_eq!(found, expected);
        assert_eq!(messages::due_items(&mut conn, account, later(), 2).await.unwrap().len(), 2);
        let at = later() + chrono::Duration::hours(1);
        let keys = [key(&first, ids[1])];
        let changes = conn.transaction(async |tx| messages::retry_later(tx, &keys, "imap_unavailable", "Busy.", at, later()).await).await.unwrap();
        assert!(changes.is_empty());
        let due = messages::due_items(&mut conn, account, later(), 10).await.unwrap();
        assert!(due.iter().all(|item| item.key != keys[0]));
        let due = messages::due_items(&mut conn, account, at, 10).await.unwrap();
        assert_eq!(due.iter().find(|item| item.key == keys[0]).unwrap().attempts, 1);
        drop(conn);
        let shown = world.operation(&first).await;
        assert_eq!((shown["state"].as_str(), shown["error_code"].as_str()), (Some("pending"), Some("imap_unavailable")));
    }
}

on_both! {
    async fn confirmed_item_by_item_an_operation_is_confirmed_with_the_last(backend: Backend) {
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Inbox, 2, "b").await];
        let op = operation(&world.batch(&ids, json!({ "is_archived": true })).await);
        let confirm = async |email: EmailId| {
            let mut conn = world.api.ground.write().await;
            conn.transaction(async |tx| messages::confirm(tx, &[key(&op, email)], later()).await).await.unwrap()
        };
        // What is not done at the provider cannot be confirmed.
        assert!(confirm(ids[0]).await.is_empty());
        assert_eq!(world.operation(&op).await["items"][0]["state"], "pending");
        for (number, id) in (50..).zip(ids) {
            let from = world.diffs(&[id]).await[&id].departures[0].clone();
            let to = Some(messages::Number { uid_validity: 1, uid: number });
            let archive = world.folder(Archive);
            let mut conn = world.api.ground.write().await;
            conn.transaction(async |tx| messages::moved(tx, &from, archive, to, later()).await).await.unwrap();
        }
        assert!(confirm(ids[0]).await.is_empty());
        let last = confirm(ids[1]).await;
        assert_eq!((last.len(), last[0].state), (1, OperationState::Confirmed));
        assert!(world.operation(&op).await["confirmed_at"].is_string());
    }
}

on_both! {
    async fn a_flag_that_changed_at_the_provider_meanwhile_keeps_its_item_pending(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let op = operation(&world.patch(id, json!({ "is_read": true })).await);
        let mut conn = world.api.ground.write().await;
        conn.transaction(async |tx| messages::confirm(tx, &[key(&op, id)], later()).await).await.unwrap();
        drop(conn);
        assert_eq!(world.state(&op).await, "pending");
        let row = world.diffs(&[id]).await[&id].locations[0].clone();
        let mut conn = world.api.ground.write().await;
        conn.transaction(async |tx| messages::flags_stored(tx, &[(row.id, Some(12))], Flag::Read, true, later()).await).await.unwrap();
        conn.transaction(async |tx| messages::confirm(tx, &[key(&op, id)], later()).await).await.unwrap();
        drop(conn);
        let row = world.diffs(&[id]).await[&id].locations[0].clone();
        assert_eq!((world.state(&op).await.as_str(), row.server_read, row.mod_seq), ("confirmed", None, Some(12)));
    }
}

on_both! {
    async fn what_fails_is_taken_back_here(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let op = operation(&world.batch(&[id], json!({ "is_read": true, "is_starred": true, "is_archived": true })).await);
        assert_eq!(world.lies(id).await, [("archive".to_owned(), true, true)]);
        assert_eq!(fail(&world, &[key(&op, id)]).await, [(op.clone(), OperationState::Failed)]);
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, false)]);
        let diff = world.diffs(&[id]).await[&id].clone();
        assert!(diff.departures.is_empty() && diff.locations[0].number.is_some() && diff.locations[0].server_read.is_none());
        assert_eq!((world.counts("inbox").await, world.counts("archive").await.1), ((1, 1), 0));
        let thread = world.api.get("/api/email/threads").await.json()["items"][0].clone();
        assert_eq!(thread["unread_count"], 1);
        let shown = world.operation(&op).await;
        assert_eq!((shown["state"].as_str(), shown["error_code"].as_str(), shown["error_message"].as_str()),
            (Some("failed"), Some("imap_over_quota"), Some("The mailbox is full.")));
        assert_eq!(shown["items"][0]["error_code"], "imap_over_quota");
        assert_eq!(world.undo(&op).await.status, 409);
        // It failed once; to fail it again changes nothing.
        assert!(fail(&world, &[key(&op, id)]).await.is_empty());
    }
}

on_both! {
    async fn a_failure_takes_back_only_what_no_later_change_wants(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let both = operation(&world.batch(&[id], json!({ "is_read": true, "is_archived": true })).await);
        let trash = operation(&world.trash(id).await);
        fail(&world, &[key(&both, id)]).await;
        assert_eq!(world.lies(id).await, [("trash".to_owned(), false, false)]);
        assert_eq!((world.state(&both).await.as_str(), world.state(&trash).await.as_str()), ("failed", "pending"));
        // The flag is wanted by a pending change: the place that comes back keeps it.
        let star = operation(&world.patch(id, json!({ "is_starred": true })).await);
        fail(&world, &[key(&trash, id)]).await;
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, true)]);
        assert_eq!(world.diffs(&[id]).await[&id].locations[0].server_starred, Some(false));
        fail(&world, &[key(&star, id)]).await;
        assert_eq!(world.lies(id).await, [("inbox".to_owned(), false, false)]);
    }
}

on_both! {
    async fn a_mail_that_is_gone_at_the_provider_is_gone_here_when_its_change_fails(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let op = operation(&world.patch(id, json!({ "is_archived": true })).await);
        let from = world.diffs(&[id]).await[&id].departures[0].clone();
        let mut conn = world.api.ground.write().await;
        conn.transaction(async |tx| messages::removed(tx, &from, later()).await).await.unwrap();
        drop(conn);
        fail(&world, &[key(&op, id)]).await;
        assert!(world.lies(id).await.is_empty());
        assert_eq!(world.api.get(&format!("/api/email/messages/{id}")).await.status, 404);
    }
}

on_both! {
    async fn a_partly_failed_operation_can_be_taken_back_for_the_rest(backend: Backend) {
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Inbox, 2, "b").await];
        let mut provider = Provider::mirror(&world, &ids).await;
        let op = operation(&world.batch(&ids, json!({ "is_archived": true })).await);
        fail(&world, &[key(&op, ids[0])]).await;
        assert_eq!(world.state(&op).await, "pending");
        provider.settle(&world, &ids).await;
        assert_eq!(world.state(&op).await, "failed");
        assert_eq!(world.folders(ids[1]).await, ["archive"]);
        world.undo(&op).await;
        assert_eq!((world.folders(ids[0]).await, world.folders(ids[1]).await), (vec!["inbox".to_owned()], vec!["inbox".to_owned()]));
        provider.settle(&world, &ids).await;
    }
}

on_both! {
    async fn changes_that_overtake_each_other_end_the_same_on_both_sides(backend: Backend) {
        let world = World::new(backend).await;
        let ids = [world.mail(Inbox, 1, "a").await, world.mail(Archive, 2, "b").await, world.mail(Inbox, 3, "c").await];
        let mut provider = Provider::mirror(&world, &ids).await;
        let mut seed: u64 = 42;
        let mut operations: Vec<String> = Vec::new();
        for round in 0..60 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (choice, pick) = ((seed >> 33) % 10, usize::try_from((seed >> 45) % 3).unwrap());
            let body = match choice {
                0 => json!({ "is_read": round % 2 == 0 }),
                1 => json!({ "is_starred": round % 2 == 0 }),
                2 => json!({ "is_archived": true }),
                3 => json!({ "is_archived": false }),
                4 => json!({ "trash": true }),
                5 => json!({ "trash": false }),
                6 => json!({ "add_labels": ["L"] }),
                7 => json!({ "remove_labels": ["L"] }),
                8 => {
                    if let Some(last) = operations.pop() {
                        let answer: crate::messages::served::Answer = world.undo(&last).await;
                        assert!([200, 409].contains(&answer.status), "{:?}", answer.body);
                    }
                    continue;
                }
                _ => {
                    provider.carry_out(&world).await;
                    continue;
                }
            };
            operations.push(operation(&world.batch(&ids[pick..=pick], body).await));
        }
        provider.settle(&world, &ids).await;
        let states = world.api.get("/api/email/operations?limit=200").await.items("state");
        assert!(states.iter().all(|state| state != "pending"), "{states:?}");
    }
}

on_both! {
    async fn a_mailbox_with_changes_has_one_carrier_at_a_time(backend: Backend) {
        let world = World::new(backend).await;
        let id = world.mail(Inbox, 1, "m").await;
        let ground = &world.api.ground;
        let net = duplex::net::Net::new(duplex::net::NetOptions::default()).unwrap();
        let vault = duplex::accounts::Vault::new(&[duplex::config::KeyMaterial([7; 32])]).unwrap();
        let accounts = |name: &str| duplex::accounts::Accounts::new(
            ground.db.clone(), Clock::system(), net.clone(), vault.clone(), duplex::events::Events::default(), name);
        let (one, other) = (accounts("one"), accounts("other"));
        assert!(one.claim_carrier(5).await.unwrap().is_empty());
        world.patch(id, json!({ "is_read": true })).await;
        let mine = one.claim_carrier(5).await.unwrap();
        assert_eq!((mine.len(), mine[0].account), (1, ground.owner.account));
        assert!(other.claim_carrier(5).await.unwrap().is_empty());
        let mut conn = ground.write().await;
        one.renew_carrier(&mut conn, &mine[0]).await.unwrap();
        drop(conn);
        one.release_carrier(&mine[0]).await.unwrap();
        let theirs = other.claim_carrier(5).await.unwrap();
        let mut conn = ground.write().await;
        assert_eq!(one.renew_carrier(&mut conn, &mine[0]).await, Err(diesel::result::Error::NotFound));
        drop(conn);
        // What is given back late takes nothing from its new holder; an instance that died gives all its own back.
        one.release_carrier(&mine[0]).await.unwrap();
        assert_eq!(one.release_own_carriers().await.unwrap(), 0);
        assert_eq!((theirs.len(), other.release_own_carriers().await.unwrap()), (1, 1));
        for sql in ["phase = 'paused'", "status = 'disconnected', phase = 'live'", "status = 'active', removed_at = created_at"] {
            world.alter_account(sql).await;
            assert!(one.claim_carrier(5).await.unwrap().is_empty(), "{sql}");
        }
        world.alter_account("removed_at = NULL").await;
        assert_eq!(one.claim_carrier(5).await.unwrap().len(), 1);
        let mut conn = ground.write().await;
        on_conn!(&mut conn, |c| diesel_async::RunQueryDsl::execute(diesel::sql_query("UPDATE mailbox_operation_items SET state = 'confirmed'"), c).await).unwrap();
        drop(conn);
        one.release_own_carriers().await.unwrap();
        assert!(one.claim_carrier(5).await.unwrap().is_empty());
    }
}
