//! When the access ends, or the operator's set-up is wrong: words, one fact, and quiet afterwards.

use chrono::Duration;
use duplex::clock::{Clock, Timestamp};
use duplex::providers::ProviderErrorKind as Kind;
use duplex_emulators::gmail::oauth::{Client as GoogleClient, Consent, Death, Publishing};
use duplex_emulators::shared::faults::{Fault, When};
use serde_json::json;

use super::{ANN, GOOGLE_CLIENT, GOOGLE_SECRET, World, alter, facts, landing};
use crate::support::Backend;

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// Lets the access token of every mailbox be over.
async fn expire(world: &World) {
    alter(&world.app, "UPDATE email_accounts SET token_expires_at = created_at").await;
}

on_both! {
    async fn a_scope_that_was_unticked_is_named(backend: Backend) {
        let world = World::start(backend).await;
        // An earlier consent to less is still there, and what is asked for now is not granted.
        let readonly = "https://www.googleapis.com/auth/gmail.readonly";
        world.gmail.grant(ANN, GOOGLE_CLIENT, &[readonly]).unwrap();
        let body = json!({ "access_token": "ya29.x", "refresh_token": "1//x", "expires_in": 3599, "scope": readonly, "token_type": "Bearer" });
        let thin = crate::oauth::secrets::answering(200, body.to_string()).await;
        let other = World::start_at(backend, Clock::system(), |settings| {
            settings.set("GOOGLE_TOKEN_URL", &format!("{thin}/token"));
        }).await;
        let url = other.begin(&other.owner, json!({ "login_hint": ANN })).await;
        let landing = landing(&other.travel(&other.owner, &url).await);
        assert_eq!(landing.query["error"], "oauth_scope_missing");
        let told = other.owner.get(&format!("/api/email/accounts/connect/{}", landing.query["connect_id"])).await.json(200);
        assert!(told["error_message"].as_str().unwrap().contains("gmail.modify"), "{told}");
        assert!(other.owner.all("/api/email/accounts").await.is_empty());
    }
}

on_both! {
    async fn access_for_an_hour_is_no_connection(backend: Backend) {
        let body = json!({ "access_token": "ya29.x", "expires_in": "3599", "token_type": "bearer" });
        let thin = crate::oauth::secrets::answering(200, body.to_string()).await;
        let world = World::start_at(backend, Clock::system(), |settings| {
            settings.set("GOOGLE_TOKEN_URL", &format!("{thin}/token"));
        }).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        assert_eq!(landing(&world.travel(&world.owner, &url).await).query["error"], "oauth_no_refresh_token");
    }
}

on_both! {
    async fn revoked_access_disconnects_the_mailbox_once_and_everybody_stops_calling(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        let tokens = accounts.tokens(&account);
        tokens.current().await.unwrap();
        world.gmail.end_grants(ANN, Death::Revoked);
        expire(&world).await;
        let before = world.token_calls();
        let late = accounts.tokens(&account);
        let errors = futures_util::future::join_all((0..50).map(|_| late.current())).await;
        assert!(errors.iter().all(|error| error.as_ref().unwrap_err().kind == Kind::NeedsPerson));
        assert!(errors.iter().any(|error| error.as_ref().unwrap_err().code == "oauth_revoked"));
        assert!(world.token_calls() - before <= 3, "{} calls after the access had ended", world.token_calls() - before);
        let shown = world.owner.get(&format!("/api/email/accounts/{id}")).await.json(200);
        assert_eq!((&shown["status"], &shown["error_code"]), (&json!("disconnected"), &json!("oauth_revoked")));
        let words = shown["error_message"].as_str().unwrap();
        assert!(words.contains("password") && words.contains("Connect the mailbox again"), "{words}");
        assert!(shown["next_sync_at"].is_null());
        assert_eq!(facts(&world.app, &id).await.iter().filter(|fact| *fact == "account.disconnected").count(), 1);
        // Connected again, it goes on with one fact more.
        assert_eq!(world.connect(&world.owner, ANN).await, id);
        accounts.tokens(&world.account(&accounts, &id).await).current().await.unwrap();
        assert_eq!(facts(&world.app, &id).await.iter().filter(|fact| *fact == "account.connected").count(), 2);
    }
}

on_both! {
    async fn the_seven_days_of_testing_are_told_as_what_they_are(backend: Backend) {
        let clock = Clock::fixed(Timestamp::from(chrono::Utc::now()));
        let world = World::start_at(backend, clock.clone(), |_| {}).await;
        world.gmail.set_publishing(GOOGLE_CLIENT, Publishing::Testing);
        let id = world.connect(&world.owner, ANN).await;
        world.gmail.advance(7 * DAY + DAY / 24);
        clock.advance(Duration::days(7) + Duration::hours(1));
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        let error = accounts.tokens(&account).current().await.unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::NeedsPerson, "oauth_testing_expired"));
        let shown = world.account(&accounts, &id).await;
        let words = shown.error_message.unwrap();
        assert!(words.contains("Testing") && words.contains("recurs every 7 days") && words.contains("Internal"), "{words}");
    }
}

on_both! {
    async fn a_wrong_client_secret_is_the_operators_error_and_heals(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        let client = |secret: &str| GoogleClient {
            id: GOOGLE_CLIENT.to_owned(),
            secret: secret.to_owned(),
            project: "tests".to_owned(),
            redirect_uris: vec![format!("{}/email/callback", world.app.base)],
            publishing: Publishing::Production,
        };
        world.gmail.add_client(client("changed by the operator"));
        let told = || async { facts(&world.app, &id).await.iter().filter(|fact| *fact == "account.error").count() };
        let before = told().await;
        expire(&world).await;
        let error = accounts.tokens(&account).current().await.unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::NeedsOperator, "oauth_client_rejected"));
        assert!(error.detail.contains("GOOGLE_CLIENT_SECRET") && error.detail.contains("operator"));
        let shown = world.account(&accounts, &id).await;
        assert_eq!((shown.status.as_str(), shown.error_code.as_deref()), ("error", Some("oauth_client_rejected")));
        assert_eq!(told().await, before + 1);
        world.gmail.add_client(client(GOOGLE_SECRET));
        let again = world.accounts("third").await;
        again.tokens(&account).current().await.unwrap();
        // At the sign-in the person is told whose error it is.
        world.gmail.add_client(client("changed by the operator"));
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        assert_eq!(landing(&world.travel(&world.owner, &url).await).query["error"], "oauth_client_rejected");
    }
}

on_both! {
    async fn a_sign_in_service_that_is_away_for_a_moment_is_asked_again(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        for fault in [Fault::ServerError { status: 503 }, Fault::Html { status: 502 }] {
            world.gmail.clear_faults();
            world.gmail.add_fault("oauth.token", When::Next(2), fault).unwrap();
            expire(&world).await;
            accounts.tokens(&account).current().await.unwrap();
        }
        world.gmail.clear_faults();
        world.gmail.add_fault("oauth.token", When::Always, Fault::ServerError { status: 500 }).unwrap();
        expire(&world).await;
        let error = accounts.tokens(&account).current().await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable);
        assert_ne!(world.account(&accounts, &id).await.status.as_str(), "disconnected");
    }
}

on_both! {
    async fn what_an_api_says_about_the_access_counts_unless_it_was_renewed_since(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let accounts = world.accounts("other").await;
        let before = world.account(&accounts, &id).await;
        let error = duplex::providers::ProviderError::new(Kind::NeedsPerson, "oauth_scope_missing", "A scope is missing.");
        assert_eq!(world.connect(&world.owner, ANN).await, id);
        assert!(!accounts.give_up(&before, &error).await, "it was connected anew since");
        let now = world.account(&accounts, &id).await;
        assert!(accounts.give_up(&now, &error).await);
        assert!(!accounts.give_up(&now, &error).await, "once");
        assert_eq!(world.account(&accounts, &id).await.status.as_str(), "disconnected");
        let error = accounts.tokens(&now).current().await.unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::NeedsPerson, "account_disconnected"));
    }
}

on_both! {
    async fn consent_can_be_refused_in_many_words(backend: Backend) {
        let world = World::start(backend).await;
        for (error, code) in [
            ("access_denied", "access_denied"), ("admin_policy_enforced", "oauth_policy"), ("server_error", "provider_unavailable"),
            ("invalid_scope", "oauth_scope_refused"), ("<b>call us</b>", "oauth_refused"),
        ] {
            world.script(Consent { error: Some(error.to_owned()), ..Consent::default() });
            let url = world.begin(&world.owner, json!({})).await;
            let landing = landing(&world.travel(&world.owner, &url).await);
            assert_eq!(landing.query["error"], code);
            let told = world.owner.get(&format!("/api/email/accounts/connect/{}", landing.query["connect_id"])).await.json(200);
            assert!(!told["error_message"].as_str().unwrap().contains("call us"));
        }
    }
}
