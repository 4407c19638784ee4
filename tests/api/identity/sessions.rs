//! Signing in and out.

use chrono::Duration;
use duplex::clock::Clock;
use serde_json::json;

use super::{PASSWORD, add, join, text};
use crate::support::{Backend, TestApp};

on_both! {
    async fn a_person_signs_in_and_out(app: TestApp) {
        let owner = app.owner().await;
        add(&owner, "Mia@Acme.example", "member").await;
        let answer = app.nobody().post("/api/session", json!({"email": "mia@ACME.example", "password": PASSWORD})).await;
        let me = answer.json(200);
        assert_eq!((text(&me, "email"), text(&me, "role")), ("Mia@Acme.example", "member"));
        assert!(me.get("password_hash").is_none());
        let cookie = answer.header("set-cookie").unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "the test's address is plain http: {cookie}");

        let mia = app.nobody().session_of(&answer).await;
        let gone = mia.delete("/api/session").await;
        assert_eq!(gone.status, 204);
        assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
        mia.get("/api/me").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn wrong_passwords_unknown_people_and_disabled_ones_look_the_same(app: TestApp) {
        let owner = app.owner().await;
        let id = add(&owner, "mia@acme.example", "member").await["id"].as_str().unwrap().to_owned();
        let nobody = app.nobody();
        let wrong = nobody.post("/api/session", json!({"email": "mia@acme.example", "password": "wrong password"})).await;
        let wrong = wrong.problem(401, "invalid_credentials");
        owner.patch(&format!("/api/users/{id}"), json!({"disabled": true})).await.json(200);
        for (email, password) in [("mia@acme.example", PASSWORD), ("eve@acme.example", PASSWORD), ("nonsense", PASSWORD)] {
            let answer = nobody.post("/api/session", json!({ "email": email, "password": password })).await;
            assert_eq!(answer.problem(401, "invalid_credentials"), wrong);
        }
    }
}

on_both! {
    async fn a_change_by_cookie_needs_the_csrf_token(app: TestApp) {
        let owner = app.owner().await;
        let person = json!({ "email": "eve@acme.example", "name": "Eve", "role": "owner", "password": PASSWORD });
        owner.without_csrf().post("/api/users", person.clone()).await.problem(403, "csrf_failed");
        let forged = [("x-csrf-token", "guess")];
        let body = ("application/json", person.to_string().into_bytes());
        owner.without_csrf().request("POST", "/api/users", &forged, Some(body)).await.problem(403, "csrf_failed");
        owner.without_csrf().get("/api/users").await.json(200);
        owner.post("/api/users", person).await.json(201);
    }
}

on_both! {
    async fn signing_in_again_makes_a_new_token_and_ends_the_old_session(app: TestApp) {
        let owner = app.owner().await;
        let mia = join(&owner, "mia@acme.example", "member").await;
        let sign_in = json!({ "email": "mia@acme.example", "password": PASSWORD });
        let again = mia.post("/api/session", sign_in).await;
        again.json(200);
        mia.get("/api/me").await.problem(401, "unauthenticated");
        app.nobody().session_of(&again).await.get("/api/me").await.json(200);

        let planted = [("cookie", "duplex_session=planted-by-somebody-else")];
        let body = json!({ "email": "mia@acme.example", "password": PASSWORD }).to_string().into_bytes();
        let answer = app.nobody().request("POST", "/api/session", &planted, Some(("application/json", body))).await;
        answer.json(200);
        assert!(!answer.header("set-cookie").unwrap().contains("planted"));
        app.nobody().request("GET", "/api/me", &planted, None).await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn a_person_sees_and_ends_the_own_sessions_only(app: TestApp) {
        let owner = app.owner().await;
        let desk = join(&owner, "mia@acme.example", "member").await;
        let phone = app.nobody().sign_in("mia@acme.example", PASSWORD).await;
        let sessions = desk.all("/api/sessions").await;
        assert_eq!(sessions.len(), 2);
        let other = sessions.iter().find(|session| session["current"] == false).unwrap();
        let path = format!("/api/sessions/{}", text(other, "id"));
        owner.delete(&path).await.problem(404, "not_found");
        assert_eq!(desk.delete(&path).await.status, 204);
        phone.get("/api/me").await.problem(401, "unauthenticated");
        desk.get("/api/me").await.json(200);
        desk.delete("/api/sessions/not-an-id").await.problem(404, "not_found");
    }
}

on_both! {
    async fn a_session_lives_on_while_it_is_used_and_ends_when_it_is_not(backend: Backend) {
        let clock = Clock::fixed(Clock::system().now());
        let app = TestApp::start_at(backend, clock.clone(), |_| {}).await;
        let owner = app.owner().await;
        let before = owner.all("/api/sessions").await;
        clock.advance(Duration::days(10));
        let answer = owner.get("/api/me").await;
        answer.json(200);
        assert!(answer.header("set-cookie").is_some(), "the cookie is renewed");
        crate::support::wait_until("the session is renewed", async || {
            let now = owner.all("/api/sessions").await;
            now.iter().any(|session| session["current"] == true && text(session, "expires_at") > text(&before[0], "expires_at"))
        })
        .await;
        clock.advance(Duration::days(10));
        owner.get("/api/me").await.json(200);
        clock.advance(Duration::days(15));
        owner.get("/api/me").await.problem(401, "unauthenticated");
    }
}

on_both! {
    async fn nobody_reaches_what_is_behind_the_door(app: TestApp) {
        app.owner().await;
        let nobody = app.nobody();
        for path in ["/api/me", "/api/users", "/api/api-keys", "/api/audit", "/api/invitations", "/api/sessions"] {
            nobody.get(path).await.problem(401, "unauthenticated");
        }
        nobody.post("/api/users", json!({})).await.problem(401, "unauthenticated");
        nobody.with_key("dx_unknown").get("/api/me").await.problem(401, "unauthenticated");
        nobody.with_key("not-a-key").get("/api/me").await.problem(401, "unauthenticated");
        let basic = [("authorization", "Basic b2xnYTpvbGdh")];
        nobody.request("GET", "/api/me", &basic, None).await.problem(401, "unauthenticated");
    }
}
