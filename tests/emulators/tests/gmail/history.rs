//! The history of changes, to the letter.

use crate::support::{ANN, World, raw};
use duplex_emulators::gmail::control::Seed;
use duplex_emulators::gmail::switches::Often;
use serde_json::{Value, json};
use std::time::Duration;

fn records(answer: &Value) -> &Vec<Value> {
    answer["history"].as_array().unwrap()
}

#[tokio::test]
async fn without_changes_there_is_the_id_and_nothing_else() {
    let world = World::new();
    world.mail(1);
    let start = world.history_id().await;
    assert_eq!(world.history(&start).await, json!({"historyId": start}));
}

#[tokio::test]
async fn records_come_after_the_start_in_order_with_gaps_between() {
    let world = World::new();
    let start = world.history_id().await;
    for number in 0..20 {
        world.mail(number);
    }
    let answer = world.history(&start).await;
    let numbers: Vec<u64> = records(&answer).iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers.len(), 20);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(numbers.windows(2).any(|pair| pair[0] + 1 < pair[1]), "ids have gaps");
    assert_eq!(answer["historyId"], numbers[19].to_string());
    let rest = world.history(&numbers[18].to_string()).await;
    assert_eq!(records(&rest).len(), 1);
}

#[tokio::test]
async fn one_record_may_hold_several_kinds_of_change() {
    let world = World::new();
    let id = world.mail(1).id;
    let start = world.history_id().await;
    world.gmail.relabel(ANN, std::slice::from_ref(&id), &["STARRED"], &["INBOX", "UNREAD"]).unwrap();
    let answer = world.history(&start).await;
    let record = &records(&answer)[0];
    assert_eq!(record["labelsAdded"][0]["labelIds"], json!(["STARRED"]));
    assert_eq!(record["labelsRemoved"][0]["labelIds"], json!(["INBOX", "UNREAD"]));
    assert_eq!(record["messages"].as_array().unwrap().len(), 2, "once for each kind");
    assert!(record.get("messagesAdded").is_none() && record.get("messagesDeleted").is_none());
}

#[tokio::test]
async fn trash_is_a_change_of_labels_and_only_a_purge_deletes() {
    let world = World::new();
    let id = world.mail(1).id;
    let start = world.history_id().await;
    world.post_empty(&format!("messages/{id}/trash")).await.ok();
    assert!(records(&world.history(&start).await)[0].get("messagesDeleted").is_none());
    assert_eq!(world.gmail.purge(ANN), Some(1));
    let answer = world.history(&start).await;
    assert_eq!(records(&answer)[1]["messagesDeleted"][0]["message"], json!({"id": id, "threadId": id}));
}

#[tokio::test]
async fn mails_are_mentioned_with_labels_only_sometimes() {
    let world = World::new();
    let start = world.history_id().await;
    world.mail(1);
    let mention = |often: Often| {
        world.gmail.change_settings(|settings| settings.history_names_labels = often);
        async { records(&world.history(&start).await)[0]["messagesAdded"][0]["message"].clone() }
    };
    assert_eq!(mention(Often::Always).await["labelIds"], json!(["INBOX", "UNREAD"]));
    assert!(mention(Often::Never).await.get("labelIds").is_none());
}

#[tokio::test]
async fn what_is_forgotten_is_answered_with_404() {
    let world = World::new();
    world.mail(1);
    let start = world.history_id().await;
    world.gmail.expire_history(ANN);
    let answer = world.get(&format!("history?startHistoryId={start}")).await;
    assert_eq!(answer.reason(), (404, "notFound"));
    assert_eq!(answer.json["error"]["message"], "Requested entity was not found.");
    let fresh = world.history_id().await;
    assert_eq!(world.history(&fresh).await, json!({"historyId": fresh}));
    let future = fresh.parse::<u64>().unwrap() + 1;
    assert_eq!(world.get(&format!("history?startHistoryId={future}")).await.status, 404);
    for path in ["history", "history?startHistoryId=abc", "history?startHistoryId=-1"] {
        assert_eq!(world.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let world = World::new();
    let start = world.history_id().await;
    (0..5).for_each(|number| drop(world.mail(number)));
    let first = world.get(&format!("history?startHistoryId={start}&maxResults=3")).await.ok();
    let token = first["nextPageToken"].as_str().unwrap();
    world.mail(9);
    let path = format!("history?startHistoryId={start}&maxResults=3&pageToken={token}");
    let second = world.get(&path).await.ok();
    assert_eq!((records(&first).len(), records(&second).len()), (3, 3));
    assert!(second.get("nextPageToken").is_none());
    assert!(second["historyId"].as_str() > first["historyId"].as_str());
    assert_eq!(world.get(&format!("{path}&labelId=INBOX")).await.status, 400);
}

#[tokio::test]
async fn kinds_and_labels_can_be_chosen_and_then_things_are_missed() {
    let world = World::new();
    let id = world.mail(1).id;
    let start = world.history_id().await;
    world.gmail.relabel(ANN, std::slice::from_ref(&id), &["STARRED"], &["INBOX"]).unwrap();
    let (world, start) = (&world, &start);
    let by =
        |rest: &'static str| async move { world.get(&format!("history?startHistoryId={start}&{rest}")).await.ok() };
    let added = by("historyTypes=labelAdded").await;
    assert!(records(&added)[0].get("labelsRemoved").is_none());
    assert!(by("historyTypes=messageAdded&historyTypes=messageDeleted").await.get("history").is_none());
    // The mail has left the inbox, so its removal from there is not told.
    assert!(by("labelId=INBOX").await.get("history").is_none());
    assert_eq!(world.get(&format!("history?startHistoryId={start}&historyTypes=everything")).await.status, 400);
}

#[tokio::test]
async fn history_lags_behind_and_its_id_with_it() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.history_lag_millis = 60_000);
    let start = world.history_id().await;
    world.mail(1);
    assert_eq!(world.history(&start).await, json!({"historyId": start}));
    world.gmail.advance(Duration::from_secs(61));
    assert_eq!(records(&world.history(&start).await).len(), 1);
}

#[tokio::test]
async fn a_mail_that_came_and_went_is_still_in_the_history_but_not_to_be_had() {
    let world = World::new();
    let start = world.history_id().await;
    let seed = Seed { raw: raw("c@x.org", ANN, "Gone", "<g@x.org>", ""), ..Seed::default() };
    let id = world.gmail.add_mail(ANN, seed).unwrap().id;
    world.gmail.delete_mails(ANN, std::slice::from_ref(&id)).unwrap();
    let answer = world.history(&start).await;
    assert_eq!(records(&answer).len(), 2);
    assert_eq!(world.get(&format!("messages/{id}")).await.status, 404);
}
