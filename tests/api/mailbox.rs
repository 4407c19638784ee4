//! What the tests of mailboxes have in common: a seeded mailbox, connected, and what Duplex says of it.

use crate::support::{Client, MailGenerator, Mailbox, SmtpSink, wait_for, wait_until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Folders of a well-used mailbox, with the share of all mails that lies in each, in percent.
pub const FOLDERS: [(&str, usize); 6] =
    [("INBOX", 45), ("Sent", 20), ("Archive", 15), ("Entwürfe & mehr/東京", 10), ("Clients/2025", 7), ("Trash", 3)];

/// Fills the folders with this many mails in all.
pub fn fill(mailbox: &Mailbox<'_>, seed: u64, count: usize) {
    let mut generator = MailGenerator::new(seed);
    for (folder, share) in FOLDERS {
        mailbox.seed(folder, &generator.take(count * share / 100));
    }
}

/// Connects the mailbox and gives the account's id.
pub async fn connect(owner: &Client, mailbox: &Mailbox<'_>, smtp: &SmtpSink) -> String {
    let request = mailbox.connect_request(smtp.settings(&mailbox.user));
    let account = owner.post("/api/email/accounts", request).await.json(201);
    account["id"].as_str().unwrap().to_owned()
}

/// The account as the API shows it.
pub async fn account(owner: &Client, id: &str) -> Value {
    owner.get(&format!("/api/email/accounts/{id}")).await.json(200)
}

/// Waits until the backfill is over; gives the account.
pub async fn backfilled(owner: &Client, id: &str) -> Value {
    wait_for("the backfill ends", async || Some(account(owner, id).await).filter(|account| account["phase"] == "live"))
        .await
}

/// Asks for a sync and waits until one has passed since.
pub async fn sync(owner: &Client, id: &str) {
    let before = account(owner, id).await["last_sync_at"].clone();
    owner.post(&format!("/api/email/accounts/{id}/sync"), Value::Null).await.json(202);
    wait_until("a sync passes", async || account(owner, id).await["last_sync_at"] != before).await;
}

/// How many mails each folder holds, by name.
pub async fn stored_counts(owner: &Client, id: &str) -> BTreeMap<String, usize> {
    let folders = owner.all(&format!("/api/email/accounts/{id}/folders")).await;
    let count = |folder: &Value| usize::try_from(folder["stored_count"].as_u64().unwrap()).unwrap();
    folders.iter().map(|folder| (folder["name"].as_str().unwrap().to_owned(), count(folder))).collect()
}

/// Every mail that lies in a folder, as digests of its raw bytes, folder by folder.
pub async fn stored_mails(owner: &Client, id: &str) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for message in owner.all(&format!("/api/email/messages?account_id={id}")).await {
        let message_id = message["id"].as_str().unwrap();
        assert!(seen.insert(message_id.to_owned()), "{message_id} is listed twice");
        let raw = owner.get(&format!("/api/email/messages/{message_id}/raw")).await;
        assert_eq!(raw.status, 200, "{}", raw.text());
        let digest = ring::digest::digest(&ring::digest::SHA256, &raw.bytes);
        let digest = data_encoding::HEXLOWER.encode(digest.as_ref());
        for folder in message["folders"].as_array().unwrap() {
            let name = folder["name"].as_str().unwrap().to_owned();
            *found.entry(name).or_default().entry(digest.clone()).or_default() += 1;
        }
    }
    found
}

/// The same as the independent client sees it; folders without mail left out.
pub fn server_mails(mailbox: &Mailbox<'_>) -> BTreeMap<String, BTreeMap<String, usize>> {
    let peer = mailbox.peer();
    let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for folder in peer.folders().into_iter().filter(|folder| folder.messages > 0) {
        for mail in peer.mails(&folder.name) {
            *found.entry(folder.name.clone()).or_default().entry(mail.sha256).or_default() += 1;
        }
    }
    found
}
