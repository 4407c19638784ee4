//! News at once: pushes, pulling, and polling where nobody rings.

mod orders;
mod polling;
mod pulled;
mod pushed;

use data_encoding::BASE64;
use diesel::QueryDsl;
use diesel_async::RunQueryDsl;
use duplex::clock::Timestamp;
use duplex::db::Db;
use duplex::db::schema::email_doorbells;
use duplex_emulators::gmail::pubsub::{Forgery, PushConfig, token_for};
use duplex_emulators::shared::keys::TestKey;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::gmail::{ANN, GmailWorld, PROJECT, live};
use crate::support::{Answer, Backend, Client, Settings, TestApp, wait_for};

const SUBSCRIPTION: &str = "projects/duplex-tests/subscriptions/duplex";
const PUSHER: &str = "pusher@duplex-tests.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://crm.example/push";
const WEBHOOK: &str = "/api/email/webhooks/gmail";

/// The periodic sync is far away: what comes, comes by other means.
const NEVER: &str = "0 0 0 1 1 *";

fn topic() -> String {
    format!("projects/{PROJECT}/topics/gmail")
}

/// Settings for pushes.
fn set(world: &GmailWorld, settings: &mut Settings) {
    world.set(settings);
    settings
        .set("GOOGLE_PUBSUB_TOPIC", &topic())
        .set("GOOGLE_PUBSUB_SERVICE_ACCOUNT", PUSHER)
        .set("GOOGLE_PUBSUB_AUDIENCE", AUDIENCE)
        .set("SYNC_CRON", NEVER);
}

fn config(endpoint: String) -> PushConfig {
    PushConfig { endpoint, audience: Some(AUDIENCE.to_owned()), service_account: Some(PUSHER.to_owned()) }
}

/// A mailbox that Gmail rings for.
struct Rung {
    world: GmailWorld,
    app: TestApp,
    owner: Client,
    account: String,
    db: Db,
}

impl Rung {
    /// Connects it and waits until the bell has rung for the first time.
    async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await
    }

    async fn start_with(backend: Backend, change: impl FnOnce(&mut Settings)) -> Self {
        let world = GmailWorld::start();
        world.gmail.add_topic(&topic(), true);
        world.mail(1, None);
        let app = TestApp::start_with(backend, |settings| {
            set(&world, settings);
            change(settings);
        })
        .await;
        let push = config(format!("{}{WEBHOOK}", app.base));
        world.gmail.add_subscription(SUBSCRIPTION, &topic(), Some(push), Duration::from_secs(10));
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let db = app.database().await;
        let rung = Self { world, app, owner, account, db };
        wait_for("the first ring", async || rung.rung_at().await).await;
        rung
    }

    /// When the mailbox was last rung for.
    async fn rung_at(&self) -> Option<Timestamp> {
        let mut conn = self.db.read().await.unwrap();
        let rung: Vec<Option<Timestamp>> = duplex::on_conn!(&mut conn, |c| {
            email_doorbells::table.select(email_doorbells::rung_at).load(c).await.unwrap()
        });
        rung.into_iter().flatten().max()
    }

    async fn shown(&self) -> Value {
        self.owner.get(&format!("/api/email/accounts/{}", self.account)).await.json(200)
    }

    /// Posts to the webhook as Pub/Sub does.
    async fn post(&self, authorization: Option<&str>, body: Vec<u8>) -> Answer {
        let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", *value)).collect();
        self.app.nobody().request("POST", WEBHOOK, &headers, Some(("application/json", body))).await
    }
}

/// What Pub/Sub posts about a mailbox.
fn envelope(address: &str, message: &str) -> Vec<u8> {
    let data = json!({"emailAddress": address, "historyId": 1}).to_string();
    let message = json!({
        "data": BASE64.encode(data.as_bytes()), "messageId": message, "message_id": message,
        "publishTime": "2026-11-22T10:00:00Z", "publish_time": "2026-11-22T10:00:00Z", "attributes": {},
    });
    json!({"message": message, "subscription": SUBSCRIPTION, "deliveryAttempt": 1}).to_string().into_bytes()
}

/// The header with which Pub/Sub proves itself, or fails to.
fn proof(world: &GmailWorld, forgery: Option<Forgery>) -> Option<String> {
    let token = token_for(&config(String::new()), forgery, TestKey::FirstSigning, world.gmail.now());
    token.map(|token| format!("Bearer {token}"))
}

/// The subjects of the mails that are stored.
async fn subjects(owner: &Client, account: &str) -> Vec<String> {
    let mails = owner.all(&format!("/api/email/messages?account_id={account}")).await;
    let mut subjects: Vec<String> = mails.iter().map(|mail| mail["subject"].as_str().unwrap().to_owned()).collect();
    subjects.sort();
    subjects
}

/// Waits until a mail is there.
async fn arrived(owner: &Client, account: &str, number: u32) {
    let subject = format!("Mail {number}");
    wait_for(&subject, async || subjects(owner, account).await.contains(&subject).then_some(())).await;
}

/// The address of the mailbox in other letters.
fn shouted() -> String {
    ANN.to_uppercase()
}
