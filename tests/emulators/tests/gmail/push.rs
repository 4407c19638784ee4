//! Watches and pushes.

use crate::support::{ANN, World, until};
use duplex_emulators::gmail::pubsub::{Forgery, PushConfig, PushFaults};
use duplex_emulators::shared::jwt::Token;
use duplex_emulators::shared::keys::TestKey;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TOPIC: &str = "projects/tests/topics/gmail";
const SUBSCRIPTION: &str = "projects/tests/subscriptions/duplex";
const PUSHER: &str = "pusher@tests.iam.gserviceaccount.com";

/// A server that keeps what is pushed and answers with the statuses it was given, then with 204.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Receiver {
    async fn start(statuses: Vec<u16>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&got);
        tokio::spawn(async move {
            let mut statuses = statuses.into_iter();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                let mut buffer = [0; 4096];
                while !is_whole(&text) {
                    let read = stream.read(&mut buffer).await.unwrap();
                    text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                }
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let token = head.lines().find_map(|line| {
                    line.to_lowercase().starts_with("authorization: bearer ").then(|| line[22..].trim().to_owned())
                });
                kept.lock().unwrap().push((token.unwrap_or_default(), serde_json::from_str(body).unwrap()));
                let status = statuses.next().unwrap_or(204);
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, got }
    }

    fn got(&self) -> Vec<(String, Value)> {
        self.got.lock().unwrap().clone()
    }

    /// Notifications without their envelope.
    fn notifications(&self) -> Vec<Value> {
        let decode = |body: &Value| {
            let data = data_encoding::BASE64.decode(body["message"]["data"].as_str().unwrap().as_bytes()).unwrap();
            serde_json::from_slice(&data).unwrap()
        };
        self.got().iter().map(|(_, body)| decode(body)).collect()
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0_usize)
}

/// A world whose topic pushes to the receiver, without the limit of one notification a second.
fn world(receiver: &Receiver) -> World {
    let world = World::new();
    world.gmail.add_topic(TOPIC, true);
    let push = PushConfig {
        endpoint: receiver.url.clone(),
        audience: Some("https://crm.example/push".to_owned()),
        service_account: Some(PUSHER.to_owned()),
    };
    world.gmail.add_subscription(SUBSCRIPTION, TOPIC, Some(push), Duration::from_secs(10));
    world.gmail.change_settings(|settings| {
        settings.notification_gap_millis = 0;
        settings.push_retry_millis = 5;
    });
    world
}

async fn watch(world: &World) -> Value {
    world.post("watch", json!({"topicName": TOPIC})).await.ok()
}

#[tokio::test]
async fn a_watch_announces_itself_and_each_change_with_a_signed_push() {
    let receiver = Receiver::start(Vec::new()).await;
    let world = world(&receiver);
    let watched = watch(&world).await;
    let end: i64 = watched["expiration"].as_str().unwrap().parse().unwrap();
    assert!((end - world.gmail.now() - 7 * 86_400_000).abs() < 60_000);
    until("the first push", || receiver.got().len() == 1).await;
    world.mail(1);
    until("the second push", || receiver.got().len() == 2).await;

    let (token, body) = receiver.got()[1].clone();
    assert_eq!(body["subscription"], SUBSCRIPTION);
    assert_eq!(body["message"]["messageId"], body["message"]["message_id"]);
    let token = Token::parse(&token).unwrap();
    assert!(token.is_signed_by(TestKey::FirstSigning));
    assert_eq!(token.text("aud"), Some("https://crm.example/push"));
    assert_eq!((token.text("email"), token.claims["email_verified"].as_bool()), (Some(PUSHER), Some(true)));
    assert_eq!(token.text("iss"), Some("https://accounts.google.com"));
    assert!(token.number("exp") > token.number("iat"));

    let told = receiver.notifications();
    assert_eq!(told[1]["emailAddress"], ANN);
    assert!(told[0]["historyId"].is_string() != told[1]["historyId"].is_string(), "number and text by turns");
    until("both are acknowledged", || world.gmail.waiting(SUBSCRIPTION) == 0).await;
}

#[tokio::test]
async fn a_push_that_is_not_acknowledged_comes_again_even_after_a_refusal() {
    let receiver = Receiver::start(vec![404, 500, 302]).await;
    let world = world(&receiver);
    watch(&world).await;
    until("four attempts", || receiver.got().len() == 4).await;
    until("it is done", || world.gmail.waiting(SUBSCRIPTION) == 0).await;
    let statuses: Vec<Option<u16>> = world.gmail.deliveries().iter().map(|one| one.status).collect();
    assert_eq!(statuses, [Some(404), Some(500), Some(302), Some(204)]);
    let ids: Vec<Value> = receiver.got().iter().map(|(_, body)| body["message"]["messageId"].clone()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn more_than_one_a_second_is_dropped_and_not_kept() {
    let receiver = Receiver::start(Vec::new()).await;
    let world = world(&receiver);
    world.gmail.change_settings(|settings| settings.notification_gap_millis = 1_000_000);
    watch(&world).await;
    (0..5).for_each(|number| drop(world.mail(number)));
    assert_eq!(world.gmail.notifications(), (1, 5));
    world.gmail.advance(Duration::from_secs(1001));
    world.mail(9);
    assert_eq!(world.gmail.notifications().0, 2);
}

#[tokio::test]
async fn a_notification_may_be_ahead_of_the_history() {
    let receiver = Receiver::start(Vec::new()).await;
    let world = world(&receiver);
    watch(&world).await;
    let start = world.history_id().await;
    world.gmail.change_settings(|settings| settings.history_lag_millis = 60_000);
    world.mail(1);
    until("the push", || receiver.got().len() == 2).await;
    let told = receiver.notifications()[1]["historyId"].clone();
    let told = told.as_u64().unwrap_or_else(|| told.as_str().unwrap().parse().unwrap());
    assert!(told > start.parse().unwrap());
    assert_eq!(world.history(&start).await, json!({"historyId": start}));
    assert!(world.history(&told.to_string()).await.get("history").is_none(), "it is no place to start from");
}

#[tokio::test]
async fn pushes_are_lost_doubled_and_reordered_on_demand() {
    let receiver = Receiver::start(Vec::new()).await;
    let world = world(&receiver);
    watch(&world).await;
    until("the first", || receiver.got().len() == 1).await;
    let ids = || {
        let got = receiver.got();
        got.iter().map(|(_, body)| body["message"]["messageId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    world.gmail.set_push_faults(PushFaults { drop_next: 1, ..PushFaults::default() });
    world.mail(1);
    world.gmail.set_push_faults(PushFaults { duplicate_next: 1, ..PushFaults::default() });
    world.mail(2);
    until("two of one", || ids().len() == 3).await;
    assert_eq!(ids()[1], ids()[2]);
    world.gmail.set_push_faults(PushFaults { reorder_next: 1, ..PushFaults::default() });
    world.mail(3);
    world.mail(4);
    until("two in any order", || ids().len() == 5).await;
}

#[tokio::test]
async fn forged_tokens_are_made_on_demand() {
    let receiver = Receiver::start(Vec::new()).await;
    let world = world(&receiver);
    watch(&world).await;
    let mut count = 1;
    until("the first", || receiver.got().len() == 1).await;
    for forgery in [
        Forgery::ForeignKey,
        Forgery::Unsigned,
        Forgery::Absent,
        Forgery::Expired,
        Forgery::WrongAudience,
        Forgery::WrongIssuer,
        Forgery::WrongEmail,
        Forgery::UnverifiedEmail,
    ] {
        world.gmail.set_push_faults(PushFaults { forgery: Some(forgery), ..PushFaults::default() });
        world.gmail.publish(TOPIC, b"junk");
        count += 1;
        until("the push", || receiver.got().len() == count).await;
        let (text, _) = receiver.got()[count - 1].clone();
        let is_false = Token::parse(&text).is_none_or(|token| {
            !token.is_signed_by(TestKey::FirstSigning)
                || token.number("exp") < Some(world.gmail.now() / 1000)
                || token.text("aud") != Some("https://crm.example/push")
                || token.text("iss") != Some("https://accounts.google.com")
                || token.text("email") != Some(PUSHER)
                || token.claims["email_verified"] != true
        });
        assert!(is_false, "{forgery:?}");
    }
}

#[tokio::test]
async fn one_project_has_one_topic_for_a_user_until_it_stops() {
    let world = World::new();
    world.gmail.add_topic(TOPIC, true);
    world.gmail.add_topic("projects/tests/topics/other", true);
    world.gmail.add_topic("projects/tests/topics/closed", false);
    watch(&world).await;
    watch(&world).await;
    let other = world.post("watch", json!({"topicName": "projects/tests/topics/other"})).await;
    assert_eq!(
        other.json["error"]["message"],
        "Only one user push notification client allowed per developer (call /stop then try again)"
    );
    assert_eq!(world.post_empty("stop").await.status, 204);
    world.post("watch", json!({"topicName": "projects/tests/topics/other"})).await.ok();
    for (topic, status) in [
        ("projects/tests/topics/closed", 403),
        ("projects/tests/topics/missing", 404),
        ("projects/foreign/topics/gmail", 400),
        ("gmail", 400),
    ] {
        assert_eq!(world.post("watch", json!({"topicName": topic})).await.status, status, "{topic}");
    }
    assert_eq!(world.post("watch", json!({"topicName": TOPIC, "labelIds": ["Label_404"]})).await.status, 400);
}

#[tokio::test]
async fn a_watch_ends_after_seven_days_and_may_be_about_some_labels() {
    let world = World::new();
    world.gmail.add_topic(TOPIC, true);
    world.gmail.change_settings(|settings| settings.notification_gap_millis = 0);
    let told = || world.gmail.notifications().0;
    let body = json!({"topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": "include"});
    world.post("watch", body).await.ok();
    world.mail_with(1, Some(&["SENT"]));
    assert_eq!(told(), 1);
    world.mail_with(2, Some(&["INBOX"]));
    assert_eq!(told(), 2);
    let body = json!({"topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": "exclude"});
    world.post("watch", body).await.ok();
    world.mail_with(3, Some(&["INBOX"]));
    assert_eq!(told(), 3);
    world.mail_with(4, Some(&["SENT"]));
    assert_eq!(told(), 4);
    world.gmail.advance(Duration::from_secs(7 * 86_400 + 1));
    world.mail_with(5, Some(&["SENT"]));
    assert_eq!(told(), 4);
}
