//! Subscriptions: the handshake, their life, notifications and news about themselves.

use crate::hook::{Hook, Proof};
use crate::support::{ANN, Answer, BOB, IMMUTABLE, World, at, until};
use chrono::{DateTime, SecondsFormat};
use duplex_emulators::graph::control::Change;
use duplex_emulators::graph::directory::HOME_TENANT;
use duplex_emulators::graph::oauth::Death;
use duplex_emulators::graph::subscriptions::{Lifecycle, PushFaults};
use duplex_emulators::graph::switches::Often;
use serde_json::{Value, json};
use std::time::Duration;

fn world() -> (World, Hook) {
    let world = World::calm();
    world.graph.change_settings(|settings| settings.allows_http_notifications = true);
    (world, Hook::start())
}

fn ahead(world: &World, minutes: i64) -> String {
    let moment = DateTime::from_timestamp_millis(world.graph.now() + minutes * 60_000).unwrap();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn wanted(world: &World, hook: &Hook) -> Value {
    json!({
        "changeType": "created,updated,deleted", "notificationUrl": hook.url("/notify?source=graph"),
        "lifecycleNotificationUrl": hook.url("/lifecycle"), "resource": "/me/messages",
        "expirationDateTime": ahead(world, 9000), "clientState": "secret",
    })
}

async fn subscribed(world: &World, hook: &Hook) -> String {
    let made = world.post_with("subscriptions", &[IMMUTABLE], wanted(world, hook)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.ok()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn both_endpoints_prove_themselves_while_the_call_lasts() {
    let (world, hook) = world();
    let made = world.post("subscriptions", wanted(&world, &hook)).await.ok();
    assert_eq!(hook.proofs(), 2);
    assert_eq!((&made["clientState"], &made["resource"]), (&json!("secret"), &json!("/me/messages")));
    assert_eq!(world.get("subscriptions").await.ok()["value"].as_array().unwrap().len(), 1);
    for proof in [Proof::Encoded, Proof::Html, Proof::Wrong] {
        hook.prove(proof);
        let refused = world.post("subscriptions", wanted(&world, &hook)).await;
        assert_eq!(refused.code(), (400, "InvalidRequest"), "{proof:?}");
    }
    assert_eq!(world.graph.subscriptions().len(), 1);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused() {
    let (world, hook) = world();
    for (name, value, status) in [
        ("expirationDateTime", json!(ahead(&world, 10_081)), 400),
        ("expirationDateTime", json!(ahead(&world, -1)), 400),
        ("clientState", json!("x".repeat(129)), 400),
        ("changeType", json!("moved"), 400),
        ("resource", json!("/me/events"), 400),
        ("resource", json!(format!("/users/{BOB}/messages")), 403),
        ("resource", json!("/me/mailFolders/nothing/messages"), 400),
        ("notificationUrl", json!("ftp://x.example/"), 400),
        ("includeResourceData", json!(true), 400),
        ("notificationurl", json!("https://x.example/"), 400),
        ("resource", json!("me/mailFolders('inbox')/messages"), 201),
    ] {
        let mut body = wanted(&world, &hook);
        body[name] = value.clone();
        assert_eq!(world.post("subscriptions", body).await.status, status, "{name} {value}");
    }
    world.graph.change_settings(|settings| settings.allows_http_notifications = false);
    assert_eq!(world.post("subscriptions", wanted(&world, &hook)).await.status, 400, "https alone");
    world.graph.change_settings(|settings| {
        settings.allows_http_notifications = true;
        settings.most_subscriptions = 1;
    });
    assert_eq!(world.post("subscriptions", wanted(&world, &hook)).await.status, 403);
}

#[tokio::test]
async fn it_gets_less_time_than_it_asked_for_and_is_renewed() {
    let (world, hook) = world();
    world.graph.change_settings(|settings| settings.shortens_subscriptions = Often::Always);
    let id = subscribed(&world, &hook).await;
    let path = format!("subscriptions/{id}");
    let end = world.get(&path).await.ok()["expirationDateTime"].as_str().unwrap().to_owned();
    assert!(end < ahead(&world, 4501) && end > ahead(&world, 4490));
    world.graph.change_settings(|settings| settings.shortens_subscriptions = Often::Never);
    let renewed = world.patch(&path, json!({"expirationDateTime": ahead(&world, 10_000)})).await.ok();
    assert_eq!(renewed["expirationDateTime"], json!(ahead(&world, 10_000)));
    assert_eq!(world.patch(&path, json!({"lifecycleNotificationUrl": hook.url("/x")})).await.status, 400);
    let proofs = hook.proofs();
    world.patch(&path, json!({"notificationUrl": hook.url("/other")})).await.ok();
    assert_eq!(hook.proofs(), proofs + 1, "another address proves itself as well");
    world.graph.change_settings(|settings| settings.access_token_seconds = (999_999, 999_999));
    let token = world.graph.grant(ANN, crate::support::CLIENT, &crate::support::SCOPES).unwrap().access_token;
    world.graph.advance(Duration::from_secs(10_001 * 60));
    let answer = Answer::of(world.http.get(world.url(&format!("/v1.0/{path}"))).bearer_auth(token)).await;
    assert_eq!(answer.code(), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn it_is_removed_once() {
    let (world, hook) = world();
    let path = format!("subscriptions/{}", subscribed(&world, &hook).await);
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.delete(&path).await.status, 404);
    assert_eq!(world.patch(&path, json!({"expirationDateTime": ahead(&world, 10)})).await.status, 404);
}

#[tokio::test]
async fn changes_are_told_by_their_ids() {
    let (world, hook) = world();
    let id = subscribed(&world, &hook).await;
    let mail = world.mail(1);
    until("it is told", || hook.items().len() == 1).await;
    let item = hook.items().remove(0);
    assert_eq!((&item["subscriptionId"], &item["clientState"]), (&json!(id), &json!("secret")));
    assert_eq!((&item["changeType"], &item["tenantId"]), (&json!("created"), &json!(HOME_TENANT)));
    assert_eq!(item["resourceData"]["id"], json!(mail.immutable_id));
    assert!(item["resource"].as_str().unwrap().starts_with("Users/"));
    world.graph.change_mail(ANN, &mail.id, Change { is_read: Some(true), ..Change::default() }).unwrap();
    world.post(&format!("{}/move", at(&mail.id)), json!({"destinationId": "archive"})).await.ok();
    until("the rest is told", || hook.items().len() == 4).await;
    let mut kinds: Vec<String> =
        hook.items().iter().map(|item| item["changeType"].as_str().unwrap().to_owned()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["created", "created", "deleted", "updated"], "a move is both");
}

#[tokio::test]
async fn ids_are_those_of_the_day_it_was_made() {
    let (world, hook) = world();
    let mut body = wanted(&world, &hook);
    body["changeType"] = json!("created");
    world.post("subscriptions", body).await.ok();
    let mail = world.mail(1);
    until("it is told", || hook.items().len() == 1).await;
    assert_eq!(hook.items()[0]["resourceData"]["id"], json!(mail.id));
}

#[tokio::test]
async fn what_nobody_took_comes_again() {
    let (world, hook) = world();
    subscribed(&world, &hook).await;
    world.graph.change_settings(|settings| settings.notification_retry_millis = 10);
    hook.answer_with(500);
    world.mail(1);
    until("it is tried twice", || hook.posts() >= 2).await;
    hook.answer_with(202);
    until("it is taken", || hook.items().len() == 1).await;
    assert!(world.graph.deliveries().iter().any(|delivery| delivery.status == Some(500)));
}

#[tokio::test]
async fn several_come_in_one_post() {
    let (world, hook) = world();
    subscribed(&world, &hook).await;
    subscribed(&world, &hook).await;
    world.graph.change_settings(|settings| settings.notification_lag_millis = 300);
    (1..=4).for_each(|number| drop(world.mail(number)));
    until("they are told", || hook.items().len() == 8).await;
    assert!(hook.posts() < 8);
}

#[tokio::test]
async fn notifications_are_lost_doubled_and_forged() {
    let (world, hook) = world();
    subscribed(&world, &hook).await;
    world.graph.set_push_faults(PushFaults { drop_next: 1, ..PushFaults::default() });
    world.mail(1);
    world.graph.set_push_faults(PushFaults {
        duplicate_next: 1,
        forged_client_state: Some("wrong".to_owned()),
        ..PushFaults::default()
    });
    let second = world.mail(2);
    until("it comes twice", || hook.items().len() == 2).await;
    assert!(hook.items().iter().all(|item| item["resourceData"]["id"] == json!(second.immutable_id)));
    assert!(hook.items().iter().all(|item| item["clientState"] == "wrong"));
    assert_eq!(world.graph.notifications(), (2, 1));
}

#[tokio::test]
async fn news_about_itself_go_their_own_way() {
    let (world, hook) = world();
    let id = subscribed(&world, &hook).await;
    world.graph.lifecycle(&id, Lifecycle::Missed).unwrap();
    until("it is told", || hook.items().len() == 1).await;
    assert_eq!(
        (&hook.items()[0]["lifecycleEvent"], &hook.items()[0]["clientState"]),
        (&json!("missed"), &json!("secret"))
    );
    world.graph.lifecycle(&id, Lifecycle::ReauthorizationRequired).unwrap();
    until("it is told", || hook.items().len() == 2).await;
    world.mail(1);
    assert_eq!(world.post_empty(&format!("subscriptions/{id}/reauthorize")).await.status, 204);
    let second = world.mail(2);
    until("the second is told", || hook.items().len() == 3).await;
    assert_eq!(hook.items()[2]["resourceData"]["id"], json!(second.immutable_id), "nothing was told in between");
    world.graph.end_grants(ANN, Death::Revoked);
    until("its end is told", || hook.items().len() == 4).await;
    assert_eq!(hook.items()[3]["lifecycleEvent"], "subscriptionRemoved");
    assert!(world.graph.subscriptions().is_empty());
}

#[tokio::test]
async fn an_endpoint_is_asked_to_prove_itself_again() {
    let (world, hook) = world();
    let id = subscribed(&world, &hook).await;
    world.graph.resend_validation(&id).await.unwrap();
    assert_eq!(hook.proofs(), 4);
    hook.prove(Proof::Wrong);
    let over_http = world.http.post(world.url("/_control/resend_validation")).json(&json!({"id": id}));
    assert_eq!(Answer::of(over_http).await.status, 400);
}
