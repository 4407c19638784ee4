//! The same at Microsoft, with its own ways: refresh tokens that are replaced, numbers behind errors, shared mailboxes, and
//! applications that an administrator lets in.

use duplex::providers::ProviderErrorKind as Kind;
use duplex_emulators::graph::control::NewUser;
use duplex_emulators::graph::directory::{HOME_TENANT, MailboxState};
use duplex_emulators::graph::oauth::{Client as GraphClient, Consent, Death, Secret};
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::{Value, json};

use super::*;

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const SECRET: &str = "planted-microsoft-client-secret";
const SALES: &str = "sales@example.com";

struct Office {
    app: TestApp,
    graph: GraphEmulator,
    owner: Client,
    settings: Settings,
}

impl Office {
    async fn start(backend: Backend, tenant: &str) -> Self {
        let graph = GraphEmulator::start().unwrap();
        let ann = NewUser {
            email: ANN.to_owned(),
            name: "Ann".to_owned(),
            aliases: vec!["a.lee@example.com".to_owned()],
            ..NewUser::default()
        };
        graph.add_user(ann);
        graph.add_user(NewUser { email: BOB.to_owned(), ..NewUser::default() });
        graph.add_user(NewUser { email: SALES.to_owned(), name: "Sales".to_owned(), ..NewUser::default() });
        graph.add_client(GraphClient {
            id: CLIENT.to_owned(),
            secrets: vec![Secret { value: SECRET.to_owned(), is_expired: false }],
            ..GraphClient::default()
        });
        let mut settings = Settings::default();
        let app = TestApp::start_with(backend, |all| {
            all.set("MICROSOFT_CLIENT_ID", CLIENT).set("MICROSOFT_CLIENT_SECRET", SECRET);
            all.set("MICROSOFT_TENANT_ID", tenant);
            all.set("MICROSOFT_GRAPH_URL", graph.url()).set("MICROSOFT_LOGIN_URL", graph.url());
            settings = all.clone();
        })
        .await;
        graph.allow_redirect(CLIENT, &format!("{}/email/callback", app.base));
        let owner = app.owner().await;
        Self { app, graph, owner, settings }
    }

    async fn begin(&self, more: Value) -> String {
        let mut body = json!({ "provider": "outlook" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let begun = self.owner.post("/api/email/accounts/connect", body).await.json(200);
        begun["authorization_url"].as_str().unwrap().to_owned()
    }

    async fn travel(&self, url: &str) -> Landing {
        landing(&self.owner.get(&way_back(&self.app, url).await).await)
    }

    async fn connect(&self, more: Value) -> String {
        let landing = self.travel(&self.begin(more).await).await;
        let id = landing.query.get("account_id").unwrap_or_else(|| panic!("{landing:?}")).clone();
        quiet(&self.app, &self.owner, &id).await;
        id
    }

    async fn expire(&self) {
        alter(&self.app, "UPDATE email_accounts SET token_expires_at = created_at").await;
    }

    async fn told(&self, landing: &Landing) -> String {
        let path = format!("/api/email/accounts/connect/{}", landing.query["connect_id"]);
        self.owner.get(&path).await.json(200)["error_message"].as_str().unwrap().to_owned()
    }
}

on_both! {
    async fn a_person_connects_an_outlook_mailbox(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let url = office.begin(json!({ "login_hint": ANN })).await;
        assert!(url.starts_with(&format!("{}/common/oauth2/v2.0/authorize?", office.graph.url())));
        let asked = query(&url);
        for (name, value) in [("response_mode", "query"), ("prompt", "select_account"), ("code_challenge_method", "S256"),
            ("scope", "offline_access openid email User.Read Mail.ReadWrite Mail.Send")] {
            assert_eq!(asked[name], value, "{name}");
        }
        let id = office.travel(&url).await.query["account_id"].clone();
        let shown = office.owner.get(&format!("/api/email/accounts/{id}")).await.json(200);
        assert_eq!((&shown["provider"], &shown["email_address"], &shown["display_name"]), (&json!("outlook"), &json!(ANN), &json!("Ann")));
        assert_eq!(shown["aliases"], json!(["a.lee@example.com"]));
        let accounts = accounts(&office.app, &office.settings, "other").await;
        let account = account(&office.app, &accounts, &id).await;
        assert_eq!(account.graph_user(), None);
        accounts.tokens(&account).current().await.unwrap();
    }
}

on_both! {
    async fn a_replaced_refresh_token_is_kept_and_used_next(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let id = office.connect(json!({ "login_hint": ANN })).await;
        let accounts = accounts(&office.app, &office.settings, "other").await;
        let account = account(&office.app, &accounts, &id).await;
        let sealed = || line(&office.app, match office.app.backend {
            Backend::Sqlite => "SELECT hex(refresh_token) AS line FROM email_accounts",
            Backend::Postgres => "SELECT encode(refresh_token, 'hex') AS line FROM email_accounts",
        });
        let mut seen = vec![sealed().await];
        for round in 1..=3 {
            office.expire().await;
            accounts.tokens(&account).current().await.unwrap();
            let now = sealed().await;
            assert!(!seen.contains(&now), "a new one is kept each time");
            seen.push(now);
            let (given, used) = office.graph.refresh_tokens(ANN);
            assert_eq!((given, used), (round + 1, round), "and the newest is used");
        }
    }
}

on_both! {
    async fn an_answer_that_is_lost_costs_nothing(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let id = office.connect(json!({ "login_hint": ANN })).await;
        let accounts = accounts(&office.app, &office.settings, "other").await;
        let account = account(&office.app, &accounts, &id).await;
        for fault in [Fault::LostAnswer, Fault::TruncatedJson, Fault::CutBody] {
            office.graph.add_fault("oauth.token", When::Next(1), fault).unwrap();
            office.expire().await;
            accounts.tokens(&account).current().await.unwrap();
        }
    }
}

on_both! {
    async fn what_microsoft_refuses_is_told_in_words(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let id = office.connect(json!({ "login_hint": ANN })).await;
        for (death, code, words) in [
            (Death::Revoked, "oauth_revoked", "password was reset"),
            (Death::Inactive, "oauth_expired", "90 days"),
            (Death::ConsentWithdrawn, "oauth_consent_required", "consent"),
            (Death::SecondFactor, "oauth_interaction_required", "second factor"),
            (Death::ExternalChallenge, "oauth_interaction_required", "sign in again"),
            (Death::ConsentRequired, "oauth_consent_required", "administrator"),
            (Death::UserDisabled, "oauth_account_blocked", "blocked"),
        ] {
            let accounts = accounts(&office.app, &office.settings, "other").await;
            let account = account(&office.app, &accounts, &id).await;
            office.graph.end_grants(ANN, death);
            office.expire().await;
            let error = accounts.tokens(&account).current().await.unwrap_err();
            assert_eq!((error.kind, error.code), (Kind::NeedsPerson, code), "{death:?}");
            let shown = office.owner.get(&format!("/api/email/accounts/{id}")).await.json(200);
            assert_eq!((&shown["status"], &shown["error_code"]), (&json!("disconnected"), &json!(code)));
            assert!(shown["error_message"].as_str().unwrap().contains(words), "{shown}");
            office.graph.mend_grants(ANN);
            assert_eq!(office.connect(json!({ "login_hint": ANN })).await, id);
        }
        assert_eq!(facts(&office.app, &id).await.iter().filter(|fact| *fact == "account.disconnected").count(), 7);
    }
}

on_both! {
    async fn a_client_secret_that_is_over_is_the_operators_error(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let id = office.connect(json!({ "login_hint": ANN })).await;
        let accounts = accounts(&office.app, &office.settings, "other").await;
        let account = account(&office.app, &accounts, &id).await;
        office.graph.expire_secrets(CLIENT, None);
        office.expire().await;
        let error = accounts.tokens(&account).current().await.unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::NeedsOperator, "oauth_client_rejected"));
        assert!(error.detail.contains("expired") && error.detail.contains("MICROSOFT_CLIENT_SECRET"));
        let landing = office.travel(&office.begin(json!({ "login_hint": ANN })).await).await;
        assert_eq!(landing.query["error"], "oauth_client_rejected");
    }
}

on_both! {
    async fn a_consent_that_is_not_given_is_told_in_words(backend: Backend) {
        let office = Office::start(backend, "common").await;
        office.graph.script_consent(Consent { error: Some("access_denied".to_owned()), ..Consent::default() });
        let landing = office.travel(&office.begin(json!({ "login_hint": ANN })).await).await;
        assert_eq!(landing.query["error"], "access_denied");
        office.graph.set_user_consent(HOME_TENANT, false);
        let landing = office.travel(&office.begin(json!({ "login_hint": ANN })).await).await;
        assert_eq!(landing.query["error"], "oauth_consent_required");
        assert!(office.told(&landing).await.contains("administrator"));
        office.graph.set_user_consent(HOME_TENANT, true);
        office.graph.set_mailbox(ANN, MailboxState::NotEnabled);
        let landing = office.travel(&office.begin(json!({ "login_hint": ANN })).await).await;
        assert_eq!(landing.query["error"], "provider_mailbox_unusable");
        assert!(office.owner.all("/api/email/accounts").await.is_empty());
    }
}

on_both! {
    async fn a_mailbox_is_the_same_under_another_of_its_addresses(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let id = office.connect(json!({ "login_hint": ANN })).await;
        let renamed = NewUser { email: "ann.lee@example.com".to_owned(), aliases: vec![ANN.to_owned()], ..NewUser::default() };
        office.graph.remove_user(ANN);
        office.graph.add_user(renamed);
        let begun = office.owner.post(&format!("/api/email/accounts/{id}/reconnect"), json!({})).await.json(200);
        let landing = office.travel(begun["authorization_url"].as_str().unwrap()).await;
        assert_eq!(landing.query["account_id"], id);
        let shown = office.owner.get(&format!("/api/email/accounts/{id}")).await.json(200);
        assert!(shown["aliases"].as_array().unwrap().contains(&json!("ann.lee@example.com")), "{shown}");
        office.graph.script_consent(Consent { user: Some(BOB.to_owned()), ..Consent::default() });
        let begun = office.owner.post(&format!("/api/email/accounts/{id}/reconnect"), json!({})).await.json(200);
        let landing = office.travel(begun["authorization_url"].as_str().unwrap()).await;
        assert_eq!(landing.query["error"], "oauth_other_mailbox");
    }
}

on_both! {
    async fn a_shared_mailbox_is_opened_by_who_shares_in_it(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let via = office.connect(json!({ "login_hint": ANN })).await;
        let order = json!({ "provider": "outlook", "email_address": SALES, "shared_via": via });
        let path = "/api/email/accounts";
        // Neither the person agreed to shared mailboxes yet, nor does this one let her in.
        let refused = office.owner.post(path, order.clone()).await.problem(422, "oauth_scope_missing");
        assert!(refused["detail"].as_str().unwrap().contains("shared"), "{refused}");
        assert_eq!(office.owner.get(&format!("{path}/{via}")).await.json(200)["error_code"], json!(null));
        let again = office.owner.post(&format!("{path}/{via}/reconnect"), json!({ "shared": true })).await.json(200);
        office.travel(again["authorization_url"].as_str().unwrap()).await;
        office.owner.post(path, order.clone()).await.problem(422, "provider_access_denied");
        office.graph.share(SALES, ANN);
        let shared = office.owner.post(path, order.clone()).await.json(201);
        assert_eq!((&shared["credentials"], &shared["shared_via"], &shared["email_address"]), (&json!("shared"), &json!(via), &json!(SALES)));
        office.owner.post(path, order).await.problem(409, "account_exists");
        let id = shared["id"].as_str().unwrap();
        quiet(&office.app, &office.owner, id).await;
        let accounts = accounts(&office.app, &office.settings, "other").await;
        let mailbox = account(&office.app, &accounts, id).await;
        assert_eq!(mailbox.graph_user(), Some(SALES));
        let token = accounts.tokens(&mailbox).current().await.unwrap();
        let inbox = format!("{}/v1.0/users/{SALES}/mailFolders/inbox", office.graph.url());
        let opened = reqwest::Client::new().get(inbox).bearer_auth(token.expose()).header("Prefer", "IdType=\"ImmutableId\"").send();
        assert_eq!(opened.await.unwrap().status().as_u16(), 200);
        office.owner.post(&format!("{path}/{id}/reconnect"), json!({})).await.problem(422, "provider_not_available");
        // With the one it hangs on it waits, and goes on.
        office.graph.end_grants(ANN, Death::Revoked);
        office.expire().await;
        let error = accounts.tokens(&mailbox).current().await.unwrap_err();
        assert_eq!(error.kind, Kind::NeedsPerson);
        assert!(accounts.give_up(&account(&office.app, &accounts, id).await, &error).await);
        office.graph.mend_grants(ANN);
        office.connect(json!({ "login_hint": ANN, "shared": true })).await;
        let revived = facts(&office.app, id).await;
        assert_eq!(revived.iter().filter(|fact| *fact == "account.connected").count(), 2, "{revived:?}");
        assert_eq!(account(&office.app, &accounts, id).await.status.as_str(), "active");
    }
}

on_both! {
    async fn a_whole_tenant_is_opened_by_its_administrator(backend: Backend) {
        let office = Office::start(backend, HOME_TENANT).await;
        let path = "/api/email/accounts";
        let order = json!({ "provider": "outlook", "email_address": SALES, "credentials": "service" });
        office.owner.post(path, order.clone()).await.json(422);
        office.graph.allow_roles(HOME_TENANT, CLIENT, &["Mail.ReadWrite", "Mail.Send"]);
        let made = office.owner.post(path, order).await.json(201);
        assert_eq!((&made["credentials"], &made["email_address"]), (&json!("service"), &json!(SALES)));
        let accounts = accounts(&office.app, &office.settings, "other").await;
        quiet(&office.app, &office.owner, made["id"].as_str().unwrap()).await;
        let mailbox = account(&office.app, &accounts, made["id"].as_str().unwrap()).await;
        assert_eq!(mailbox.graph_user(), Some(SALES));
        accounts.tokens(&mailbox).current().await.unwrap();
        let unknown = json!({ "provider": "outlook", "email_address": "nobody@example.com", "credentials": "service" });
        office.owner.post(path, unknown).await.problem(422, "provider_mailbox_unusable");
        let person = json!({ "email": "mia@acme.example", "name": "Mia", "role": "member", "password": "seven green bottles" });
        office.owner.post("/api/users", person).await.json(201);
        let mia = office.app.nobody().sign_in("mia@acme.example", "seven green bottles").await;
        let hers = json!({ "provider": "outlook", "email_address": BOB, "credentials": "service" });
        mia.post(path, hers).await.problem(403, "forbidden");
    }
}

on_both! {
    async fn a_whole_tenant_needs_its_id(backend: Backend) {
        let office = Office::start(backend, "common").await;
        let order = json!({ "provider": "outlook", "email_address": SALES, "credentials": "service" });
        let refused = office.owner.post("/api/email/accounts", order).await.problem(422, "provider_not_configured");
        assert!(refused["detail"].as_str().unwrap().contains("MICROSOFT_TENANT_ID"));
    }
}
