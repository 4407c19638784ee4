//! How long a thousand mails that are scheduled for one second take to leave.
//!
//! `cargo bench --bench outbox`, with `MAILS` (1000), `MAILBOXES` (1), `ROUNDS` (3) and `DATABASE`. The server that takes
//! them is a small one inside the bench, over TLS; the mailboxes lie on a private Dovecot, and every copy goes to Sent
//! meanwhile.

#[allow(dead_code, reason = "shared by the benches: each takes what it needs")]
mod measure;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests' toolbox: this bench takes what it needs")]
#[path = "../tests/api/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SubsecRound, Utc};
use futures_util::StreamExt;
use measure::{cpu, load, median, setting};
use serde_json::{Value, json};
use support::{Backend, Client, Dovecot, SmtpSecurity, SmtpSink, TestProcess, wait_until};

/// Requests that are made at once.
const TOGETHER: usize = 8;

/// The goal, in seconds.
const GOAL: f64 = 10.0;

#[tokio::main]
async fn main() {
    let backend = match std::env::var("DATABASE").as_deref() {
        Ok("postgres") => Backend::Postgres,
        _ => Backend::Sqlite,
    };
    let (mails, mailboxes) = (setting("MAILS", 1000), setting("MAILBOXES", 1));
    let dovecot = Dovecot::start(&support::DovecotOptions::default());
    let sink = SmtpSink::start(SmtpSecurity::Tls).await;
    let process = TestProcess::start(backend).await;
    let owner = process.owner().await;
    let mut accounts = Vec::new();
    for _ in 0..mailboxes {
        let mailbox = dovecot.mailbox();
        let request = mailbox.connect_request(sink.settings(&mailbox.user));
        let account = owner.post("/api/email/accounts", request).await.json(201)["id"].clone();
        let path = format!("/api/email/accounts/{}", account.as_str().unwrap());
        wait_until("the mailbox is taken in", async || owner.get(&path).await.json(200)["phase"] == "live").await;
        accounts.push(account);
    }
    let mut all = Vec::new();
    for round in 1..=setting("ROUNDS", 3) {
        let before = sink.accepted().len();
        let due = schedule(&owner, &accounts, mails).await;
        let busy = cpu(process.pid());
        wait_until("every mail is taken", async || sink.accepted().len() >= before + mails).await;
        let used = cpu(process.pid()) - busy;
        let taken: Vec<(SystemTime, Option<String>)> =
            sink.accepted().iter().skip(before).map(|mail| (mail.at, mail.message_id())).collect();
        let different: BTreeSet<_> = taken.iter().map(|(_, id)| id).collect();
        assert_eq!((taken.len(), different.len()), (mails, mails), "each mail is taken once");
        let seconds = |at: SystemTime| at.duration_since(due).map_or(0.0, |passed| passed.as_secs_f64());
        let (first, last) = (taken.iter().map(|(at, _)| seconds(*at)))
            .fold((f64::MAX, 0.0_f64), |(first, last), at| (first.min(at), last.max(at)));
        println!(
            "outbox  {backend:?}, round {round}: {mails} mails of {mailboxes} mailboxes, first taken {first:.2} s after \
             its time, last {last:.2} s (goal {GOAL}); {used:.2} s of processor time; load {}",
            load()
        );
        all.push(last);
    }
    println!("outbox  {backend:?}: median {:.2} s of {} rounds (goal {GOAL})", median(&all), all.len());
}

/// Schedules the mails for one second to come and waits until shortly before it.
async fn schedule(owner: &Client, accounts: &[Value], mails: usize) -> SystemTime {
    // A debug build needs its time.
    let ahead = if cfg!(debug_assertions) { mails / 10 } else { mails / 50 } + 5;
    let due: DateTime<Utc> = (Utc::now() + Duration::from_secs(u64::try_from(ahead).unwrap())).trunc_subsecs(0);
    let posts = futures_util::stream::iter(0..mails).map(|number| {
        let mail = json!({
            "account_id": accounts[number % accounts.len()], "to": [{ "email": format!("c{number}@client.example") }],
            "subject": format!("Offer {number}"), "body_html": "<p>All is <b>well</b>.</p>".repeat(40),
            "scheduled_at": due.to_rfc3339(),
        });
        async move { owner.post("/api/email/messages", mail).await.json(202) }
    });
    posts.buffer_unordered(TOGETHER).for_each(|_| std::future::ready(())).await;
    let left = (due - Utc::now()).to_std().expect("all were posted before their time");
    tokio::time::sleep(left).await;
    due.into()
}
