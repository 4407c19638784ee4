//! Faults made to order, latency, and the log of what was asked.

use crate::support::{ANN, Answer, World, message, raw};
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use std::time::Duration;

#[tokio::test]
async fn the_nth_call_fails_and_no_other() {
    let world = World::new();
    world.gmail.add_fault("labels.list", When::Nth(2), Fault::ServerError { status: 503 }).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.get("labels").await.status);
        assert_eq!(world.get("profile").await.status, 200);
    }
    assert_eq!(statuses, [200, 503, 200]);
}

#[tokio::test]
async fn a_share_of_all_calls_fails() {
    let world = World::new();
    world.gmail.add_fault("*", When::Percent(20.0), Fault::ServerError { status: 500 }).unwrap();
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(world.get("labels").await.status == 500);
    }
    assert!((20..=60).contains(&failed), "{failed} of 200");
    world.gmail.clear_faults();
    assert_eq!(world.get("labels").await.status, 200);
}

#[tokio::test]
async fn rates_are_refused_in_every_form() {
    let world = World::new();
    let cases = [
        (Fault::TooManyRequests { retry_after: RetryAfter::Seconds(7) }, 429, "rateLimitExceeded", "7"),
        (Fault::RateForbidden { retry_after: RetryAfter::Absent }, 403, "userRateLimitExceeded", ""),
        (Fault::DailyLimit, 403, "dailyLimitExceeded", ""),
        (Fault::Refusal { status: 403, reason: "domainPolicy".to_owned() }, 403, "domainPolicy", ""),
    ];
    for (fault, status, reason, after) in cases {
        world.gmail.clear_faults();
        world.gmail.add_fault("labels.*", When::Next(1), fault).unwrap();
        let answer = world.get("labels").await;
        assert_eq!((answer.reason(), answer.header("retry-after")), ((status, reason), after));
    }
    world.gmail.add_fault("*", When::Next(1), Fault::TooManyRequests { retry_after: RetryAfter::Date(9) }).unwrap();
    let answer = world.get("labels").await;
    assert!(chrono::DateTime::parse_from_rfc2822(answer.header("retry-after")).is_ok());
}

#[tokio::test]
async fn answers_come_damaged() {
    let world = World::new();
    world.gmail.add_fault("labels.list", When::Nth(1), Fault::TruncatedJson).unwrap();
    world.gmail.add_fault("labels.list", When::Nth(1), Fault::Html { status: 502 }).unwrap();
    let answer = world.request(reqwest::Method::GET, "labels").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<serde_json::Value>().await.is_err());
    let answer = world.get("labels").await;
    assert!(answer.status == 502 && answer.header("content-type").starts_with("text/html"));

    assert!(world.gmail.add_fault("profile", When::Always, Fault::Reset).is_err(), "no call has that name");
    world.gmail.add_fault("getProfile", When::Next(1), Fault::CutBody).unwrap();
    let answer = world.request(reqwest::Method::GET, "profile").send().await.unwrap();
    assert!(answer.bytes().await.is_err(), "the body breaks off");
}

#[tokio::test]
async fn a_connection_is_closed_before_or_after_the_deed() {
    let world = World::new();
    let send = || {
        let body = message(&raw(ANN, "d@x.org", "Once", "<o@x>", ""));
        world.request(reqwest::Method::POST, "messages/send").json(&body).send()
    };
    world.gmail.add_fault("messages.send", When::Next(1), Fault::Reset).unwrap();
    assert!(send().await.is_err());
    assert_eq!(world.gmail.sent().len(), 0);
    world.gmail.clear_faults();
    world.gmail.add_fault("messages.send", When::Next(1), Fault::LostAnswer).unwrap();
    assert!(send().await.is_err());
    assert_eq!(world.gmail.sent().len(), 1);
    assert_eq!(world.gmail.counts().by_status[&0], 2);
}

#[tokio::test]
async fn silence_is_silent_and_may_have_done_it_all_the_same() {
    let world = World::new();
    let id = world.mail(1).id;
    world.gmail.add_fault("messages.trash", When::Always, Fault::Timeout { millis: 30_000, done: true }).unwrap();
    let request = world.request(reqwest::Method::POST, &format!("messages/{id}/trash")).header("Content-Length", "0");
    let error = request.timeout(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(world.gmail.dump(ANN).unwrap()["mails"][0]["labels"], serde_json::json!(["TRASH", "UNREAD"]));
}

#[tokio::test]
async fn every_call_is_written_down() {
    let world = World::new();
    world.get("messages?maxResults=5").await.ok();
    world.get("messages/18c0000000000001").await;
    let calls = world.gmail.calls();
    let lines: Vec<(&str, u16, u32)> = calls.iter().map(|call| (call.call.as_str(), call.status, call.units)).collect();
    assert_eq!(lines, [("messages.list", 200, 5), ("messages.get", 404, 20)]);
    assert_eq!(calls[0].target, "/gmail/v1/users/me/messages?maxResults=5");
    assert_eq!(calls[0].user.as_deref(), Some(ANN));
    world.gmail.clear_calls();
    assert_eq!(world.gmail.counts().requests, 0);
}

#[tokio::test]
async fn each_request_takes_its_time() {
    let world = World::new();
    world.gmail.set_latency(Duration::from_millis(80));
    let began = std::time::Instant::now();
    Answer::of(world.request(reqwest::Method::GET, "labels")).await.ok();
    assert!(began.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn the_emulator_stops_with_its_handle() {
    let world = World::new();
    let url = world.url("/gmail/v1/users/me/labels");
    let (http, token) = (world.http.clone(), world.token.clone());
    drop(world);
    assert!(http.get(url).bearer_auth(token).send().await.is_err());
}
