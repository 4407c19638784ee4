//! Pub/Sub by pull, for servers without a public address.

use crate::service_account::{own_token, world};
use crate::support::{Answer, World};
use serde_json::{Value, json};
use std::time::Duration;

const TOPIC: &str = "projects/tests/topics/gmail";
const SUBSCRIPTION: &str = "projects/tests/subscriptions/duplex";

async fn call(world: &World, token: &str, verb: &str, body: Value) -> Answer {
    let url = world.url(&format!("/v1/{SUBSCRIPTION}:{verb}"));
    Answer::of(world.http.post(url).bearer_auth(token).json(&body)).await
}

async fn watched() -> (World, String) {
    let world = world();
    world.gmail.add_topic(TOPIC, true);
    world.gmail.add_subscription(SUBSCRIPTION, TOPIC, None, Duration::from_secs(10));
    world.gmail.change_settings(|settings| settings.pull_wait_millis = 50);
    world.post("watch", json!({"topicName": TOPIC})).await.ok();
    let token = own_token(&world).await;
    (world, token)
}

#[tokio::test]
async fn a_message_is_pulled_and_acknowledged() {
    let (world, token) = watched().await;
    let pulled = call(&world, &token, "pull", json!({"maxMessages": 100})).await.ok();
    let message = &pulled["receivedMessages"][0];
    let data = data_encoding::BASE64.decode(message["message"]["data"].as_str().unwrap().as_bytes()).unwrap();
    let data: Value = serde_json::from_slice(&data).unwrap();
    assert_eq!(data["emailAddress"], "ann@example.com");
    assert!(message["message"]["messageId"].is_string() && message["message"]["publishTime"].is_string());

    let ids = json!({"ackIds": [message["ackId"]]});
    assert_eq!(call(&world, &token, "acknowledge", ids.clone()).await.ok(), json!({}));
    assert_eq!(call(&world, &token, "acknowledge", ids).await.ok(), json!({}), "twice does no harm");
    world.gmail.advance(Duration::from_secs(11));
    assert_eq!(call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok(), json!({}));
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_after_the_deadline() {
    let (world, token) = watched().await;
    let first = call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok();
    assert_eq!(call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok(), json!({}), "it is leased");
    world.gmail.advance(Duration::from_secs(11));
    let again = call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok();
    let id = |answer: &Value| answer["receivedMessages"][0]["message"]["messageId"].clone();
    assert_eq!(id(&first), id(&again));
    let body = json!({"ackIds": [again["receivedMessages"][0]["ackId"]], "ackDeadlineSeconds": 0});
    call(&world, &token, "modifyAckDeadline", body).await.ok();
    let third = call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok();
    assert_eq!(id(&first), id(&third), "given back at once");
}

#[tokio::test]
async fn a_pull_waits_for_a_message() {
    let (world, token) = watched().await;
    call(&world, &token, "pull", json!({"maxMessages": 1})).await.ok();
    world.gmail.change_settings(|settings| {
        settings.pull_wait_millis = 20_000;
        settings.notification_gap_millis = 0;
    });
    let waiting = call(&world, &token, "pull", json!({"maxMessages": 1}));
    let (pulled, _) = tokio::join!(waiting, async { world.mail(1) });
    assert!(pulled.ok()["receivedMessages"].is_array());
}

#[tokio::test]
async fn strangers_and_slips_are_refused() {
    let (world, token) = watched().await;
    let mails_token = world.token.clone();
    assert_eq!(call(&world, "wrong", "pull", json!({"maxMessages": 1})).await.status, 401);
    assert_eq!(call(&world, &mails_token, "pull", json!({"maxMessages": 1})).await.status, 403);
    for body in [json!({}), json!({"maxMessages": 0}), json!({"maxMessages": "x"}), json!({"max": 1, "maxMessages": 1})]
    {
        assert_eq!(call(&world, &token, "pull", body).await.status, 400);
    }
    assert_eq!(call(&world, &token, "acknowledge", json!({"ackIds": []})).await.status, 400);
    world.gmail.remove_subscription(SUBSCRIPTION);
    let answer = call(&world, &token, "pull", json!({"maxMessages": 1})).await;
    assert_eq!((answer.status, answer.json["error"]["status"].as_str().unwrap()), (404, "NOT_FOUND"));
}
