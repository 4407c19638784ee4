//! What people change here, carried to Gmail, with another client at work beside.

mod bulk;
mod crash;
mod trouble;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::gmail::{ANN, GmailWorld, live};
use crate::support::{Backend, Client, TestApp};
use crate::two_way::outbound::Verbs;
use crate::two_way::{facts, settled};

/// What is told of mails.
const MAIL_FACTS: [&str; 3] = ["email.updated", "email.received", "email.deleted"];

/// Ann's mailbox at Gmail, connected and taken in.
struct Stage {
    world: GmailWorld,
    owner: Client,
    account: String,
    _app: TestApp,
}

impl Stage {
    async fn start(backend: Backend, fill: impl FnOnce(&GmailWorld)) -> Self {
        let world = GmailWorld::start();
        fill(&world);
        let app = TestApp::start_with(backend, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        world.converged(&owner, &account).await;
        Self { world, owner, account, _app: app }
    }

    fn verbs(&self) -> Verbs<'_> {
        Verbs { owner: &self.owner, account: &self.account }
    }

    async fn id(&self, gmail_id: &str) -> String {
        ids(&self.owner, &self.account).await.remove(gmail_id).unwrap()
    }

    /// Waits until an operation is over, which must be the good end.
    async fn confirmed(&self, operation: &str) {
        let ended = settled(&self.owner, operation).await;
        assert_eq!(ended["state"], "confirmed", "{ended}");
    }

    /// Waits until an operation is over, which must be a bad end with this reason for some mail.
    async fn failed(&self, operation: &str, code: &str) {
        let ended = settled(&self.owner, operation).await;
        assert_eq!(ended["state"], "failed", "{ended}");
        let items = ended["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["error_code"] == code), "{ended}");
    }

    async fn converged(&self) {
        self.world.converged(&self.owner, &self.account).await;
    }

    async fn told(&self) -> usize {
        facts(&self.owner, &MAIL_FACTS).await.len()
    }
}

/// The ids of mails by their ids at Gmail.
async fn ids(owner: &Client, account: &str) -> BTreeMap<String, String> {
    let mails = owner.all(&format!("/api/email/messages?account_id={account}&limit=200")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    mails.iter().map(|mail| (text(&mail["external_id"]), text(&mail["id"]))).collect()
}

/// The labels of a mail at Gmail.
fn labels(world: &GmailWorld, gmail_id: &str) -> BTreeSet<String> {
    let dump = world.gmail.dump(ANN).unwrap();
    let mail = dump["mails"].as_array().unwrap().iter().find(|mail| mail["id"] == gmail_id).unwrap();
    mail["labels"].as_array().unwrap().iter().map(|label| label.as_str().unwrap().to_owned()).collect()
}

/// The id of a label by its name.
fn label_id(world: &GmailWorld, name: &str) -> String {
    let dump = world.gmail.dump(ANN).unwrap();
    let label = dump["labels"].as_array().unwrap().iter().find(|label| label["name"] == name);
    label.unwrap_or_else(|| panic!("no label {name}"))["id"].as_str().unwrap().to_owned()
}

fn set(labels: &[&str]) -> BTreeSet<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}
