//! What RFC 9700 warns of: states that are forged, replayed, late or somebody else's, and redirects to elsewhere.

use chrono::Duration;
use duplex::clock::{Clock, Timestamp};
use duplex_emulators::gmail::oauth::Consent;
use serde_json::json;

use super::{ANN, World, count, landing, query};
use crate::support::Backend;

on_both! {
    async fn a_state_that_is_none_of_ours_connects_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let genuine = world.way_back(&url).await;
        let state = query(&format!("{}{genuine}", world.app.base))["state"].clone();
        let before = world.token_calls();
        for path in [
            "/email/callback".to_owned(),
            "/email/callback?code=x".to_owned(),
            "/email/callback?state=&code=x".to_owned(),
            format!("/email/callback?state={}&code=x", "A".repeat(43)),
            "/email/callback?state=%00%ff%zz&code=%zz&error=%0d%0aSet-Cookie:x".to_owned(),
            genuine.replace(&state, &state.to_lowercase()),
            genuine.replace(&state, &format!("{state}=")),
        ] {
            let landing = landing(&world.owner.get(&path).await);
            assert_eq!((landing.page.as_str(), landing.query["error"].as_str()), ("/connect", "oauth_state_invalid"), "{path}");
        }
        assert_eq!(world.token_calls(), before, "no code was exchanged");
        assert_eq!(count(&world.app, "SELECT COUNT(*) AS n FROM email_accounts").await, 0);
        // And the genuine one still works.
        assert!(landing(&world.owner.get(&genuine).await).query.contains_key("account_id"));
    }
}

on_both! {
    async fn a_state_counts_once(backend: Backend) {
        let world = World::start(backend).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let path = world.way_back(&url).await;
        let answers = futures_util::future::join_all((0..8).map(|_| world.owner.get(&path))).await;
        let ends: Vec<_> = answers.iter().map(landing).collect();
        assert_eq!(ends.iter().filter(|end| end.query.contains_key("account_id")).count(), 1, "{ends:?}");
        let replayed = ends.iter().filter(|end| end.query.get("error").is_some_and(|code| code == "oauth_state_used"));
        assert_eq!(replayed.count(), 7);
        assert_eq!(world.token_calls(), 1);
        // A consent that was denied uses the state up as well.
        world.script(Consent { error: Some("access_denied".to_owned()), ..Consent::default() });
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let denied = world.way_back(&url).await;
        assert_eq!(landing(&world.owner.get(&denied).await).query["error"], "access_denied");
        assert_eq!(landing(&world.owner.get(&denied).await).query["error"], "oauth_state_used");
    }
}

on_both! {
    async fn a_state_ends_after_ten_minutes(backend: Backend) {
        let clock = Clock::fixed(Timestamp::from(chrono::Utc::now()));
        let world = World::start_at(backend, clock.clone(), |_| {}).await;
        let url = world.begin(&world.owner, json!({ "login_hint": ANN })).await;
        let path = world.way_back(&url).await;
        clock.advance(Duration::seconds(601));
        assert_eq!(landing(&world.owner.get(&path).await).query["error"], "oauth_state_expired");
        assert_eq!(world.token_calls(), 0);
        assert_eq!(count(&world.app, "SELECT COUNT(*) AS n FROM email_accounts").await, 0);
    }
}

on_both! {
    async fn only_the_browser_that_began_can_end_it(backend: Backend) {
        let world = World::start(backend).await;
        let person = json!({ "email": "mia@acme.example", "name": "Mia", "role": "member", "password": "seven green bottles" });
        world.owner.post("/api/users", person).await.json(201);
        let mia = world.app.nobody().sign_in("mia@acme.example", "seven green bottles").await;
        let url = world.begin(&mia, json!({ "login_hint": ANN })).await;
        let path = world.way_back(&url).await;
        // Somebody is lured to the address that an attacker prepared, or nobody is signed in there, or the same person elsewhere.
        let elsewhere = world.app.nobody().sign_in("mia@acme.example", "seven green bottles").await;
        for who in [&world.owner, &world.app.nobody(), &elsewhere] {
            let landing = landing(&who.get(&path).await);
            assert_eq!(landing.query["error"], "oauth_session_mismatch");
            assert!(!landing.query.contains_key("connect_id"));
        }
        assert_eq!(world.token_calls(), 0);
        // That has not used it up for the one who began.
        assert!(landing(&mia.get(&path).await).query.contains_key("account_id"));
    }
}

on_both! {
    async fn a_code_of_another_sign_in_is_not_taken(backend: Backend) {
        let world = World::start(backend).await;
        let (one, other) = (
            world.begin(&world.owner, json!({ "login_hint": ANN })).await,
            world.begin(&world.owner, json!({ "login_hint": ANN })).await,
        );
        let stolen = query(&format!("{}{}", world.app.base, world.way_back(&one).await))["code"].clone();
        let mine = query(&format!("{}{}", world.app.base, world.way_back(&other).await))["state"].clone();
        let code: String = url::form_urlencoded::byte_serialize(stolen.as_bytes()).collect();
        let landing = landing(&world.owner.get(&format!("/email/callback?state={mine}&code={code}")).await);
        assert_eq!(landing.query["error"], "oauth_code_refused", "the verifier does not fit");
        assert_eq!(count(&world.app, "SELECT COUNT(*) AS n FROM email_accounts").await, 0);
    }
}

on_both! {
    async fn nobody_is_sent_to_another_site(backend: Backend) {
        let world = World::start(backend).await;
        for return_to in [
            "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "inbox", "",
            "http://127.0.0.1:1/", "/a\r\nSet-Cookie: x=y",
        ] {
            let body = json!({ "provider": "gmail", "return_to": return_to });
            world.owner.post("/api/email/accounts/connect", body).await.problem(422, "validation_failed");
        }
        let whole = format!("{}/settings", world.app.base);
        let url = world.begin(&world.owner, json!({ "login_hint": ANN, "return_to": whole })).await;
        assert_eq!(landing(&world.travel(&world.owner, &url).await).page, "/settings");
    }
}

on_both! {
    async fn connecting_needs_a_token_of_the_page_or_a_key_that_may_write(backend: Backend) {
        let world = World::start(backend).await;
        let body = json!({ "provider": "gmail" });
        let path = "/api/email/accounts/connect";
        world.app.nobody().post(path, body.clone()).await.problem(401, "unauthenticated");
        world.owner.without_csrf().post(path, body.clone()).await.problem(403, "csrf_failed");
        let made = world.owner.post("/api/api-keys", json!({ "name": "r", "scopes": ["read"] })).await.json(201);
        let reader = world.owner.with_key(made["key"].as_str().unwrap());
        reader.post(path, body).await.problem(403, "forbidden");
        world.owner.post(path, json!({ "provider": "imap" })).await.problem(422, "provider_not_available");
        world.owner.post(path, json!({ "provider": "outlook" })).await.problem(422, "provider_not_configured");
        world.owner.post(path, json!({ "provider": "gmail", "redirect_uri": "x" })).await.problem(422, "validation_failed");
    }
}
