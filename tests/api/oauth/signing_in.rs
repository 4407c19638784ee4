//! The whole way: to the provider, its page of consent, and back.

use duplex_emulators::gmail::oauth::{Consent, Publishing};
use serde_json::json;

use super::{ANN, BOB, GOOGLE_CLIENT, MODIFY, World, count, facts, landing, line, query};
use crate::support::Backend;

on_both! {
    async fn a_person_connects_a_gmail_mailbox(backend: Backend) {
        let world = World::start(backend).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let asked = query(&url);
        for (name, value) in [
            ("response_type", "code"), ("client_id", GOOGLE_CLIENT), ("access_type", "offline"), ("prompt", "consent"),
            ("include_granted_scopes", "true"), ("code_challenge_method", "S256"), ("login_hint", ANN), ("scope", MODIFY),
        ] {
            assert_eq!(asked[name], value, "{name}");
        }
        assert_eq!(asked["redirect_uri"], format!("{}/email/callback", world.app.base));
        assert!(asked["state"].len() >= 43 && asked["code_challenge"].len() == 43);

        let landing = landing(&world.travel(&world.owner, &url).await);
        assert_eq!(landing.page, "/connect");
        let id = landing.query["account_id"].clone();
        assert!(!landing.query.contains_key("error") && !landing.query.contains_key("warning"));
        let shown = world.owner.get(&format!("/api/email/accounts/{id}")).await.json(200);
        assert_eq!((&shown["provider"], &shown["email_address"]), (&json!("gmail"), &json!(ANN)));
        assert_eq!((&shown["credentials"], &shown["imap"]), (&json!("own"), &json!(null)));
        assert_eq!(facts(&world.app, &id).await[0], "account.connected");
        let entries = world.owner.all(&format!("/api/audit?object_id={id}")).await;
        assert_eq!(entries.iter().filter(|entry| entry["action"] == "account.connected").count(), 1);

        let accounts = world.accounts("other").await;
        let account = world.account(&accounts, &id).await;
        let before = world.token_calls();
        accounts.tokens(&account).current().await.unwrap();
        assert_eq!(world.token_calls(), before, "the first token is still good");
    }
}

on_both! {
    async fn a_program_begins_and_a_browser_without_a_session_ends_it(backend: Backend) {
        let world = World::start(backend).await;
        let made = world.owner.post("/api/api-keys", json!({ "name": "crm" })).await.json(201);
        let crm = world.owner.with_key(made["key"].as_str().unwrap());
        let url = world.begin(&crm, json!({ "login_hint": BOB, "return_to": "/inbox?view=all" })).await;
        let landing = landing(&world.travel(&world.app.nobody(), &url).await);
        assert_eq!((landing.page.as_str(), landing.query["view"].as_str()), ("/inbox", "all"));
        let id = &landing.query["account_id"];
        assert_eq!(crm.get(&format!("/api/email/accounts/{id}")).await.json(200)["email_address"], BOB);
    }
}

on_both! {
    async fn how_it_ended_can_be_asked_for_by_who_began(backend: Backend) {
        let world = World::start(backend).await;
        let body = json!({ "provider": "gmail", "login_hint": ANN });
        let begun = world.owner.post("/api/email/accounts/connect", body).await;
        assert_eq!(begun.header("cache-control"), Some("no-store"), "no cache keeps the state");
        let begun = begun.json(200);
        let path = format!("/api/email/accounts/connect/{}", begun["connect_id"].as_str().unwrap());
        assert_eq!(world.owner.get(&path).await.json(200)["state"], "pending");
        world.script(Consent { error: Some("access_denied".to_owned()), ..Consent::default() });
        let landing = landing(&world.travel(&world.owner, begun["authorization_url"].as_str().unwrap()).await);
        assert_eq!((landing.page.as_str(), landing.query["error"].as_str()), ("/connect", "access_denied"));
        assert_eq!(landing.query["connect_id"], begun["connect_id"].as_str().unwrap());
        let told = world.owner.get(&path).await.json(200);
        assert_eq!((&told["state"], &told["error_code"]), (&json!("failed"), &json!("access_denied")));
        assert!(told["error_message"].as_str().unwrap().contains("Google"));
        world.app.nobody().get(&path).await.problem(401, "unauthenticated");
        assert!(world.owner.all("/api/email/accounts").await.is_empty());
    }
}

on_both! {
    async fn a_mailbox_that_is_connected_again_stays_the_same_mailbox(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let path = format!("/api/email/accounts/{id}/reconnect");
        let begun = world.owner.post(&path, json!({ "return_to": format!("/mailboxes/{id}") })).await.json(200);
        let url = begun["authorization_url"].as_str().unwrap();
        assert_eq!(query(url)["login_hint"], ANN);
        let landing = landing(&world.travel(&world.owner, url).await);
        assert_eq!((landing.page, landing.query["account_id"].clone()), (format!("/mailboxes/{id}"), id.clone()));
        // Whoever connects the same mailbox as if it were new gets the one that is there.
        assert_eq!(world.connect(&world.owner, ANN).await, id);
        // A request without a body does as well.
        world.owner.request("POST", &path, &[], None).await.json(200);
        assert_eq!(world.owner.all("/api/email/accounts").await.len(), 1);
        let connected = facts(&world.app, &id).await.iter().filter(|fact| *fact == "account.connected").count();
        assert_eq!(connected, 1);
        let password = json!({ "password": "x" });
        world.owner.post(&path, password).await.problem(422, "validation_failed");
    }
}

on_both! {
    async fn another_mailbox_in_its_place_is_refused_with_both_named(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let before = line(&world.app, "SELECT CAST(granted_at AS TEXT) AS line FROM oauth_grants").await;
        let begun = world.owner.post(&format!("/api/email/accounts/{id}/reconnect"), json!({})).await.json(200);
        world.script(Consent { user: Some(BOB.to_owned()), ..Consent::default() });
        let landing = landing(&world.travel(&world.owner, begun["authorization_url"].as_str().unwrap()).await);
        assert_eq!(landing.query["error"], "oauth_other_mailbox");
        assert!(!landing.query.values().any(|value| value.contains('@')), "no address travels in an address: {landing:?}");
        let told = world.owner.get(&format!("/api/email/accounts/connect/{}", landing.query["connect_id"])).await.json(200);
        let words = told["error_message"].as_str().unwrap();
        assert!(words.contains(ANN) && words.contains(BOB), "{words}");
        assert_eq!(line(&world.app, "SELECT CAST(granted_at AS TEXT) AS line FROM oauth_grants").await, before);
        assert_eq!(world.owner.all("/api/email/accounts").await.len(), 1);
    }
}

on_both! {
    async fn a_mailbox_whose_mail_was_kept_comes_back_to_life(backend: Backend) {
        let world = World::start(backend).await;
        let id = world.connect(&world.owner, ANN).await;
        let path = format!("/api/email/accounts/{id}");
        world.owner.delete(&format!("{path}?keep_mail=true")).await.json(204);
        assert_eq!(count(&world.app, "SELECT COUNT(*) AS n FROM oauth_grants").await, 0);
        crate::support::wait_until("the access is given back to Google", async || {
            world.gmail.counts().by_name.contains_key("oauth.revoke")
        }).await;
        assert_eq!(world.owner.get(&path).await.json(200)["error_code"], "removed");
        assert_eq!(world.connect(&world.owner, ANN).await, id);
        assert_ne!(world.owner.get(&path).await.json(200)["error_code"], "removed");
    }
}

on_both! {
    async fn the_access_is_kept_while_somebody_else_here_hangs_on_it(backend: Backend) {
        let world = World::start(backend).await;
        let person = json!({ "email": "mia@acme.example", "name": "Mia", "role": "member", "password": "seven green bottles" });
        world.owner.post("/api/users", person).await.json(201);
        let mia = world.app.nobody().sign_in("mia@acme.example", "seven green bottles").await;
        let (mine, hers) = (world.connect(&world.owner, ANN).await, world.connect(&mia, ANN).await);
        assert_ne!(mine, hers);
        world.owner.delete(&format!("/api/email/accounts/{mine}?keep_mail=true")).await.json(204);
        mia.delete(&format!("/api/email/accounts/{hers}?keep_mail=true")).await.json(204);
        crate::support::wait_until("the last one gives it back", async || {
            world.gmail.counts().by_name.contains_key("oauth.revoke")
        }).await;
        assert_eq!(world.gmail.counts().by_name["oauth.revoke"], 1);
    }
}

on_both! {
    async fn a_project_in_testing_is_told_of_at_once(backend: Backend) {
        let world = World::start(backend).await;
        world.gmail.set_publishing(GOOGLE_CLIENT, Publishing::Testing);
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let landing = landing(&world.travel(&world.owner, &url).await);
        assert_eq!(landing.query["warning"], "oauth_testing");
        assert!(landing.query.contains_key("account_id"));
    }
}
