//! What another client does at Gmail.

use crate::support::gmail::{ANN, GmailWorld, live, states, sync};
use crate::support::{Backend, Client, TestApp};
use serde_json::Value;

/// The events of these kinds, oldest first.
pub async fn events(owner: &Client, kinds: &[&str]) -> Vec<Value> {
    let all = owner.all("/api/events?after=0&limit=200").await;
    all.into_iter().filter(|event| kinds.iter().any(|kind| event["type"] == *kind)).collect()
}

on_both! {
    async fn every_change_of_another_client_shows_here_once(backend: Backend) {
        let world = GmailWorld::start();
        let ids: Vec<String> = (1..=12).map(|number| world.mail(number, None).id).collect();
        let app = TestApp::start_with(backend, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let gmail = &world.gmail;
        let label = gmail.create_label(ANN, "Later").unwrap();
        gmail.relabel(ANN, &ids[..1], &[], &["UNREAD"]).unwrap();
        gmail.relabel(ANN, &ids[1..2], &["STARRED"], &[]).unwrap();
        gmail.relabel(ANN, &ids[2..3], &[], &["INBOX"]).unwrap();
        gmail.relabel(ANN, &ids[3..4], &["TRASH"], &["INBOX"]).unwrap();
        gmail.relabel(ANN, &ids[4..5], &[&label], &[]).unwrap();
        gmail.relabel(ANN, &ids[5..6], &["SPAM"], &["INBOX"]).unwrap();
        gmail.delete_mails(ANN, &ids[6..7]).unwrap();
        gmail.relabel(ANN, &ids[7..8], &["STARRED"], &["UNREAD"]).unwrap();
        gmail.relabel(ANN, &ids[7..8], &["UNREAD"], &["STARRED"]).unwrap();
        let new = world.mail(13, None);
        let spam = world.mail(14, Some(&["SPAM", "UNREAD"]));
        let sent = gmail.send_elsewhere(ANN, &format!("From: {ANN}\r\nTo: bob@other.example\r\nSubject: Hello\r\n\r\nHi\r\n"), None);
        sync(&owner, &account).await;
        world.converged(&owner, &account).await;
        let here = states(&owner, &account).await;
        assert!(here.contains_key(&new.id) && here.contains_key(&sent.unwrap().id) && !here.contains_key(&spam.id));
        let received = events(&owner, &["email.received"]).await;
        assert_eq!(received.len(), 1, "{received:?}");
        let deleted = events(&owner, &["email.deleted"]).await;
        assert_eq!(deleted.len(), 2, "one was deleted, one is spam: {deleted:?}");
        let updated = events(&owner, &["email.updated"]).await;
        let mails: std::collections::BTreeSet<String> = updated.iter().map(|event| event["data"]["email_id"].to_string()).collect();
        assert_eq!(updated.len(), mails.len(), "one event a mail: {updated:?}");
        let total = events(&owner, &["email.received", "email.updated", "email.deleted"]).await.len();
        sync(&owner, &account).await;
        assert_eq!(events(&owner, &["email.received", "email.updated", "email.deleted"]).await.len(), total);
        let why = owner.get("/api/email/messages/lookup?message_id=14@customer.example").await.json(200);
        assert_eq!(why["reason"], "folder_excluded", "{why}");
        let read = gmail.calls();
        let mut read = read.iter().filter(|call| call.target.contains(&spam.id) && call.target.contains("raw"));
        assert!(read.next().is_none(), "the body of an excluded mail was read");
    }
}

on_both! {
    async fn labels_that_are_renamed_or_deleted_are_folders_that_follow(backend: Backend) {
        let world = GmailWorld::start();
        let kept = world.gmail.create_label(ANN, "Kept").unwrap();
        let gone = world.gmail.create_label(ANN, "Gone").unwrap();
        world.mail(1, Some(&["INBOX", &kept]));
        let lonely = world.mail(2, Some(&[&gone]));
        let clock = duplex::clock::Clock::fixed(duplex::clock::Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        world.gmail.rename_label(ANN, &kept, "Renamed").unwrap();
        world.gmail.delete_label(ANN, &gone).unwrap();
        clock.advance(chrono::Duration::minutes(16));
        sync(&owner, &account).await;
        world.converged(&owner, &account).await;
        let here = states(&owner, &account).await;
        assert!(here[&lonely.id].0.is_empty(), "it lies in the view of all mail alone");
    }
}
