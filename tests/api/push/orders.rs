//! Orders for notifications: made, renewed, refused, ended.

use chrono::Duration;
use duplex::clock::{Clock, Timestamp};
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::{Value, json};

use super::{Rung, set, topic};
use crate::support::gmail::{ANN, CLIENT, GmailWorld, PROJECT, live};
use crate::support::{Backend, Client, TestApp, wait_for, wait_until};

fn watches(world: &GmailWorld) -> u64 {
    world.gmail.counts().by_name.get("watch").copied().unwrap_or_default()
}

fn stops(world: &GmailWorld) -> u64 {
    world.gmail.counts().by_name.get("stop").copied().unwrap_or_default()
}

/// A live mailbox on a clock of the test's own.
async fn on_clock(backend: Backend, world: &GmailWorld) -> (Clock, TestApp, Client, String) {
    let clock = Clock::fixed(Clock::system().now());
    let app = TestApp::start_at(backend, clock.clone(), |settings| set(world, settings)).await;
    let owner = app.owner().await;
    let account = world.connect(&app.base, &owner).await;
    live(&owner, &account).await;
    (clock, app, owner, account)
}

async fn shown(owner: &Client, account: &str) -> Value {
    owner.get(&format!("/api/email/accounts/{account}")).await.json(200)
}

async fn push_is(owner: &Client, account: &str, word: &str) -> Value {
    wait_for(&format!("push to be {word}"), async || {
        Some(shown(owner, account).await).filter(|account| account["push"] == word)
    })
    .await
}

on_both! {
    async fn an_order_is_made_when_the_mailbox_is_live_and_renewed_daily(backend: Backend) {
        let world = GmailWorld::start();
        world.gmail.add_topic(&topic(), true);
        let (clock, _app, owner, account) = on_clock(backend, &world).await;
        let shown = push_is(&owner, &account, "webhook").await;
        let until = Timestamp::parse(shown["webhook_expires_at"].as_str().unwrap()).unwrap();
        assert!((until - clock.now() - Duration::days(7)).num_minutes().abs() < 2, "{until}");
        assert_eq!((watches(&world), shown["push_error"].clone()), (1, Value::Null));
        clock.advance(Duration::hours(23));
        owner.get("/api/me").await.json(200);
        clock.advance(Duration::hours(2));
        world.gmail.advance(std::time::Duration::from_secs(25 * 3600));
        wait_until("it is renewed", async || watches(&world) == 2).await;
        wait_until("the new end shows", async || {
            let shown = self::shown(&owner, &account).await;
            Timestamp::parse(shown["webhook_expires_at"].as_str().unwrap()).is_some_and(|now| now > until)
        })
        .await;
    }
}

on_both! {
    async fn what_the_operator_must_mend_is_told_and_sync_goes_on(backend: Backend) {
        let world = GmailWorld::start();
        world.gmail.add_topic(&topic(), false);
        let (clock, _app, owner, account) = on_clock(backend, &world).await;
        let told = wait_for("the error is told", async || {
            Some(shown(&owner, &account).await).filter(|account| account["push_error"].is_object())
        })
        .await;
        assert_eq!(told["push_error"]["code"], "push_topic_forbidden", "{told}");
        assert!(told["push_error"]["message"].as_str().unwrap().contains("gmail-api-push@system.gserviceaccount.com"));
        assert_eq!((told["push"].as_str(), told["status"].as_str()), (Some("none"), Some("active")));
        world.gmail.add_topic(&topic(), true);
        clock.advance(Duration::minutes(16));
        let shown = push_is(&owner, &account, "webhook").await;
        assert_eq!(shown["push_error"], Value::Null);
    }
}

on_both! {
    async fn an_order_for_another_topic_is_ended_first(backend: Backend) {
        let world = GmailWorld::start();
        world.gmail.add_topic(&topic(), true);
        let other = format!("projects/{PROJECT}/topics/other");
        world.gmail.add_topic(&other, true);
        let scope = "https://www.googleapis.com/auth/gmail.modify";
        let token = world.gmail.grant(ANN, CLIENT, &[scope]).unwrap().access_token;
        let order = reqwest::Client::new()
            .post(format!("{}/gmail/v1/users/me/watch", world.gmail.url()))
            .bearer_auth(token)
            .json(&json!({ "topicName": other }));
        assert_eq!(order.send().await.unwrap().status(), 200);
        let (_clock, _app, owner, account) = on_clock(backend, &world).await;
        push_is(&owner, &account, "webhook").await;
        assert_eq!(stops(&world), 1);
    }
}

on_both! {
    async fn nobody_rings_for_a_paused_mailbox_nor_for_one_that_is_gone(backend: Backend) {
        let rung = Rung::start(backend).await;
        let path = format!("/api/email/accounts/{}", rung.account);
        rung.owner.post(&format!("{path}/pause"), json!({})).await.json(200);
        let shown = push_is(&rung.owner, &rung.account, "none").await;
        assert_eq!((stops(&rung.world), shown["webhook_expires_at"].clone()), (1, Value::Null));
        rung.owner.post(&format!("{path}/resume"), json!({})).await.json(200);
        push_is(&rung.owner, &rung.account, "webhook").await;
        assert_eq!(rung.owner.delete(&format!("{path}?keep_mail=true")).await.status, 204);
        wait_until("notifications are ended", async || stops(&rung.world) == 2).await;
        let shown = push_is(&rung.owner, &rung.account, "none").await;
        assert_eq!(shown["webhook_expires_at"], Value::Null);
    }
}

on_both! {
    async fn an_order_that_cannot_be_renewed_ends_and_says_so(backend: Backend) {
        let world = GmailWorld::start();
        world.gmail.add_topic(&topic(), true);
        let (clock, _app, owner, account) = on_clock(backend, &world).await;
        push_is(&owner, &account, "webhook").await;
        let refusal = Fault::Refusal { status: 403, reason: "domainPolicy".to_owned() };
        world.gmail.add_fault("watch", When::Always, refusal).unwrap();
        clock.advance(Duration::days(8));
        world.gmail.advance(std::time::Duration::from_secs(8 * 86_400));
        let shown = push_is(&owner, &account, "none").await;
        assert_eq!(shown["push_error"]["code"], "provider_policy", "{shown}");
        assert_eq!(shown["webhook_expires_at"], Value::Null);
    }
}
