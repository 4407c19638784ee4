//! Signing in at Google and Microsoft, and what their tokens are worth afterwards.

mod attacks;
mod microsoft;
mod refusals;
mod secrets;
mod service;
mod signing_in;
mod tokens;

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use duplex::accounts::{Account, Accounts, Providers, Vault};
use duplex::clock::Clock;
use duplex::config::{Config, Source};
use duplex::db::Db;
use duplex::events::Events;
use duplex::ids::AccountId;
use duplex::net::{Net, NetOptions};
use duplex::on_conn;
use duplex_emulators::gmail::control::NewUser;
use duplex_emulators::gmail::oauth::{Client as GoogleClient, Consent, Publishing};
use duplex_emulators::{GmailEmulator, GraphEmulator};
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Settings, TestApp, wait_until};

pub const ANN: &str = "ann@example.com";
pub const BOB: &str = "bob@example.com";
const GOOGLE_CLIENT: &str = "tests.apps.googleusercontent.com";
const GOOGLE_SECRET: &str = "planted-google-client-secret";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";

/// The settings that put an emulator in Google's place.
fn google_settings(settings: &mut Settings, url: &str) {
    settings.set("GOOGLE_CLIENT_ID", GOOGLE_CLIENT).set("GOOGLE_CLIENT_SECRET", GOOGLE_SECRET);
    settings.set("GOOGLE_API_URL", url).set("GOOGLE_PUBSUB_URL", url);
    settings.set("GOOGLE_AUTH_URL", &format!("{url}/o/oauth2/v2/auth"));
    settings.set("GOOGLE_TOKEN_URL", &format!("{url}/token"));
    settings.set("GOOGLE_CERTS_URL", &format!("{url}/oauth2/v3/certs"));
}

/// The application with an emulated Google, two users there, and a signed-in owner.
struct World {
    app: TestApp,
    gmail: GmailEmulator,
    owner: Client,
    settings: Settings,
}

impl World {
    async fn start(backend: Backend) -> Self {
        Self::start_at(backend, Clock::system(), |_| {}).await
    }

    async fn start_at(backend: Backend, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        let gmail = GmailEmulator::start().unwrap();
        gmail.add_user(NewUser { email: ANN.to_owned(), name: "Ann".to_owned(), workspace: true });
        gmail.add_user(NewUser { email: BOB.to_owned(), ..NewUser::default() });
        gmail.add_client(GoogleClient {
            id: GOOGLE_CLIENT.to_owned(),
            secret: GOOGLE_SECRET.to_owned(),
            project: "tests".to_owned(),
            redirect_uris: Vec::new(),
            publishing: Publishing::Production,
        });
        let mut settings = Settings::default();
        let app = TestApp::start_at(backend, clock, |all| {
            google_settings(all, gmail.url());
            change(all);
            settings = all.clone();
        })
        .await;
        gmail.allow_redirect(GOOGLE_CLIENT, &format!("{}/email/callback", app.base));
        let owner = app.owner().await;
        Self { app, gmail, owner, settings }
    }

    /// Begins to connect a Gmail mailbox; gives the address that a browser goes to.
    async fn begin(&self, who: &Client, more: Value) -> String {
        let mut body = json!({ "provider": "gmail" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = who.post("/api/email/accounts/connect", body).await.json(200);
        begun["authorization_url"].as_str().unwrap().to_owned()
    }

    /// Connects a mailbox through the whole redirect, and keeps its sync quiet; gives its id.
    async fn connect(&self, who: &Client, email: &str) -> String {
        let url = self.begin(who, json!({ "login_hint": email })).await;
        let landing = landing(&self.travel(who, &url).await);
        let id = landing.query.get("account_id").unwrap_or_else(|| panic!("{landing:?}")).clone();
        quiet(&self.app, who, &id).await;
        id
    }

    /// Goes to the provider, agrees as it is scripted, and comes back.
    async fn travel(&self, who: &Client, url: &str) -> Answer {
        let path = self.way_back(url).await;
        who.get(&path).await
    }

    /// Goes to the provider and stops before coming back.
    async fn way_back(&self, url: &str) -> String {
        way_back(&self.app, url).await
    }

    fn script(&self, consent: Consent) {
        self.gmail.script_consent(consent);
    }

    /// The mailboxes of this application, as another copy of the process sees them.
    async fn accounts(&self, name: &str) -> Accounts {
        accounts(&self.app, &self.settings, name).await
    }

    async fn account(&self, accounts: &Accounts, id: &str) -> Account {
        account(&self.app, accounts, id).await
    }

    fn token_calls(&self) -> u64 {
        self.gmail.counts().by_name.get("oauth.token").copied().unwrap_or_default()
    }
}

/// Pauses a mailbox and waits until nobody is at it: what these tests count is theirs alone.
async fn quiet(app: &TestApp, owner: &Client, id: &str) {
    owner.post(&format!("/api/email/accounts/{id}/pause"), Value::Null).await.json(200);
    let claimed = "SELECT COUNT(*) AS n FROM email_accounts WHERE claimed_by IS NOT NULL";
    wait_until("the sync has paused", async || count(app, claimed).await == 0).await;
    alter(app, "UPDATE email_accounts SET status = 'active', error_code = NULL, error_message = NULL").await;
}

/// The page on which a person lands.
#[derive(Debug)]
struct Landing {
    page: String,
    query: BTreeMap<String, String>,
}

/// Reads where an answer sends the browser.
#[track_caller]
fn landing(answer: &Answer) -> Landing {
    assert_eq!(answer.status, 302, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let url = url::Url::parse(answer.header("location").unwrap()).unwrap();
    Landing { page: url.path().to_owned(), query: url.query_pairs().into_owned().collect() }
}

/// Where the provider sends a browser that agrees, as a path of the application.
async fn way_back(app: &TestApp, url: &str) -> String {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = http.get(url).send().await.unwrap();
    let status = sent.status().as_u16();
    let location = sent.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    let location = location.unwrap_or_else(|| panic!("{status} without a redirect from {url}"));
    location.strip_prefix(&app.base).unwrap_or_else(|| panic!("sent to {location}")).to_owned()
}

/// The parameters of an address.
fn query(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// The mailboxes of an application, as another copy of the process sees them.
async fn accounts(app: &TestApp, settings: &Settings, name: &str) -> Accounts {
    let config = Config::load(&Source::from_pairs(settings.0.clone())).unwrap();
    let net = Net::new(NetOptions {
        allow_private_networks: true,
        extra_ca_certs: config.extra_ca_certs.clone(),
        ..NetOptions::default()
    })
    .unwrap();
    let vault = Vault::new(&config.keys.encryption).unwrap();
    let providers = Providers::new(&net, &config.google, &config.microsoft, &app.base).unwrap();
    let db = app.database().await;
    Accounts::new(db, app.clock.clone(), net, vault, Events::default(), name).with_providers(providers)
}

async fn account(app: &TestApp, accounts: &Accounts, id: &str) -> Account {
    let id: AccountId = id.parse().unwrap();
    let org = organization(&app.database().await).await;
    accounts.find(org, id).await.unwrap().expect("the mailbox is there")
}

async fn organization(db: &Db) -> duplex::ids::OrgId {
    use diesel::QueryDsl;
    use duplex::db::schema::organizations;
    let mut conn = db.read().await.unwrap();
    on_conn!(&mut conn, |c| organizations::table.select(organizations::id).first(c).await).unwrap()
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

/// Counts by SQL that both databases take.
async fn count(app: &TestApp, sql: &str) -> i64 {
    let mut conn = app.database().await.read().await.unwrap();
    let rows: Vec<Number> = on_conn!(&mut conn, |c| diesel::sql_query(sql).load(c).await).unwrap();
    rows[0].n
}

/// Reads a text by SQL that both databases take.
async fn line(app: &TestApp, sql: &str) -> Option<String> {
    let mut conn = app.database().await.read().await.unwrap();
    let rows: Vec<Line> = on_conn!(&mut conn, |c| diesel::sql_query(sql).load(c).await).unwrap();
    rows.into_iter().next().and_then(|row| row.line)
}

/// Changes rows by SQL that both databases take.
async fn alter(app: &TestApp, sql: &str) {
    let mut conn = app.database().await.write().await.unwrap();
    on_conn!(&mut conn, |c| diesel::sql_query(sql).execute(c).await).unwrap();
}

/// The types of the facts about a mailbox, in order.
async fn facts(app: &TestApp, id: &str) -> Vec<String> {
    let mut conn = app.database().await.read().await.unwrap();
    let sql = "SELECT type || ' ' || CAST(data AS TEXT) AS line FROM events ORDER BY id";
    let rows: Vec<Line> = on_conn!(&mut conn, |c| diesel::sql_query(sql).load(c).await).unwrap();
    let about = rows.into_iter().filter_map(|row| row.line).filter(|line| line.contains(id));
    about.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}
