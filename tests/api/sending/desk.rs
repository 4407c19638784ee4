//! A person's desk: a connected mailbox, the server that its mail leaves through, and an independent look at both.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::{Value, json};

use crate::mailbox::{account, backfilled, connect, sync};
use crate::support::imap_peer::ImapPeer;
use crate::support::{
    Accepted, Answer, Backend, Client, Dovecot, Mailbox, SmtpSecurity, SmtpSink, TestApp, read_mail, wait_for,
    wait_until,
};
use crate::two_way::facts;

/// A mailbox from which mail leaves at once unless a test says otherwise.
pub struct Desk {
    pub app: TestApp,
    pub owner: Client,
    pub account: String,
    pub mailbox: Mailbox<'static>,
    pub peer: ImapPeer,
    pub sink: SmtpSink,
}

impl Desk {
    pub async fn new(app: TestApp) -> Self {
        Self::over(app, SmtpSecurity::Tls).await
    }

    /// With a clock that stands still until the test moves it.
    pub async fn with_clock(backend: Backend) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        Self::new(TestApp::start_at(backend, clock, |_| {}).await).await
    }

    pub async fn over(app: TestApp, security: SmtpSecurity) -> Self {
        let owner = app.owner().await;
        let mailbox = Dovecot::shared().mailbox();
        let sink = SmtpSink::start(security).await;
        let account = connect(&owner, &mailbox, &sink).await;
        backfilled(&owner, &account).await;
        let peer = mailbox.peer();
        let desk = Self { app, owner, account, mailbox, peer, sink };
        desk.settle_on(json!({ "settings": { "undo_send_seconds": 0 } })).await;
        desk
    }

    /// Changes the mailbox.
    pub async fn settle_on(&self, change: Value) {
        self.owner.patch(&format!("/api/email/accounts/{}", self.account), change).await.json(200);
    }

    pub fn address(&self) -> &str {
        &self.mailbox.user
    }

    /// The mailbox as the API shows it.
    pub async fn shown(&self) -> Value {
        account(&self.owner, &self.account).await
    }

    pub async fn sync(&self) {
        sync(&self.owner, &self.account).await;
    }

    /// Moves the clock on.
    pub fn pass(&self, time: Duration) {
        self.app.clock.advance(time);
    }

    /// Asks for a mail to be sent, from this mailbox unless it names another.
    pub async fn post(&self, mail: Value) -> Answer {
        self.owner.post("/api/email/messages", self.of_this_mailbox(mail)).await
    }

    /// The same with the mailbox in it.
    pub fn of_this_mailbox(&self, mut mail: Value) -> Value {
        if mail.get("account_id").is_none() {
            mail["account_id"] = self.account.clone().into();
        }
        mail
    }

    /// Sends a mail and gives its id.
    pub async fn submit(&self, mail: Value) -> String {
        self.post(mail).await.json(202)["id"].as_str().unwrap().to_owned()
    }

    /// Sends a mail and waits until it has been sent; gives what the API shows and what the server took.
    pub async fn send(&self, mail: Value) -> (Value, Accepted) {
        let id = self.submit(mail).await;
        let sent = self.until(&id, "sent").await;
        let taken = self.taken(&sent);
        assert_eq!(taken.len(), 1, "{sent}");
        (sent, taken.into_iter().next().unwrap())
    }

    /// What the server took of this mail.
    pub fn taken(&self, message: &Value) -> Vec<Accepted> {
        let wanted = format!("<{}>", message["message_id"].as_str().unwrap());
        self.sink.accepted().into_iter().filter(|mail| mail.message_id().as_ref() == Some(&wanted)).collect()
    }

    /// A mail with its bodies.
    pub async fn message(&self, id: &str) -> Value {
        self.owner.get(&format!("/api/email/messages/{id}")).await.json(200)
    }

    /// Waits until a mail is that far.
    pub async fn until(&self, id: &str, status: &str) -> Value {
        let what = format!("the mail is {status}");
        let ended = |mail: &Value| mail["status"] == status || mail["status"] == "failed";
        let reached = self.until_it(id, &what, ended).await;
        assert_eq!(reached["status"], status, "{reached}");
        reached
    }

    /// Waits until something holds of a mail.
    pub async fn until_it(&self, id: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        wait_for(what, async || {
            let now = self.message(id).await;
            if now != last {
                // Shown when the test fails.
                eprintln!("waiting until {what}: {now}");
                last = now;
            }
            holds(&last).then(|| last.clone())
        })
        .await
    }

    /// Waits until a mail lies in this folder alone, and the original of a sent one can be read.
    pub async fn filed(&self, id: &str, folder: &str) -> Value {
        let filed = self.until_it(id, &format!("the mail lies in {folder}"), |mail| folders(mail) == [folder]).await;
        if folder == "Sent" {
            wait_until("its original can be read", async || self.raw(id).await.status == 200).await;
        }
        filed
    }

    pub async fn raw(&self, id: &str) -> Answer {
        self.owner.get(&format!("/api/email/messages/{id}/raw")).await
    }

    /// All mails of the mailbox.
    pub async fn messages(&self) -> Vec<Value> {
        self.owner.all(&format!("/api/email/messages?account_id={}", self.account)).await
    }

    /// Brings a file in.
    pub async fn upload(&self, name: &str, kind: &str, content: &[u8]) -> String {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("/api/email/attachments?file_name={name}");
        let kept = self.owner.request("POST", &path, &[], Some((kind, content.to_vec()))).await.json(201);
        kept["id"].as_str().unwrap().to_owned()
    }

    /// A mail comes in; gives its id.
    pub async fn receive(&self, raw: Vec<u8>) -> String {
        let text = String::from_utf8(raw.clone()).unwrap();
        let message_id = text.split_once("Message-ID: <").unwrap().1.split('>').next().unwrap();
        self.peer.append("INBOX", &[raw], &[]);
        self.sync().await;
        let path = format!("/api/email/messages/lookup?message_id={message_id}");
        let found = wait_for("the mail has come in", async || {
            let answer = self.owner.get(&path).await;
            (answer.status == 200).then(|| answer.json(200)).filter(|found| found["email_id"].is_string())
        });
        found.await["email_id"].as_str().unwrap().to_owned()
    }

    /// The mails in a folder of the server, read by the independent programs.
    pub fn held(&self, folder: &str) -> Vec<Value> {
        self.peer.raws(folder).iter().map(|raw| read_mail(raw)).collect()
    }

    /// How many mails lie in a folder of the server.
    pub fn count(&self, folder: &str) -> usize {
        self.peer.counts().get(folder).copied().unwrap_or_default()
    }

    /// Facts of a type that tell of this mail.
    pub async fn told(&self, kind: &str, id: &str) -> Vec<Value> {
        let all = facts(&self.owner, &[kind]).await.into_iter().map(|fact| fact["data"].clone());
        all.filter(|data| data["email_id"] == id).collect()
    }

    /// The end of every test: the client kept to the protocol.
    pub fn assert_correct(&self) {
        assert_eq!(self.sink.violations(), Vec::<String>::new());
    }
}

/// The names of the folders that a mail lies in.
pub fn folders(message: &Value) -> Vec<&str> {
    message["folders"].as_array().unwrap().iter().map(|folder| folder["name"].as_str().unwrap()).collect()
}

/// The addresses in a list of people.
pub fn addresses(people: &Value) -> Vec<&str> {
    people.as_array().unwrap().iter().map(|person| person["email"].as_str().unwrap()).collect()
}

/// The ETag of what was answered.
pub fn etag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no ETag: {answer:?}")).to_owned()
}

/// The digest of a content, as the independent programs write it.
pub fn sha256(content: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, content).as_ref())
}
