//! From a mail at Gmail to its event on the WebSocket, with many mailboxes that Gmail rings for.
//!
//! `cargo bench --bench push`, with `ACCOUNTS` (1000), `SAMPLES` (200) and `REST` (30, seconds). Gmail and Pub/Sub are the
//! emulator, in this process, without delay of its own.

#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;

use duplex_emulators::gmail::control::{NewUser, Seed};
use duplex_emulators::gmail::pubsub::PushConfig;
use measure::{cpu, load, memory, quantile, setting};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::gmail::{CLIENT, GmailWorld, PROJECT, location};
use support::{Backend, Client, TestProcess, wait_until};

const PUSHER: &str = "pusher@duplex-tests.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://crm.example/push";

/// Mailboxes that are being connected at once.
const AT_ONCE: usize = 8;

#[tokio::main]
async fn main() {
    let (accounts, samples) = (setting("ACCOUNTS", 1000), setting("SAMPLES", 200));
    for backend in [Backend::Sqlite, Backend::Postgres] {
        measure(backend, accounts, samples, setting("REST", 30)).await;
    }
}

fn address(user: usize) -> String {
    format!("user{user}@gmail.example")
}

async fn measure(backend: Backend, accounts: usize, samples: usize, rest: usize) {
    let world = GmailWorld::start();
    let topic = format!("projects/{PROJECT}/topics/gmail");
    world.gmail.add_topic(&topic, true);
    for user in 0..accounts {
        world.gmail.add_user(NewUser { email: address(user), name: String::new(), workspace: false });
        deliver(&world, user, 0);
    }
    let mut process = TestProcess::start_with(backend, |settings| {
        world.set(settings);
        settings
            .set("RUST_LOG", "warn")
            .set("GOOGLE_PUBSUB_TOPIC", &topic)
            .set("GOOGLE_PUBSUB_SERVICE_ACCOUNT", PUSHER)
            .set("GOOGLE_PUBSUB_AUDIENCE", AUDIENCE);
    })
    .await;
    let base = process.base();
    world.gmail.allow_redirect(CLIENT, &format!("{base}/email/callback"));
    let push = PushConfig {
        endpoint: format!("{base}/api/email/webhooks/gmail"),
        audience: Some(AUDIENCE.to_owned()),
        service_account: Some(PUSHER.to_owned()),
    };
    let subscription = format!("projects/{PROJECT}/subscriptions/duplex");
    world.gmail.add_subscription(&subscription, &topic, Some(push), Duration::from_secs(10));
    let owner = process.owner().await;
    let key = owner.post("/api/api-keys", json!({"name": "bench"})).await.json(201);
    let client = owner.with_key(key["key"].as_str().unwrap());

    let began = Instant::now();
    connect_all(&client, &base, accounts).await;
    wait_until("all are rung for", async || {
        let all = client.all("/api/email/accounts").await;
        all.iter().filter(|account| account["push"] == "webhook" && account["phase"] == "live").count() == accounts
    })
    .await;
    println!(
        "{backend:?}: {accounts} mailboxes rung for after {:.0} s, load {}",
        began.elapsed().as_secs_f64(),
        load()
    );
    announce(&world, &client, accounts, samples).await;
    let (before, calls) = (cpu(process.pid()), world.gmail.counts().calls);
    tokio::time::sleep(Duration::from_secs(rest as u64)).await;
    println!(
        "{backend:?}: at rest {:.2} cpu s and {} calls to Gmail in {rest} s; {:.1} MB; load {}",
        cpu(process.pid()) - before,
        world.gmail.counts().calls - calls,
        memory(process.pid(), "VmRSS"),
        load()
    );
    process.terminate().await;
}

fn deliver(world: &GmailWorld, user: usize, number: usize) {
    let to = address(user);
    let raw = format!(
        "From: Carl <carl@customer.example>\r\nTo: {to}\r\nSubject: Mail {number}\r\n\
         Message-ID: <{number}.{user}@customer.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nText.\r\n"
    );
    world.gmail.add_mail(&to, Seed { raw, ..Seed::default() }).unwrap();
}

async fn connect_all(client: &Client, base: &str, accounts: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for user in 0..accounts {
        if tasks.len() >= AT_ONCE {
            tasks.join_next().await.unwrap().unwrap();
        }
        let (client, base) = (client.clone(), base.to_owned());
        tasks.spawn(async move {
            let wish = json!({"provider": "gmail", "login_hint": address(user)});
            let begun = loop {
                let answer = client.post("/api/email/accounts/connect", wish.clone()).await;
                if answer.status != 429 {
                    break answer.json(200);
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            };
            let back = location(begun["authorization_url"].as_str().unwrap()).await;
            let end = location(&back).await;
            assert!(end.contains("account_id="), "{base}: not connected: {end}");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// From a mail to its event.
async fn announce(world: &GmailWorld, client: &Client, accounts: usize, samples: usize) {
    let mut socket = client.web_socket().await;
    let mut times = Vec::new();
    let mut dice = setting("SEED", 7) as u64;
    for number in 1..=samples {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let user = usize::try_from(dice >> 33).unwrap() % accounts;
        tokio::time::sleep(Duration::from_millis(20 + (dice >> 57))).await;
        let began = Instant::now();
        deliver(world, user, number);
        socket.next("the new mail", |event: &Value| event["type"] == "email.received").await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    println!(
        "{samples} mails, {accounts} mailboxes: event after {:.1} ms (p50), {:.1} ms (p99, goal 150), {:.1} ms at most; load {}",
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 1.0),
        load()
    );
}
