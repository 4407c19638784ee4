//! Pulling, where Google cannot reach the server.

use duplex_emulators::gmail::oauth::ServiceAccount;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;

use super::{NEVER, SUBSCRIPTION, arrived, topic};
use crate::support::gmail::{GmailWorld, PROJECT, live};
use crate::support::{Backend, TestApp, wait_for, wait_until};

/// An application that pulls.
async fn start(backend: Backend, world: &GmailWorld, dir: &TempDir) -> TestApp {
    world.gmail.add_topic(&topic(), true);
    let file = world.gmail.add_service_account(ServiceAccount {
        email: format!("puller@{PROJECT}.iam.gserviceaccount.com"),
        client_id: "1142".to_owned(),
        project: PROJECT.to_owned(),
        delegated_scopes: Vec::new(),
    });
    let path = dir.path().join("key.json");
    std::fs::write(&path, file.to_string()).unwrap();
    TestApp::start_with(backend, |settings| {
        world.set(settings);
        settings
            .set("GOOGLE_PUBSUB_TOPIC", &topic())
            .set("GOOGLE_PUBSUB_SUBSCRIPTION", SUBSCRIPTION)
            .set("GOOGLE_SERVICE_ACCOUNT_FILE", &path.to_string_lossy())
            .set("SYNC_CRON", NEVER);
    })
    .await
}

on_both! {
    async fn news_are_pulled_and_junk_is_acknowledged(backend: Backend) {
        let (world, dir) = (GmailWorld::start(), TempDir::with_prefix("duplex-key-").unwrap());
        let app = start(backend, &world, &dir).await;
        world.gmail.add_subscription(SUBSCRIPTION, &topic(), None, Duration::from_secs(10));
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let path = format!("/api/email/accounts/{account}");
        wait_until("it is pulled for", async || owner.get(&path).await.json(200)["push"] == "pull").await;
        world.gmail.publish(&topic(), b"junk");
        world.mail(7, None);
        arrived(&owner, &account, 7).await;
        wait_until("all is acknowledged", async || world.gmail.waiting(SUBSCRIPTION) == 0).await;
    }
}

on_both! {
    async fn a_subscription_that_is_not_there_is_told_and_news_are_polled(backend: Backend) {
        let (world, dir) = (GmailWorld::start(), TempDir::with_prefix("duplex-key-").unwrap());
        let app = start(backend, &world, &dir).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let path = format!("/api/email/accounts/{account}");
        wait_until("it is to be pulled for", async || owner.get(&path).await.json(200)["push"] == "pull").await;
        let error = wait_for("the error is told", async || {
            let error = owner.get(&path).await.json(200)["push_error"].clone();
            error.is_object().then_some(error)
        })
        .await;
        assert_eq!(error["code"], "push_subscription_missing");
        world.mail(8, None);
        arrived(&owner, &account, 8).await;
        world.gmail.add_subscription(SUBSCRIPTION, &topic(), None, Duration::from_secs(10));
        wait_until("it is well again", async || owner.get(&path).await.json(200)["push_error"] == Value::Null).await;
    }
}
