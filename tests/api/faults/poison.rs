//! Mails that cannot be read are set aside with a reason; the others arrive, and theirs is not the last word.

use super::{MARK, assert_well, connect_through, large_mail, looked_up, mail, sink};
use crate::mailbox::{account, server_mails, stored_mails, sync};
use crate::support::{Backend, Client, Dovecot, Fault, ImapProxy, MailGenerator, TestApp, wait_for, wait_until};
use chrono::Duration;
use duplex::clock::Clock;
use serde_json::{Value, json};

const MAILS: usize = 120;

fn clock() -> Clock {
    Clock::fixed(Clock::system().now())
}

/// Waits for the end of the backfill; while the mailbox waits after an error, its clock runs fast.
async fn backfilled(app: &TestApp, owner: &Client, id: &str) -> Value {
    wait_for("the backfill ends", async || {
        let account = account(owner, id).await;
        if account["status"] == "error" {
            app.clock.advance(Duration::seconds(40));
        }
        Some(account).filter(|account| account["phase"] == "live")
    })
    .await
}

/// Insists that a mail was set aside, with words for a person.
async fn assert_aside(owner: &Client, message_id: &str) {
    let found = looked_up(owner, message_id).await.unwrap_or_else(|| panic!("nothing is known of {message_id}"));
    assert_eq!(found["reason"], "unreadable", "{found}");
    assert_eq!(found["email_id"], json!(null), "{found}");
    assert!(found["detail"].as_str().is_some_and(|text| !text.is_empty()), "{found}");
}

/// An hour later mails that were set aside are tried again.
async fn an_hour_later(app: &TestApp, owner: &Client, id: &str) {
    app.clock.advance(Duration::minutes(61));
    sync(owner, id).await;
}

on_both! {
    async fn garbage_in_a_literal_costs_one_mail_and_only_for_a_while(backend: Backend) {
        let mailbox = Dovecot::shared().mailbox();
        let mut generator = MailGenerator::new(31);
        mailbox.seed("INBOX", &generator.take(MAILS / 2));
        mailbox.seed("INBOX", &[mail("poison@garden.example", format!("One\r\n{MARK}\r\nTwo\r\n").as_bytes())]);
        mailbox.seed("INBOX", &generator.take(MAILS / 2));
        mailbox.seed("Archive", &generator.take(MAILS / 2));
        let proxy = ImapProxy::start(&mailbox).await;
        proxy.spoil(MARK, Fault::Insert(b"\r\n\0\xff* 1 FETCH (UID 1 BODY[] {7}\r\n".repeat(20)));
        let app = TestApp::start_at(backend, clock(), |_| {}).await;
        let owner = app.owner().await;
        let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
        let account = backfilled(&app, &owner, &id).await;
        assert_well(&account);
        assert_eq!(account["progress"]["synced"], MAILS * 3 / 2 + 1, "one that was set aside counts as looked at");
        assert!(proxy.met() >= 2, "the batch was tried, then the mail alone");
        assert_aside(&owner, "poison@garden.example").await;
        let listed = owner.all(&format!("/api/email/messages?account_id={id}")).await;
        assert_eq!(listed.len(), MAILS * 3 / 2);
        assert_eq!(set_aside(&owner, &id).await, json!({"unreadable": 1}));

        an_hour_later(&app, &owner, &id).await;
        assert_aside(&owner, "poison@garden.example").await;
        proxy.behave();
        an_hour_later(&app, &owner, &id).await;
        let found = looked_up(&owner, "poison@garden.example").await.unwrap();
        assert!(found["email_id"].is_string(), "{found}");
        assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
        assert_eq!(set_aside(&owner, &id).await, json!({}));
    }
}

/// How many mails of the inbox were set aside, by reason.
async fn set_aside(owner: &Client, id: &str) -> Value {
    let found = owner.get(&format!("/api/email/accounts/{id}/completeness")).await.json(200);
    let folders = found["folders"].as_array().unwrap();
    folders.iter().find(|folder| folder["role"] == "inbox").unwrap()["skipped"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_over_which_the_connection_breaks_are_set_aside_after_some_tries() {
    let mailbox = Dovecot::shared().mailbox();
    let mut generator = MailGenerator::new(32);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    mailbox.seed("INBOX", &[mail("small@garden.example", MARK.as_bytes()), large_mail("large@garden.example", 26)]);
    mailbox.seed("INBOX", &generator.take(MAILS / 2));
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::HangUp);
    let app = TestApp::start_at(Backend::Sqlite, clock(), |_| {}).await;
    let owner = app.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;

    wait_until("the first break is reported", async || account(&owner, &id).await["status"] == "error").await;
    assert_eq!(super::error_of(&account(&owner, &id).await), "imap_connection_lost");
    assert_well(&backfilled(&app, &owner, &id).await);
    assert_aside(&owner, "small@garden.example").await;
    assert_aside(&owner, "large@garden.example").await;
    assert_eq!(owner.all(&format!("/api/email/messages?account_id={id}")).await.len(), MAILS);

    proxy.behave();
    an_hour_later(&app, &owner, &id).await;
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
}
