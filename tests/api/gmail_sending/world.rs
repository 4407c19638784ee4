//! A person's Gmail mailbox, connected, with an independent look at it.

use duplex::clock::Clock;
use duplex_emulators::gmail::model::Sent;
use serde_json::{Value, json};

use crate::support::gmail::{ANN, GmailWorld, live, sync};
use crate::support::{Answer, Backend, Client, TestApp, wait_for, wait_until};
use crate::two_way::facts;

/// A mailbox from which mail leaves at once unless a test says otherwise.
pub struct Post {
    pub world: GmailWorld,
    pub app: TestApp,
    pub owner: Client,
    pub account: String,
}

impl Post {
    pub async fn start(backend: Backend) -> Self {
        Self::start_at(backend, Clock::system(), |_| {}).await
    }

    /// With a clock that stands still until the test moves it.
    pub async fn with_clock(backend: Backend) -> Self {
        Self::start_at(backend, Clock::fixed(Clock::system().now()), |_| {}).await
    }

    pub async fn start_at(backend: Backend, clock: Clock, prepare: impl FnOnce(&GmailWorld)) -> Self {
        let world = GmailWorld::start();
        prepare(&world);
        let app = TestApp::start_at(backend, clock, |settings| world.set(settings)).await;
        let owner = app.owner().await;
        let account = world.connect(&app.base, &owner).await;
        live(&owner, &account).await;
        let post = Self { world, app, owner, account };
        post.undo(0).await;
        post
    }

    /// Sets for how long a mail can be called back.
    pub async fn undo(&self, seconds: u32) {
        undo(&self.owner, &self.account, seconds).await;
    }

    pub async fn sync(&self) {
        sync(&self.owner, &self.account).await;
    }

    pub async fn post(&self, mail: Value) -> Answer {
        self.owner.post("/api/email/messages", self.of_this_mailbox(mail)).await
    }

    pub fn of_this_mailbox(&self, mut mail: Value) -> Value {
        mail["account_id"] = self.account.clone().into();
        mail
    }

    pub async fn submit(&self, mail: Value) -> String {
        self.post(mail).await.json(202)["id"].as_str().unwrap().to_owned()
    }

    pub async fn shown(&self, id: &str) -> Value {
        self.owner.get(&format!("/api/email/messages/{id}")).await.json(200)
    }

    pub async fn until(&self, id: &str, status: &str) -> Value {
        wait_for(&format!("the mail to be {status}"), async || {
            let shown = self.shown(id).await;
            (shown["status"] == status).then_some(shown)
        })
        .await
    }

    /// Waits until a mail is known by what Gmail made of it.
    pub async fn learnt(&self, id: &str) -> Value {
        wait_for("what Gmail made of the mail", async || {
            let shown = self.shown(id).await;
            let is_there = shown["folders"].as_array().unwrap().iter().any(|folder| folder["name"] == "All Mail");
            (shown["status"] == "sent" && is_there && !shown["external_id"].as_str().unwrap().starts_with("local-"))
                .then_some(shown)
        })
        .await
    }

    /// What left for the world under a subject.
    pub fn left(&self, subject: &str) -> Vec<Sent> {
        self.world.gmail.sent().into_iter().filter(|mail| mail.subject == subject).collect()
    }

    /// Facts of a type that tell of this mail.
    pub async fn told(&self, kind: &str, id: &str) -> usize {
        let all = facts(&self.owner, &[kind]).await;
        all.iter().filter(|fact| fact["data"]["email_id"] == id).count()
    }

    /// The mails of the mailbox as the API lists them.
    pub async fn messages(&self) -> Vec<Value> {
        self.owner.all(&format!("/api/email/messages?account_id={}", self.account)).await
    }

    /// The ids of Gmail's drafts with the ids of their mails.
    pub fn drafts(&self) -> Vec<(String, String)> {
        let dump = self.world.gmail.dump(ANN).unwrap();
        let drafts = dump["drafts"].as_object().unwrap().iter();
        drafts.map(|(id, mail)| (id.clone(), mail.as_str().unwrap().to_owned())).collect()
    }

    /// The subjects of Gmail's drafts.
    pub fn draft_subjects(&self) -> Vec<String> {
        let dump = self.world.gmail.dump(ANN).unwrap();
        let mails = dump["mails"].as_array().unwrap();
        let mails = mails.iter().filter(|mail| mail["draft"].is_string());
        mails.map(|mail| mail["subject"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn drafts_are(&self, subjects: &[&str]) {
        wait_until(&format!("Gmail's drafts are {subjects:?}"), async || self.draft_subjects() == subjects).await;
    }
}

pub async fn undo(owner: &Client, account: &str, seconds: u32) {
    let settings = json!({"settings": {"undo_send_seconds": seconds}});
    owner.patch(&format!("/api/email/accounts/{account}"), settings).await.json(200);
}

/// A mail to Bob.
pub fn mail(subject: &str) -> Value {
    json!({"to": [{"email": "bob@other.example"}], "subject": subject, "body_text": "Hello."})
}

/// The names of the folders that a mail lies in.
pub fn folders(message: &Value) -> Vec<&str> {
    message["folders"].as_array().unwrap().iter().map(|folder| folder["name"].as_str().unwrap()).collect()
}
