//! Batches.

use crate::support::{Answer, World};
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A part's id, request line with fields, and body.
type Part = (String, String, String);

fn get(number: usize, path: &str) -> Part {
    (format!("<item{number}>"), format!("GET /gmail/v1/users/me/{path} HTTP/1.1"), String::new())
}

async fn send(world: &World, parts: &[Part]) -> Answer {
    let mut body = String::new();
    for (id, head, content) in parts {
        let _ = write!(
            body,
            "--edge\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\n{head}\r\n\r\n{content}\r\n"
        );
    }
    body.push_str("--edge--\r\n");
    let request = world.http.post(world.url("/batch/gmail/v1")).bearer_auth(&world.token);
    Answer::of(request.header("Content-Type", "multipart/mixed; boundary=edge").body(body)).await
}

/// Status and JSON by the id of the part.
fn parts(answer: &Answer) -> BTreeMap<String, (u16, Value)> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let boundary = answer.header("content-type").split_once("boundary=").unwrap().1.to_owned();
    let mut found = BTreeMap::new();
    for part in answer.text.split(&format!("--{boundary}")).filter(|part| part.len() > 6) {
        let (head, inner) = part.trim_start().split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Content-Type: application/http"));
        let id = head.split_once("Content-ID: ").unwrap().1.lines().next().unwrap();
        let status = inner.split(' ').nth(1).unwrap().parse().unwrap();
        let body = inner.split_once("\r\n\r\n").unwrap().1;
        found.insert(id.to_owned(), (status, serde_json::from_str(body).unwrap_or(Value::Null)));
    }
    found
}

#[tokio::test]
async fn each_part_is_answered_for_itself_in_any_order() {
    let world = World::new();
    let id = world.mail(1).id;
    let modify = (
        "<uuid + 3>".to_owned(),
        format!("POST /gmail/v1/users/me/messages/{id}/modify HTTP/1.1\r\nContent-Type: application/json"),
        "{\"addLabelIds\":[\"STARRED\"]}".to_owned(),
    );
    let all = [get(1, &format!("messages/{id}?format=minimal")), get(2, "messages/18c0000000000001"), modify];
    let answer = parts(&send(&world, &all).await);
    assert_eq!(answer["<response-item1>"].1["id"], id.as_str());
    assert_eq!(answer["<response-item2>"].0, 404);
    assert_eq!(answer["<response-uuid + 3>"].0, 200);
    let counts = world.gmail.counts();
    assert_eq!((counts.requests, counts.calls, counts.units), (1, 3, 20 + 20 + 5));
    assert_eq!(counts.by_name["batch"], 1);
}

#[tokio::test]
async fn the_order_of_answers_is_not_to_be_relied_on() {
    let world = World::new();
    let mut in_order = Vec::new();
    for _ in 0..16 {
        let text = send(&world, &[get(1, "labels"), get(2, "labels")]).await.text;
        in_order.push(text.find("response-item1") < text.find("response-item2"));
    }
    assert!(in_order.contains(&true) && in_order.contains(&false));
}

#[tokio::test]
async fn one_part_may_be_refused_and_the_others_not() {
    let world = World::new();
    let id = world.mail(1).id;
    let fault = Fault::TooManyRequests { retry_after: RetryAfter::Absent };
    world.gmail.add_fault("messages.get", When::Nth(2), fault).unwrap();
    let all: Vec<Part> = (0..3).map(|number| get(number, &format!("messages/{id}?format=minimal"))).collect();
    let statuses: Vec<u16> = parts(&send(&world, &all).await).into_values().map(|(status, _)| status).collect();
    assert_eq!(statuses, [200, 429, 200]);
}

#[tokio::test]
async fn too_many_parts_are_refused_and_many_are_too_fast() {
    let world = World::new();
    let many = |count: usize| (0..count).map(|number| get(number, "labels")).collect::<Vec<_>>();
    let answer = send(&world, &many(101)).await;
    assert_eq!(answer.json["error"]["message"], "Inner request count exceeds the limit. Received: 101, Limit: 100");
    let hundred = parts(&send(&world, &many(100)).await);
    assert_eq!(hundred.values().filter(|(status, _)| *status == 429).count(), 50);
    let few = parts(&send(&world, &many(25)).await);
    assert!(few.values().all(|(status, _)| *status == 200));
}

#[tokio::test]
async fn a_part_may_bring_its_own_token() {
    let world = World::new();
    let mut part = get(1, "labels");
    part.1.push_str("\r\nAuthorization: Bearer wrong");
    let answer = parts(&send(&world, &[part, get(2, "labels")]).await);
    assert_eq!((answer["<response-item1>"].0, answer["<response-item2>"].0), (401, 200));
}

#[tokio::test]
async fn uploads_batches_and_whole_urls_do_not_belong_into_a_batch() {
    let world = World::new();
    let line = |line: &str| ("<item1>".to_owned(), line.to_owned(), String::new());
    for (part, status) in [
        (line("POST /upload/gmail/v1/users/me/messages/send?uploadType=media HTTP/1.1"), 404),
        (line("POST /batch/gmail/v1 HTTP/1.1"), 404),
        (line("GET https://gmail.googleapis.com/gmail/v1/users/me/labels HTTP/1.1"), 400),
    ] {
        assert_eq!(parts(&send(&world, &[part]).await)["<response-item1>"].0, status);
    }
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused() {
    let world = World::new();
    let send = |kind: &'static str, body: &'static str| {
        let request = world.http.post(world.url("/batch/gmail/v1")).bearer_auth(&world.token);
        Answer::of(request.header("Content-Type", kind).body(body))
    };
    assert_eq!(send("application/json", "{}").await.status, 400);
    assert_eq!(send("multipart/mixed; boundary=b", "--b\r\n\r\nx").await.status, 400);
    assert_eq!(send("multipart/mixed; boundary=b", "--b--\r\n").await.status, 400);
    let wrong_kind = "--b\r\nContent-Type: text/plain\r\n\r\nGET /x\r\n\r\n--b--\r\n";
    assert!(send("multipart/mixed; boundary=b", wrong_kind).await.text.contains("application/http"));
}
