//! A Gmail for the tests: the emulator with one person's mailbox, connected as a person would connect it.

use super::client::Client;
use super::settings::Settings;
use super::wait::wait_for;
use duplex_emulators::GmailEmulator;
use duplex_emulators::gmail::control::{MailIds, NewUser, Seed};
use duplex_emulators::gmail::oauth::{Client as OAuthClient, Publishing};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The person whose mailbox it is.
pub const ANN: &str = "ann@gmail.example";
/// The OAuth client that Duplex is.
pub const CLIENT: &str = "duplex-tests.apps.googleusercontent.com";
/// The Google project of that client.
pub const PROJECT: &str = "duplex-tests";

/// What both sides can be compared by: folders, read, starred.
pub type MailState = (BTreeSet<String>, bool, bool);

/// The emulator with Ann's mailbox.
pub struct GmailWorld {
    pub gmail: GmailEmulator,
}

impl GmailWorld {
    /// Starts it; nothing is limited or slow.
    pub fn start() -> Self {
        let gmail = GmailEmulator::start().unwrap();
        gmail.add_user(NewUser { email: ANN.to_owned(), name: "Ann".to_owned(), workspace: false });
        gmail.add_client(OAuthClient {
            id: CLIENT.to_owned(),
            secret: "a client's secret".to_owned(),
            project: PROJECT.to_owned(),
            redirect_uris: Vec::new(),
            publishing: Publishing::Production,
        });
        gmail.change_settings(|settings| settings.quota_scale = None);
        Self { gmail }
    }

    /// Points an application at it.
    pub fn set(&self, settings: &mut Settings) {
        let url = self.gmail.url();
        settings
            .set("GOOGLE_CLIENT_ID", CLIENT)
            .set("GOOGLE_CLIENT_SECRET", "a client's secret")
            .set("GOOGLE_API_URL", url)
            .set("GOOGLE_AUTH_URL", &format!("{url}/o/oauth2/v2/auth"))
            .set("GOOGLE_TOKEN_URL", &format!("{url}/token"))
            .set("GOOGLE_CERTS_URL", &format!("{url}/oauth2/v3/certs"))
            .set("GOOGLE_PUBSUB_URL", url)
            .set("GMAIL_QUOTA_PER_MINUTE", "6000000");
    }

    /// Connects Ann's mailbox through the whole redirect; answers its id.
    pub async fn connect(&self, base: &str, owner: &Client) -> String {
        self.gmail.allow_redirect(CLIENT, &format!("{base}/email/callback"));
        let key = owner.post("/api/api-keys", json!({"name": "connects"})).await.json(201);
        let connecting = owner.with_key(key["key"].as_str().unwrap());
        let wish = json!({"provider": "gmail", "login_hint": ANN});
        let begun = connecting.post("/api/email/accounts/connect", wish).await.json(200);
        let back = location(begun["authorization_url"].as_str().unwrap()).await;
        let end = location(&back).await;
        let end = url::Url::parse(base).unwrap().join(&end).unwrap();
        let told: BTreeMap<_, _> = end.query_pairs().into_owned().collect();
        told.get("account_id").unwrap_or_else(|| panic!("not connected: {end}")).clone()
    }

    /// Puts a mail into Ann's mailbox; with the usual labels unless others are given.
    pub fn mail(&self, number: u32, labels: Option<&[&str]>) -> MailIds {
        let raw = format!(
            "From: Carl <carl@customer.example>\r\nTo: {ANN}\r\nSubject: Mail {number}\r\n\
             Message-ID: <{number}@customer.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nText {number}.\r\n"
        );
        let labels = labels.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect());
        let at = 1_700_000_000_000 + i64::from(number) * 1_000;
        self.gmail.add_mail(ANN, Seed { raw, labels, internal_date: Some(at), ..Seed::default() }).unwrap()
    }

    /// What lies in Ann's mailbox, by the ids of mails.
    pub fn states(&self) -> BTreeMap<String, MailState> {
        let dump = self.gmail.dump(ANN).unwrap();
        let names: BTreeMap<&str, &str> = dump["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| (label["id"].as_str().unwrap(), label["name"].as_str().unwrap()))
            .collect();
        let state = |mail: &Value| {
            let labels: BTreeSet<&str> = mail["labels"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            // What lies in the trash shows nowhere else.
            let shown = labels.iter().filter(|label| **label == "TRASH" || !labels.contains("TRASH"));
            let folders = shown.filter_map(|label| folder(label, names.get(label).copied())).collect();
            (folders, !labels.contains("UNREAD"), labels.contains("STARRED"))
        };
        let mails = dump["mails"].as_array().unwrap().iter();
        let mails = mails.filter(|mail| !has(mail, "SPAM") && !has(mail, "CHAT"));
        mails.map(|mail| (mail["id"].as_str().unwrap().to_owned(), state(mail))).collect()
    }

    /// Waits until both sides hold the same mails in the same folders with the same flags.
    pub async fn converged(&self, owner: &Client, account: &str) {
        wait_for("both sides to be the same", async || {
            let (here, there) = (states(owner, account).await, self.states());
            (here == there).then_some(())
        })
        .await;
    }
}

fn has(mail: &Value, label: &str) -> bool {
    mail["labels"].as_array().unwrap().iter().any(|it| it == label)
}

/// The folder that a label is shown as.
fn folder(label: &str, name: Option<&str>) -> Option<String> {
    let known = match label {
        "INBOX" => "Inbox",
        "SENT" => "Sent",
        "DRAFT" => "Drafts",
        "TRASH" => "Trash",
        _ if label.starts_with("Label_") => name?,
        _ => return None,
    };
    Some(known.to_owned())
}

/// What Duplex holds of a mailbox, by the provider's ids.
pub async fn states(owner: &Client, account: &str) -> BTreeMap<String, MailState> {
    let mails = owner.all(&format!("/api/email/messages?account_id={account}&limit=200")).await;
    let state = |mail: &Value| {
        let folders = mail["folders"].as_array().unwrap().iter();
        let folders = folders.map(|folder| folder["name"].as_str().unwrap().to_owned());
        let folders = folders.filter(|name| name != "All Mail").collect();
        (folders, mail["is_read"] == true, mail["is_starred"] == true)
    };
    mails.iter().map(|mail| (mail["external_id"].as_str().unwrap().to_owned(), state(mail))).collect()
}

/// Waits until the first import is done.
pub async fn live(owner: &Client, account: &str) -> Value {
    let path = format!("/api/email/accounts/{account}");
    wait_for("the first import to end", async || {
        let shown = owner.get(&path).await.json(200);
        (shown["phase"] == "live" && shown["last_sync_at"].is_string()).then_some(shown)
    })
    .await
}

/// Asks for a sync and waits until a pass has ended that began after that.
pub async fn sync(owner: &Client, account: &str) {
    let path = format!("/api/email/accounts/{account}");
    let before = owner.get(&path).await.json(200)["last_sync_at"].clone();
    owner.post(&format!("{path}/sync"), json!({})).await.json(202);
    wait_for("a pass to end", async || {
        let shown = owner.get(&path).await.json(200);
        (shown["last_sync_at"] != before).then_some(())
    })
    .await;
}

/// Where an address sends a browser to.
pub async fn location(url: &str) -> String {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(url).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    match to {
        Some(to) => to,
        None => panic!("{url} does not lead on: {}", answer.text().await.unwrap()),
    }
}
