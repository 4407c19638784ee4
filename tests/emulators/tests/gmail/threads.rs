//! Threads.

use crate::support::{ANN, FULL, World, ids, raw, texts};
use duplex_emulators::gmail::control::Seed;
use serde_json::json;

fn answer(world: &World, subject: &str) -> duplex_emulators::gmail::control::MailIds {
    let raw = raw("carol@example.org", ANN, subject, "<answer@example.org>", "References: <1@example.org>\r\n");
    world.gmail.add_mail(ANN, Seed { raw, ..Seed::default() }).unwrap()
}

#[tokio::test]
async fn a_thread_bears_the_id_of_its_first_mail() {
    let world = World::new();
    let first = world.mail(1);
    assert_eq!(answer(&world, "Re: Mail 1").thread_id, first.id);
    assert_ne!(answer(&world, "Another subject").thread_id, first.id);
}

#[tokio::test]
async fn threads_are_listed_by_their_newest_mail() {
    let world = World::new();
    let (first, second) = (world.mail(1), world.mail(2));
    answer(&world, "Re: Mail 1");
    let list = world.get("threads").await.ok();
    assert_eq!(ids(&list["threads"]), [&first.id, &second.id]);
    let page = world.get("threads?maxResults=1").await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    let rest = world.get(&format!("threads?maxResults=1&pageToken={token}")).await.ok();
    assert_eq!(ids(&rest["threads"]), [&second.id]);
}

#[tokio::test]
async fn a_thread_is_read_with_its_mails_but_never_raw() {
    let world = World::new();
    let first = world.mail(1);
    let second = answer(&world, "Re: Mail 1");
    let thread = world.get(&format!("threads/{}?format=minimal", first.id)).await.ok();
    assert_eq!(ids(&thread["messages"]), [&first.id, &second.id]);
    assert_eq!(world.get(&format!("threads/{}?format=raw", first.id)).await.status, 400);
    assert_eq!(world.get("threads/18c0000000000001").await.reason(), (404, "notFound"));
}

#[tokio::test]
async fn a_change_of_a_thread_is_one_record_for_all_its_mails() {
    let world = World::with_scopes(&[FULL]);
    let first = world.mail(1);
    answer(&world, "Re: Mail 1");
    let start = world.history_id().await;
    let path = format!("threads/{}", first.id);
    let changed = world.post(&format!("{path}/modify"), json!({"addLabelIds": ["STARRED"]})).await.ok();
    assert_eq!(texts(&changed["messages"][1]["labelIds"]), ["INBOX", "STARRED", "UNREAD"]);
    let history = world.history(&start).await;
    assert_eq!(history["history"].as_array().unwrap().len(), 1);
    assert_eq!(history["history"][0]["labelsAdded"].as_array().unwrap().len(), 2);
    world.post_empty(&format!("{path}/trash")).await.ok();
    world.post_empty(&format!("{path}/untrash")).await.ok();
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
}
