//! Mail servers that go away, fall silent or change the password: the account says so, and heals.

use super::{MARK, assert_well, connect_through, error_of, in_status, mail, sink};
use crate::mailbox::{account, backfilled, connect, server_mails, stored_mails};
use crate::support::imap_peer::ImapPeer;
use crate::support::{
    Backend, Client, Dovecot, DovecotOptions, Fault, ImapProxy, MailGenerator, Mailbox, TestApp, wait_for, wait_until,
};
use chrono::Duration;
use duplex::clock::Clock;
use serde_json::{Value, json};

const MAILS: usize = 400;

/// Fills a mailbox so that the mark stands in the middle.
fn fill(mailbox: &Mailbox<'_>, seed: u64) {
    let mut generator = MailGenerator::new(seed);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    mailbox.seed("INBOX", &[mail("middle@garden.example", MARK.as_bytes())]);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    mailbox.seed("Sent", &generator.take(MAILS / 4));
}

on_both! {
    async fn a_server_that_is_stopped_in_the_import_is_an_error_until_it_is_back(app: TestApp) {
        let dovecot = Dovecot::start(&DovecotOptions::default());
        let mailbox = dovecot.mailbox();
        fill(&mailbox, 41);
        let proxy = ImapProxy::start(&mailbox).await;
        proxy.spoil(MARK, Fault::Wait);
        let owner = app.owner().await;
        let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
        proxy.until_met(1).await;
        dovecot.kill();
        proxy.behave();
        let broken = in_status(&owner, &id, "error").await;
        assert!(error_of(&broken).starts_with("imap_"), "{broken}");
        assert_eq!(broken["phase"], "backfill");
        dovecot.start_again();
        assert_well(&backfilled(&owner, &id).await);
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));

        dovecot.stop();
        owner.post(&format!("/api/email/accounts/{id}/sync"), Value::Null).await.json(202);
        let broken = in_status(&owner, &id, "error").await;
        assert!(error_of(&broken).starts_with("imap_"), "{broken}");
        assert_eq!(broken["phase"], "live");
        dovecot.start_again();
        let late: Vec<Vec<u8>> = MailGenerator::new(42).take(2).into_iter().map(|mail| mail.raw).collect();
        mailbox.peer().append("INBOX", &late, &[]);
        assert_well(&in_status(&owner, &id, "active").await);
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_in_a_literal_is_left_and_tried_again() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    fill(&mailbox, 43);
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::FallSilent);
    let owner = app.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
    proxy.until_met(1).await;
    proxy.behave();
    let stalled = in_status(&owner, &id, "error").await;
    assert_eq!(error_of(&stalled), "imap_timeout");
    assert_well(&backfilled(&owner, &id).await);
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
}

/// Gives every user of the server another password.
fn change_password(dovecot: &Dovecot, password: &str) {
    let path = dovecot.root().join("dovecot.conf");
    let config = std::fs::read_to_string(&path).unwrap();
    assert!(config.contains("args = password=pw\n"));
    std::fs::write(&path, config.replace("args = password=pw\n", &format!("args = password={password}\n"))).unwrap();
    dovecot.restart();
}

/// Lets the clock run until the account has failed once more; gives it as it is then.
async fn failed_again(app: &TestApp, owner: &Client, id: &str) -> Value {
    let before = account(owner, id).await["next_sync_at"].clone();
    app.clock.advance(Duration::minutes(11));
    wait_for("the next try", async || {
        Some(account(owner, id).await).filter(|now| now["next_sync_at"] != before && now["status"] != "active")
    })
    .await
}

on_both! {
    async fn a_changed_password_asks_for_a_person_after_some_refusals(backend: Backend) {
        let dovecot = Dovecot::start(&DovecotOptions::default());
        let mailbox = dovecot.mailbox();
        mailbox.seed("INBOX", &MailGenerator::new(44).take(20));
        let smtp = sink().await;
        let app = TestApp::start_at(backend, Clock::fixed(Clock::system().now()), |_| {}).await;
        let owner = app.owner().await;
        let id = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &id).await;
        wait_until("the first pass is over", async || account(&owner, &id).await["last_sync_at"].is_string()).await;

        change_password(&dovecot, "fresh");
        let first = failed_again(&app, &owner, &id).await;
        assert_eq!((first["status"].as_str(), error_of(&first)), (Some("error"), "imap_login_failed"));
        let second = failed_again(&app, &owner, &id).await;
        assert_eq!(second["status"], "error", "a server that is busy may say so too: {second}");
        let third = failed_again(&app, &owner, &id).await;
        assert_eq!((third["status"].as_str(), error_of(&third)), (Some("disconnected"), "imap_login_failed"));
        assert_eq!(third["next_sync_at"], json!(null), "it is not tried any more");
        owner.post(&format!("/api/email/accounts/{id}/sync"), Value::Null).await.problem(409, "account_not_active");
        assert_eq!(owner.all(&format!("/api/email/messages?account_id={id}")).await.len(), 20, "its mail stays");

        let peer = ImapPeer::new(dovecot.imap_port, &mailbox.user, "fresh");
        peer.append("INBOX", &[MailGenerator::new(45).mail().raw], &[]);
        let mut imap = mailbox.imap_tls();
        imap["password"] = json!("stale");
        let reconnect = format!("/api/email/accounts/{id}/reconnect");
        let request = |imap: &Value| json!({"imap": imap, "smtp": smtp.settings(&mailbox.user)});
        owner.post(&reconnect, request(&imap)).await.problem(422, "imap_login_failed");
        imap["password"] = json!("fresh");
        assert_well(&owner.post(&reconnect, request(&imap)).await.json(200));
        wait_until("the new mail arrives", async || {
            owner.all(&format!("/api/email/messages?account_id={id}")).await.len() == 21
        })
        .await;
        assert_well(&account(&owner, &id).await);

        // Three refusals are one error and one end, not a fact each.
        let told = ["account.connected", "account.backfill_completed", "account.error", "account.disconnected", "account.connected"];
        let events = wait_for("the facts", async || {
            let mut events = owner.all("/api/events").await;
            events.retain(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with("account.")));
            Some(events).filter(|events| events.len() >= told.len())
        })
        .await;
        assert_eq!(events.iter().map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>(), told);
        assert!(events.iter().all(|event| event["data"]["account_id"] == id.as_str()), "{events:?}");
        for event in &events[2..4] {
            assert_eq!(event["data"]["error_code"], "imap_login_failed");
        }
    }
}
