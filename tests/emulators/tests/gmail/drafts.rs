//! Drafts: the draft stays, its message changes.

use crate::support::{ANN, World, ids, message, raw, texts};
use serde_json::{Value, json};

fn draft_of(subject: &str) -> Value {
    json!({"message": message(&raw(ANN, "dave@example.org", subject, "<mine@crm.example>", "X-Marker: 7\r\n"))})
}

#[tokio::test]
async fn each_change_gives_the_message_another_id() {
    let world = World::new();
    let made = world.post("drafts", draft_of("One")).await.ok();
    assert_eq!(texts(&made["message"]["labelIds"]), ["DRAFT"]);
    let id = made["id"].as_str().unwrap();
    let start = world.history_id().await;
    let changed = world.put(&format!("drafts/{id}"), draft_of("Two")).await.ok();
    assert_eq!(changed["id"], id);
    assert_ne!(changed["message"]["id"], made["message"]["id"]);
    assert_eq!(changed["message"]["threadId"], made["message"]["threadId"]);

    let history = world.history(&start).await;
    let record = &history["history"][0];
    assert_eq!(history["history"].as_array().unwrap().len(), 1, "both changes stand in one record");
    assert_eq!(record["messagesDeleted"][0]["message"]["id"], made["message"]["id"]);
    assert_eq!(record["messagesAdded"][0]["message"]["id"], changed["message"]["id"]);
    let old = format!("messages/{}", made["message"]["id"].as_str().unwrap());
    assert_eq!(world.get(&old).await.status, 404);
}

#[tokio::test]
async fn drafts_are_listed_and_read() {
    let world = World::new();
    let made = world.post("drafts", draft_of("One")).await.ok();
    let id = made["id"].as_str().unwrap();
    assert_eq!(ids(&world.get("drafts").await.ok()["drafts"]), [id]);
    assert_eq!(ids(&world.get("drafts?q=subject:one").await.ok()["drafts"]), [id]);
    let read = world.get(&format!("drafts/{id}?format=raw")).await.ok();
    assert!(read["message"]["raw"].is_string());
    assert_eq!(world.get("drafts/r404").await.reason(), (404, "notFound"));
    assert_eq!(world.delete(&format!("drafts/{id}")).await.status, 204);
    assert_eq!(world.get("drafts").await.ok(), json!({"resultSizeEstimate": 0}));
}

#[tokio::test]
async fn a_draft_that_is_sent_goes_and_a_sent_mail_comes() {
    let world = World::new();
    let made = world.post("drafts", draft_of("One")).await.ok();
    let start = world.history_id().await;
    let sent = world.post("drafts/send", json!({"id": made["id"]})).await.ok();
    assert_eq!(texts(&sent["labelIds"]), ["SENT"]);
    assert_ne!(sent["id"], made["message"]["id"]);
    assert_eq!(world.get(&format!("drafts/{}", made["id"].as_str().unwrap())).await.status, 404);
    assert_eq!(world.post("drafts/send", json!({"id": made["id"]})).await.reason(), (404, "notFound"));
    let record = &world.history(&start).await["history"][0];
    assert_eq!(record["messagesDeleted"][0]["message"]["id"], made["message"]["id"]);
    assert_eq!(record["messagesAdded"][0]["message"]["id"], sent["id"]);

    let path = format!("messages/{}?format=metadata&metadataHeaders=X-Marker", sent["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.ok()["payload"]["headers"][0]["value"], "7");
    assert_eq!(world.gmail.sent().len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_refused_stays() {
    let world = World::new();
    let body = json!({"message": message("From: ann@example.com\r\nSubject: Nobody\r\n\r\nx\r\n")});
    let made = world.post("drafts", body).await.ok();
    let answer = world.post("drafts/send", json!({"id": made["id"]})).await;
    assert_eq!(answer.json["error"]["message"], "Recipient address required");
    assert_eq!(world.get(&format!("drafts/{}", made["id"].as_str().unwrap())).await.status, 200);
    assert_eq!(world.post("drafts", json!({})).await.status, 400);
    assert_eq!(world.post("drafts/send", json!({})).await.status, 400);
}

#[tokio::test]
async fn a_draft_can_be_changed_and_sent_in_one_call() {
    let world = World::new();
    let made = world.post("drafts", draft_of("One")).await.ok();
    let mut body = draft_of("Two");
    body["id"] = made["id"].clone();
    world.post("drafts/send", body).await.ok();
    assert_eq!(world.gmail.sent()[0].subject, "Two");
}

#[tokio::test]
async fn editing_on_googles_pages_may_change_the_drafts_own_id() {
    let world = World::new();
    let draft = world.gmail.add_draft(ANN, &raw(ANN, "d@x.org", "One", "<1@x>", ""), None).unwrap();
    let edited = world.gmail.edit_draft(ANN, &draft.id, &raw(ANN, "d@x.org", "Two", "<1@x>", ""), true).unwrap();
    assert_ne!(edited.id, draft.id);
    assert_eq!(edited.message.thread_id, draft.message.thread_id);
    assert_eq!(world.get(&format!("drafts/{}", draft.id)).await.status, 404);
    assert_eq!(world.get(&format!("drafts/{}", edited.id)).await.status, 200);
}
