//! What the real service refuses is refused.

use crate::support::{ANN, Answer, CLIENT, FULL, MODIFY, World, ids, message, raw};
use duplex_emulators::gmail::errors::ErrorShape;
use duplex_emulators::gmail::scopes::names::{LABELS, METADATA, READONLY, SEND};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn unknown_parameters_and_fields_are_refused_by_name() {
    let world = World::new();
    let id = world.mail(1).id;
    for path in ["messages?labelId=INBOX", "messages?maxresults=1", "profile?format=full", "labels?maxResults=5"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json["error"]["message"].as_str().unwrap().contains("Cannot bind query parameter"), "{path}");
    }
    for (path, body) in [
        (format!("messages/{id}/modify"), json!({"addLabels": ["STARRED"]})),
        (format!("messages/{id}/modify"), json!({"addLabelIds": "STARRED"})),
        (format!("messages/{id}/trash"), json!({"id": id})),
        ("drafts".to_owned(), json!({"message": {"Raw": "eA=="}})),
        ("labels".to_owned(), json!({"name": "x", "labelListVisibility": "show"})),
        ("messages/send".to_owned(), json!({"raw": 7})),
    ] {
        assert_eq!(world.post(&path, body.clone()).await.status, 400, "{path} {body}");
    }
    assert_eq!(world.get("messages?maxResults=-1").await.status, 400);
    assert_eq!(world.get(&format!("messages/{id}?format=everything")).await.status, 400);
    assert_eq!(world.get("messages?q=a&q=b").await.status, 400);
    assert_eq!(world.get(&format!("profile?quotaUser={}", "x".repeat(41))).await.status, 400);
}

#[tokio::test]
async fn mails_in_the_standard_alphabet_of_base64_are_refused() {
    let world = World::new();
    let raw = raw(ANN, "d@x.org", "x", "<x@y>", "");
    for text in ["a+b/", "a b", "=", "abc=="] {
        let answer = world.post("messages/send", json!({"raw": text})).await;
        assert_eq!(answer.status, 400, "{text}");
    }
    let unpadded = data_encoding::BASE64URL_NOPAD.encode(raw.as_bytes());
    world.post("messages/send", json!({"raw": unpadded})).await.ok();
    world.post("messages/send", message(&raw)).await.ok();
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let world = World::new();
    let id = world.mail(1).id;
    let path = format!("messages/{id}/modify");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "message/rfc822"] {
        let request = world.request(Method::POST, &path).header("Content-Type", kind);
        let answer = Answer::of(request.body("{\"addLabelIds\":[\"STARRED\"]}")).await;
        assert_eq!(answer.status, 400, "{kind}");
    }
    let request = world.request(Method::POST, &path).header("Content-Type", "application/json");
    assert_eq!(Answer::of(request.body("{\"addLabelIds\":")).await.status, 400);
}

#[tokio::test]
async fn a_post_says_how_long_it_is() {
    let world = World::new();
    let id = world.mail(1).id;
    let host = world.gmail.url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "POST /gmail/v1/users/me/messages/{id}/trash HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        world.token
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered() {
    let world = World::new();
    let url = world.url("/gmail/v1/users/me/profile");
    assert_eq!(Answer::of(world.http.get(&url)).await.reason(), (401, "authError"));
    let answer = Answer::of(world.http.get(&url).bearer_auth("ya29.wrong")).await;
    assert_eq!(answer.json["error"]["message"], "Invalid Credentials");
    assert_eq!(answer.json["error"]["status"], "UNAUTHENTICATED");
    world.gmail.advance(Duration::from_secs(3600));
    assert_eq!(world.get("profile").await.status, 401, "access tokens live for an hour");
}

#[tokio::test]
async fn a_token_opens_its_own_mailbox_alone() {
    let world = World::new();
    let get = |user: &str| {
        let url = world.url(&format!("/gmail/v1/users/{user}/profile"));
        Answer::of(world.http.get(url).bearer_auth(&world.token))
    };
    assert_eq!(get("Ann%40example.com").await.status, 200);
    let answer = get("bob@example.com").await;
    assert_eq!(answer.json["error"]["message"], "Delegation denied for ann@example.com");
    world.gmail.set_mail_enabled(ANN, false);
    assert_eq!(get("me").await.reason(), (400, "failedPrecondition"));
}

#[tokio::test]
async fn each_scope_opens_what_it_says() {
    let send = World::with_scopes(&[SEND]);
    let body = message(&raw(ANN, "d@x.org", "x", "<x@y>", ""));
    send.post("messages/send", body.clone()).await.ok();
    assert_eq!(send.get("messages").await.status, 403);
    assert_eq!(send.post("drafts/send", json!({"id": "r1"})).await.reason(), (403, "insufficientPermissions"));

    let reads = World::with_scopes(&[READONLY]);
    assert_eq!(reads.get("labels").await.status, 200);
    assert_eq!(reads.post("labels", json!({"name": "x"})).await.status, 403);
    assert_eq!(reads.post("messages/send", body).await.status, 403);

    let labels = World::with_scopes(&[LABELS]);
    assert_eq!(labels.post("labels", json!({"name": "x"})).await.status, 200);
    assert_eq!(labels.get("profile").await.status, 403);
}

#[tokio::test]
async fn the_metadata_scope_knows_neither_searches_nor_bodies() {
    let world = World::with_scopes(&[METADATA]);
    let id = world.mail(1).id;
    assert_eq!(ids(&world.get("messages?labelIds=INBOX").await.ok()["messages"]), [&id]);
    assert_eq!(world.get("messages?q=from:carol").await.status, 403);
    assert_eq!(world.get(&format!("messages/{id}")).await.status, 403);
    assert_eq!(world.get(&format!("messages/{id}?format=raw")).await.status, 403);
    assert_eq!(world.get(&format!("messages/{id}?format=metadata")).await.status, 200);
    let both = world.gmail.grant(ANN, CLIENT, &[METADATA, MODIFY]).unwrap().access_token;
    let url = world.url(&format!("/gmail/v1/users/me/messages/{id}?format=raw"));
    assert_eq!(Answer::of(world.http.get(url).bearer_auth(both)).await.status, 200);
}

#[tokio::test]
async fn parts_of_an_answer_can_be_chosen() {
    let world = World::with_scopes(&[FULL]);
    let id = world.mail(1).id;
    world.mail(2);
    let list = world.get("messages?maxResults=1&fields=messages/id,nextPageToken").await.ok();
    assert!(list["nextPageToken"].is_string() && list["messages"][0].get("threadId").is_none());
    assert!(list.get("resultSizeEstimate").is_none());
    let mail = world.get(&format!("messages/{id}?fields=id,payload(mimeType,headers/name)")).await.ok();
    assert_eq!(mail["payload"]["mimeType"], "text/plain");
    assert_eq!(mail["payload"]["headers"][0], json!({"name": "From"}));
    let answer = world.post("labels?fields=colour", json!({"name": "x"})).await;
    assert_eq!(answer.json["error"]["message"], "Invalid field selection colour");
    assert_eq!(world.post("labels", json!({"name": "x"})).await.status, 200, "nothing was done before");
}

#[tokio::test]
async fn what_is_no_method_is_not_found() {
    let world = World::new();
    for (method, path) in [(Method::GET, "nothing"), (Method::PUT, "messages"), (Method::GET, "settings/filters")] {
        let answer = Answer::of(world.request(method, path).header("Content-Length", "0")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test]
async fn a_refusal_may_lack_what_is_optional() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.error_shape = ErrorShape::WithoutErrors);
    let answer = world.get("messages/18c0000000000001").await;
    assert!(answer.json["error"].get("errors").is_none() && answer.json["error"]["status"] == "NOT_FOUND");
    world.gmail.change_settings(|settings| settings.error_shape = ErrorShape::WithoutStatus);
    let answer = world.get("messages/18c0000000000001").await;
    assert!(answer.json["error"].get("status").is_none() && answer.reason().1 == "notFound");
}
