//! Faults made to order, allowances, and the log of what was asked.

use crate::support::{ANN, Answer, CLIENT, World};
use duplex_emulators::graph::switches::Often;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use std::time::Duration;

#[tokio::test]
async fn refusals_come_in_every_form() {
    let world = World::new();
    let cases = [
        (Fault::TooManyRequests { retry_after: RetryAfter::Seconds(7) }, (429, "TooManyRequests"), "7"),
        (Fault::Busy { status: 503, retry_after: RetryAfter::Seconds(3) }, (503, "ErrorServerBusy"), "3"),
        (Fault::ServerError { status: 503 }, (503, "ErrorServerBusy"), ""),
        (Fault::ServerError { status: 500 }, (500, "ErrorInternalServerError"), ""),
        (Fault::Refusal { status: 507, reason: "ErrorQuotaExceeded".to_owned() }, (507, "ErrorQuotaExceeded"), ""),
    ];
    for (fault, code, after) in cases {
        world.graph.clear_faults();
        world.graph.add_fault("folders.*", When::Next(1), fault).unwrap();
        let answer = world.get("me/mailFolders").await;
        assert_eq!((answer.code(), answer.header("retry-after")), (code, after));
        assert_eq!(world.get("me/mailFolders").await.status, 200);
    }
    assert!(world.graph.add_fault("profile", When::Always, Fault::Reset).is_err(), "no call has that name");
    assert!(world.graph.add_fault("*", When::Always, Fault::DailyLimit).is_err(), "Graph has no such refusal");
}

#[tokio::test]
async fn every_answer_can_be_traced() {
    let world = World::new();
    let answer = world.get_with("me/messages/x", &[("client-request-id", "ours")]).await;
    assert_eq!(answer.header("client-request-id"), "ours");
    let error = &answer.json["error"];
    let inner = error.get("innerError").or(error.get("innererror")).unwrap();
    assert_eq!(inner["request-id"], answer.header("request-id"));
    assert_eq!(inner["client-request-id"], "ours");
    for (often, name) in [(Often::Always, "innererror"), (Often::Never, "innerError")] {
        world.graph.change_settings(|settings| settings.inner_error_lower_case = often);
        assert!(world.get("me/messages/x").await.json["error"].get(name).is_some());
    }
}

#[tokio::test]
async fn answers_come_damaged_or_not_at_all() {
    let world = World::new();
    let request = || world.request(reqwest::Method::GET, "me/mailFolders").send();
    world.graph.add_fault("folders.list", When::Next(1), Fault::TruncatedJson).unwrap();
    assert!(request().await.unwrap().json::<serde_json::Value>().await.is_err());
    world.graph.add_fault("folders.list", When::Nth(1), Fault::CutBody).unwrap();
    assert!(request().await.unwrap().bytes().await.is_err());
    world.graph.clear_faults();
    for fault in [Fault::Reset, Fault::LostAnswer] {
        world.graph.add_fault("folders.list", When::Nth(1), fault).unwrap();
        assert!(request().await.is_err());
        world.graph.clear_faults();
    }
    world.graph.add_fault("folders.list", When::Always, Fault::Html { status: 502 }).unwrap();
    assert!(Answer::of(world.request(reqwest::Method::GET, "me/mailFolders")).await.text.starts_with("<!DOCTYPE"));
}

#[tokio::test]
async fn a_fifth_request_at_once_is_refused() {
    let world = World::new();
    world.graph.set_latency(Duration::from_millis(300));
    let calls = (0..5).map(|_| world.get("me/mailFolders"));
    let answers = futures_util::future::join_all(calls).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].code(), refused[0].header("retry-after")), ((429, "ApplicationThrottled"), "1"));
    assert!(refused[0].text.contains("MailboxConcurrency"));
    assert_eq!(world.graph.most_in_flight()[&format!("{CLIENT} {ANN}")], 5);
    world.graph.clear_calls();
    let answers = futures_util::future::join_all((0..4).map(|_| world.get("me/mailFolders"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(world.graph.most_in_flight()[&format!("{CLIENT} {ANN}")], 4);
}

#[tokio::test]
async fn an_allowance_is_used_up_and_refusals_use_it_as_well() {
    let world = World::new();
    world.graph.change_settings(|settings| settings.quota_scale = Some(0.001));
    for _ in 0..10 {
        assert_eq!(world.get("me/mailFolders?$top=1").await.status, 200);
    }
    let refused = world.get("me/mailFolders?$top=1").await;
    assert!(refused.status == 429 && refused.header("retry-after").parse::<u64>().unwrap() > 500);
    world.graph.advance(Duration::from_secs(601));
    assert_eq!(world.get("me/mailFolders?$top=1").await.status, 200);
    world.graph.clear_quota();
    let counts = world.graph.counts();
    assert_eq!((counts.by_name["folders.list"], counts.by_status[&429]), (12, 1));
}

#[tokio::test]
async fn a_post_needs_a_length() {
    let world = World::new();
    let host = world.graph.url().trim_start_matches("http://");
    let token = &world.token;
    let head = format!("POST /v1.0/me/mailFolders HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    let read = tokio::io::AsyncReadExt::read(&mut stream, &mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 411"));
}
