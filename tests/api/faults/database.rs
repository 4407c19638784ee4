//! Databases that go away and come back, or are held by somebody else.

use super::{MARK, assert_well, connect_through, mail, sink};
use crate::mailbox::{backfilled, server_mails, stored_mails};
use crate::support::{
    Answer, Backend, Client, Dovecot, Fault, ImapProxy, MailGenerator, Mailbox, PrivatePostgres, TestApp, TestProcess,
    wait_until,
};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;
use std::time::{Duration, Instant};

const MAILS: usize = 300;

/// Fills a mailbox so that the mark stands in the middle.
fn fill(mailbox: &Mailbox<'_>, seed: u64) {
    let mut generator = MailGenerator::new(seed);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    mailbox.seed("INBOX", &[mail("middle@garden.example", MARK.as_bytes())]);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    mailbox.seed("Archive", &generator.take(MAILS));
}

/// An answer while the database is away: it says when to come again.
#[track_caller]
fn assert_away(answer: &Answer) {
    answer.problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{answer:?}");
}

async fn assert_all_away(owner: &Client, id: &str) {
    for path in [
        format!("/api/email/accounts/{id}"),
        "/api/email/messages".to_owned(),
        "/api/email/threads".to_owned(),
        "/api/me".to_owned(),
    ] {
        assert_away(&owner.get(&path).await);
    }
    assert_away(&owner.post(&format!("/api/email/accounts/{id}/sync"), json!(null)).await);
    let password = json!({"email": "olga@acme.example", "password": "correct horse battery staple"});
    assert_away(&owner.signed_out().post("/api/session", password).await);
    assert_away(&owner.signed_out().get("/readyz").await);
    assert_eq!(owner.signed_out().get("/healthz").await.status, 200, "the process itself is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_goes_away_in_the_import_and_returns_costs_nothing() {
    let postgres = PrivatePostgres::start();
    let mailbox = Dovecot::shared().mailbox();
    fill(&mailbox, 71);
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::Wait);
    let duplex = TestProcess::start_with(Backend::Sqlite, |settings| {
        settings.set("DATABASE_URL", postgres.url());
    })
    .await;
    let owner = duplex.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
    proxy.until_met(1).await;
    postgres.stop();
    proxy.behave();
    // Several looks: what the first request finds, the others find too.
    for _ in 0..3 {
        assert_all_away(&owner, &id).await;
    }
    postgres.start_again();
    wait_until("it is ready again", async || owner.get("/readyz").await.status == 200).await;
    assert_well(&backfilled(&owner, &id).await);

    postgres.stop();
    postgres.start_again();
    for _ in 0..20 {
        let status = owner.get("/api/email/messages").await.status;
        assert_eq!(status, 200, "a restart between two requests is not noticed");
    }
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    assert!(!duplex.words().contains("panicked"), "{}", duplex.words());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_else_who_holds_the_write_lock_of_sqlite_is_waited_for() {
    const HELD: Duration = Duration::from_secs(4);
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    fill(&mailbox, 72);
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::Wait);
    let owner = app.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
    proxy.until_met(1).await;

    let file = app.data_dir().join("duplex.db");
    let mut foreign = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    foreign.batch_execute("PRAGMA busy_timeout = 30000; BEGIN IMMEDIATE; UPDATE users SET name = name").unwrap();
    proxy.behave();
    let began = Instant::now();
    let path = format!("/api/email/accounts/{id}");
    let writing = futures_util::future::join_all((0..6).map(|number| {
        let (owner, path) = (owner.clone(), path.clone());
        tokio::spawn(async move { owner.patch(&path, json!({"display_name": format!("Name {number}")})).await })
    }));
    let reading = async {
        let mut looks = 0;
        while began.elapsed() < HELD {
            owner.get(&path).await.json(200);
            owner.get("/api/email/messages").await.json(200);
            owner.get("/readyz").await.json(200);
            looks += 1;
        }
        drop(foreign);
        looks
    };
    let (written, looks) = tokio::join!(writing, reading);
    assert!(looks >= 5, "readers were held up: {looks} looks in {HELD:?}");
    for answer in written {
        answer.unwrap().json(200);
    }
    assert_well(&backfilled(&owner, &id).await);
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
}
