//! Batches: many requests in one.

use crate::support::{ANN, Answer, BOB, CLIENT, World, at, raw};
use data_encoding::BASE64;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn get(id: u32, url: &str) -> Value {
    json!({"id": id.to_string(), "method": "GET", "url": url})
}

async fn batch(world: &World, requests: Vec<Value>) -> Answer {
    world.post("$batch", json!({"requests": requests})).await
}

/// The answer to one request.
fn answer<'a>(batch: &'a Value, id: &str) -> &'a Value {
    batch["responses"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

#[tokio::test]
async fn each_request_is_answered_for_itself() {
    let world = World::calm();
    let mail = world.mail(1);
    let path = at(&mail.id);
    let requests = vec![
        get(1, &format!("/{path}")),
        get(2, "me/messages/x"),
        json!({"id": "3", "method": "PATCH", "url": format!("/{path}"), "body": {"isRead": true},
               "headers": {"Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\""}}),
        json!({"id": "4", "method": "DELETE", "url": format!("/{path}"), "dependsOn": ["3"]}),
        json!({"id": "5", "method": "GET", "url": "/me", "dependsOn": ["2"]}),
    ];
    let answers = batch(&world, requests).await.ok();
    assert_eq!(answer(&answers, "1")["body"]["subject"], "Mail 1");
    assert_eq!(answer(&answers, "2")["body"]["error"]["code"], "ErrorInvalidIdMalformed");
    assert_eq!(answer(&answers, "3")["body"]["id"], json!(mail.immutable_id), "what is preferred is said inside");
    assert_eq!(answer(&answers, "4")["status"], 204);
    assert!(answer(&answers, "4").get("body").is_none());
    assert_eq!(answer(&answers, "5")["status"], 424);
    let counts = world.graph.counts();
    assert_eq!((counts.requests, counts.by_name["messages.get"], counts.by_name["batch"]), (1, 2, 1));
}

#[tokio::test]
async fn bodies_that_are_no_json_are_base64() {
    let world = World::calm();
    let mail = world.mail(1);
    let source = BASE64.encode(raw(ANN, BOB, "From a batch", "<b@x>", "").as_bytes());
    let headers = json!({"Content-Type": "text/plain"});
    let requests = vec![
        get(1, &format!("/{}/$value", at(&mail.id))),
        json!({"id": "2", "method": "POST", "url": "/me/messages", "headers": headers, "body": source}),
        json!({"id": "3", "method": "POST", "url": "/me/messages", "headers": headers,
               "body": BASE64.encode(source.as_bytes())}),
    ];
    let answers = batch(&world, requests).await.ok();
    let mime = BASE64.decode(answer(&answers, "1")["body"].as_str().unwrap().as_bytes()).unwrap();
    assert!(String::from_utf8_lossy(&mime).contains("Subject: Mail 1"));
    for id in ["2", "3"] {
        assert_eq!(
            (&answer(&answers, id)["status"], &answer(&answers, id)["body"]["subject"]),
            (&json!(201), &json!("From a batch"))
        );
    }
}

#[tokio::test]
async fn a_batch_that_is_wrong_is_refused_as_a_whole() {
    let world = World::calm();
    let many = (0..21).map(|number| get(number, "/me")).collect();
    for requests in [
        vec![],
        many,
        vec![get(1, "/me"), get(1, "/me")],
        vec![json!({"method": "GET", "url": "/me"})],
        vec![get(1, "/v1.0/me")],
        vec![get(1, "https://graph.microsoft.com/v1.0/me")],
        vec![json!({"id": "1", "method": "GET", "url": "/me", "dependsOn": ["7"]})],
        vec![json!({"id": "1", "method": "POST", "url": "/me/messages", "body": {"subject": "x"}})],
    ] {
        assert_eq!(batch(&world, requests.clone()).await.code(), (400, "BadRequest"), "{requests:?}");
    }
    let twenty = (0..20).map(|number| get(number, "/me")).collect();
    assert_eq!(batch(&world, twenty).await.ok()["responses"].as_array().unwrap().len(), 20);
    let bare = world.http.post(world.url("/v1.0/$batch")).json(&json!({"requests": [get(1, "/me")]}));
    assert_eq!(Answer::of(bare).await.status, 401);
}

#[tokio::test]
async fn a_batch_takes_four_places_of_the_mailbox() {
    let world = World::calm();
    world.graph.set_latency(Duration::from_millis(150));
    let eight = || (0..8).map(|number| get(number, "/me/mailFolders/inbox")).collect();
    let alone = batch(&world, eight()).await.ok();
    assert!(alone["responses"].as_array().unwrap().iter().all(|one| one["status"] == 200));
    assert_eq!(world.graph.most_in_flight()[&format!("{CLIENT} {ANN}")], 4);
    // Eight requests last twice as long as four; another batch beside it finds no place.
    let (first, second) = tokio::join!(batch(&world, eight()), batch(&world, eight()));
    let refused = |answers: Value| {
        let answers = answers["responses"].as_array().unwrap().clone();
        let refused: Vec<Value> = answers.into_iter().filter(|one| one["status"] == 429).collect();
        assert!(refused.iter().all(|one| one["headers"]["Retry-After"] == "1"));
        refused.len()
    };
    assert_eq!(refused(first.ok()) + refused(second.ok()), 8);
}

#[tokio::test]
async fn faults_hit_the_parts() {
    let world = World::calm();
    let fault = Fault::TooManyRequests { retry_after: RetryAfter::Seconds(5) };
    world.graph.add_fault("folders.get", When::Nth(2), fault).unwrap();
    let three = (1..=3).map(|number| get(number, "/me/mailFolders/inbox")).collect();
    let answers = batch(&world, three).await.ok();
    assert_eq!(answer(&answers, "2")["status"], 429);
    assert_eq!(answer(&answers, "2")["headers"]["Retry-After"], "5");
    assert_eq!((&answer(&answers, "1")["status"], &answer(&answers, "3")["status"]), (&json!(200), &json!(200)));
    world.graph.clear_faults();
    world.graph.add_fault("batch", When::Always, Fault::ServerError { status: 503 }).unwrap();
    assert_eq!(world.call(Method::POST, "$batch", &[], Some(json!({"requests": [get(1, "/me")]}))).await.status, 503);
}
