//! P12: lists of mails and threads in a database of a million mails, read by 32 clients.
//!
//! `cargo bench --bench lists`, with `MAILS` (1,000,000), `CLIENTS` (32), `SECONDS` (10) and `DATABASE`
//! (sqlite or postgres). Each client walks pages from a place of its own. First with the pauses of people
//! who read, then without any pause, when the clients compete with the server for the same processors;
//! last, with pauses, while a first sync runs beside.

#[path = "lists/corpus.rs"]
mod corpus;
#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;

use corpus::Corpus;
use measure::{load, milliseconds, quantile, setting};
use std::time::{Duration, Instant};
use support::{Backend, Client, Dovecot, MailGenerator, SmtpSecurity, SmtpSink, TestProcess};

#[derive(Clone, Copy)]
struct Plan {
    clients: usize,
    duration: Duration,
    /// The longest pause between two requests of a client.
    pause: Duration,
}

#[tokio::main]
async fn main() {
    let backend = match std::env::var("DATABASE").as_deref() {
        Ok("postgres") => Backend::Postgres,
        _ => Backend::Sqlite,
    };
    let mails = setting("MAILS", 1_000_000);
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let mailbox = Dovecot::shared().mailbox();
    let mut process = TestProcess::start_with(backend, |settings| {
        settings.set("RUST_LOG", "warn");
    })
    .await;
    let owner = process.owner().await;
    let account =
        owner.post("/api/email/accounts", mailbox.connect_request(smtp.settings(&mailbox.user))).await.json(201);
    let id = account["id"].as_str().unwrap().to_owned();
    support::wait_until("the empty mailbox is synced", async || {
        owner.get(&format!("/api/email/accounts/{id}")).await.json(200)["phase"] == "live"
    })
    .await;
    process.terminate().await;
    let began = Instant::now();
    Corpus { mails, account: id.clone() }.load(&process.settings, process.data_dir()).await;
    println!("{mails} mails loaded in {:.0} s, {backend:?}, load {}", began.elapsed().as_secs_f64(), load());

    process.start_again().await;
    let owner = process.owner_again().await;
    let reading = Plan {
        clients: setting("CLIENTS", 32),
        duration: Duration::from_secs(u64::try_from(setting("SECONDS", 10)).unwrap()),
        pause: Duration::from_millis(200),
    };
    let hurried = Plan { pause: Duration::ZERO, ..reading };
    run("warm-up", &owner, &id, reading).await;
    run("P12, readers (goal p50 5, p99 25)", &owner, &id, reading).await;
    run("P12, no pauses", &owner, &id, hurried).await;

    let busy = Dovecot::shared().mailbox();
    for _ in 0..20 {
        busy.seed("INBOX", &MailGenerator::office(uuid::Uuid::new_v4().as_u64_pair().0).take(1000));
    }
    owner.post("/api/email/accounts", busy.connect_request(smtp.settings(&busy.user))).await.json(201);
    run("P12, readers during a first sync (goal p99 75)", &owner, &id, reading).await;
    process.terminate().await;
}

async fn run(name: &str, owner: &Client, account: &str, plan: Plan) {
    let clients: Vec<_> = (0..plan.clients)
        .map(|number| {
            let (owner, account) = (owner.clone(), account.to_owned());
            tokio::spawn(async move { walk(&owner, &account, plan, number).await })
        })
        .collect();
    let mut times: [Vec<f64>; 2] = Default::default();
    for client in clients {
        for (kind, took) in client.await.unwrap() {
            times[kind].push(took);
        }
    }
    println!("{name}, load {}", load());
    for (kind, times) in ["messages", "threads"].iter().zip(&times) {
        println!(
            "  {kind:<9} {:6} pages  p50 {:6.1} ms  p99 {:6.1} ms  slowest {:6.1} ms",
            times.len(),
            quantile(times, 0.5),
            quantile(times, 0.99),
            quantile(times, 1.0)
        );
    }
}

/// One client: it walks some pages of one list, then of the other; gives what each page took.
async fn walk(owner: &Client, account: &str, plan: Plan, number: usize) -> Vec<(usize, f64)> {
    let end = Instant::now() + plan.duration;
    let mut times = Vec::new();
    let mut turn = number;
    while Instant::now() < end {
        turn += 1;
        let kind = turn % 2;
        let list =
            if kind == 0 { format!("messages?account_id={account}") } else { format!("threads?account_id={account}") };
        let mut cursor = String::new();
        for _ in 0..10 {
            if !plan.pause.is_zero() {
                tokio::time::sleep(plan.pause.mul_f64(chance())).await;
            }
            let began = Instant::now();
            let page = owner.get(&format!("/api/email/{list}&limit=50{cursor}")).await;
            times.push((kind, milliseconds(began.elapsed())));
            match page.json(200)["next_cursor"].as_str() {
                Some(next) if Instant::now() < end => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
    }
    times
}

/// A number from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a chance needs no more")]
fn chance() -> f64 {
    (uuid::Uuid::new_v4().as_u64_pair().0 >> 11) as f64 / (1_u64 << 53) as f64
}
