//! Sign-in, tokens, revocation.

use crate::support::{ANN, Answer, CLIENT, MODIFY, World};
use data_encoding::BASE64URL_NOPAD;
use duplex_emulators::gmail::oauth::{Consent, Death, Publishing};
use duplex_emulators::shared::jwt::Token;
use duplex_emulators::shared::keys::TestKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const BACK: &str = "https://crm.example/back";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-letters-0123456789";

fn challenge() -> String {
    BASE64URL_NOPAD.encode(ring::digest::digest(&ring::digest::SHA256, VERIFIER.as_bytes()).as_ref())
}

/// The usual request with some parameters changed; an empty value leaves one out.
async fn authorize(world: &World, changes: &[(&str, &str)]) -> Answer {
    let challenge = challenge();
    let usual = [
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", MODIFY),
        ("state", "our-state"),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("login_hint", ANN),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut query: BTreeMap<&str, &str> = usual.into_iter().collect();
    query.extend(changes.iter().copied());
    query.retain(|_, value| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    Answer::of(world.http.get(world.url(&format!("/o/oauth2/v2/auth?{query}")))).await
}

/// The parameters the person is sent back with.
fn back(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let url = url::Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with(BACK));
    url.query_pairs().into_owned().collect()
}

async fn post(world: &World, path: &str, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.http.post(world.url(path)).header("Content-Type", "application/x-www-form-urlencoded");
    Answer::of(request.body(body)).await
}

async fn exchange(world: &World, code: &str, changes: &[(&str, &str)]) -> Answer {
    let usual = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", "secret"),
        ("redirect_uri", BACK),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    let mut form: BTreeMap<&str, &str> = usual.into_iter().collect();
    form.extend(changes.iter().copied());
    form.retain(|_, value| !value.is_empty());
    post(world, "/token", &form.into_iter().collect::<Vec<_>>()).await
}

async fn refresh(world: &World, token: &str) -> Answer {
    let form =
        [("grant_type", "refresh_token"), ("client_id", CLIENT), ("client_secret", "secret"), ("refresh_token", token)];
    post(world, "/token", &form).await
}

async fn code(world: &World) -> String {
    back(&authorize(world, &[]).await)["code"].clone()
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.json["error"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_person_signs_in_and_the_client_gets_tokens() {
    let world = World::new();
    let back = back(&authorize(&world, &[("scope", &format!("openid email {MODIFY}")), ("nonce", "n1")]).await);
    assert_eq!(back["state"], "our-state");
    let tokens = exchange(&world, &back["code"], &[]).await.ok();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3599)));
    assert!(tokens["scope"].as_str().unwrap().contains(MODIFY) && tokens["refresh_token"].is_string());
    assert!(tokens.get("refresh_token_expires_in").is_none());
    let identity = Token::parse(tokens["id_token"].as_str().unwrap()).unwrap();
    assert!(identity.is_signed_by(TestKey::FirstSigning));
    assert_eq!((identity.text("email"), identity.text("nonce")), (Some(ANN), Some("n1")));

    let refreshed = refresh(&world, tokens["refresh_token"].as_str().unwrap()).await.ok();
    assert!(refreshed.get("refresh_token").is_none(), "a refresh token is not rotated");
    let profile = world.http.get(world.url("/gmail/v1/users/me/profile"));
    let profile = Answer::of(profile.bearer_auth(refreshed["access_token"].as_str().unwrap())).await.ok();
    assert_eq!(profile["emailAddress"], ANN);
}

#[tokio::test]
async fn a_code_works_once_and_takes_its_tokens_with_it_when_it_comes_again() {
    let world = World::new();
    let code = code(&world).await;
    let tokens = exchange(&world, &code, &[]).await.ok();
    assert_eq!(error(&exchange(&world, &code, &[]).await), (400, "invalid_grant"));
    assert_eq!(error(&refresh(&world, tokens["refresh_token"].as_str().unwrap()).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_code_is_bound_to_its_verifier_redirect_client_and_time() {
    let world = World::new();
    for (changes, expected) in [
        ([("code_verifier", "")], (400, "invalid_grant")),
        ([("code_verifier", "another-verifier-of-at-least-forty-three-letters")], (400, "invalid_grant")),
        ([("redirect_uri", "https://crm.example/other")], (400, "redirect_uri_mismatch")),
        ([("client_secret", "wrong")], (401, "invalid_client")),
        ([("client_secret", "")], (400, "invalid_request")),
        ([("client_id", "unknown")], (401, "invalid_client")),
        ([("code", "4/0made-up")], (400, "invalid_grant")),
        ([("grant_type", "password")], (400, "unsupported_grant_type")),
    ] {
        let code = code(&world).await;
        assert_eq!(error(&exchange(&world, &code, &changes).await), expected, "{changes:?}");
    }
    let code = code(&world).await;
    world.gmail.advance(Duration::from_secs(601));
    assert_eq!(error(&exchange(&world, &code, &[]).await), (400, "invalid_grant"));
    let json = world.http.post(world.url("/token")).json(&json!({"grant_type": "refresh_token"}));
    assert_eq!(error(&Answer::of(json).await), (400, "invalid_request"));
}

#[tokio::test]
async fn a_wrong_request_for_consent_ends_on_a_page_and_sends_nobody_back() {
    let world = World::new();
    for (change, status) in [
        (("client_id", "unknown"), 401),
        (("redirect_uri", "https://evil.example/"), 400),
        (("redirect_uri", "https://crm.example/back/"), 400),
        (("response_type", "token"), 400),
        (("scope", ""), 400),
        (("scope", "https://www.googleapis.com/auth/gmail.everything"), 400),
        (("access_type", "always"), 400),
        (("code_challenge_method", "MD5"), 400),
        (("code_challenge", "short"), 400),
        (("code_challenge", ""), 400),
    ] {
        let answer = authorize(&world, &[change]).await;
        assert_eq!(answer.status, status, "{change:?}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test]
async fn a_person_can_refuse_or_untick_scopes_or_be_somebody_else() {
    let world = World::new();
    world.gmail.script_consent(Consent { error: Some("access_denied".to_owned()), ..Consent::default() });
    let denied = back(&authorize(&world, &[]).await);
    assert_eq!((denied["error"].as_str(), denied["state"].as_str()), ("access_denied", "our-state"));
    assert!(!denied.contains_key("code"));

    let scopes = Some(vec!["openid".to_owned()]);
    world.gmail.script_consent(Consent { scopes, ..Consent::default() });
    let some = back(&authorize(&world, &[("scope", &format!("openid {MODIFY}"))]).await);
    assert_eq!(exchange(&world, &some["code"], &[]).await.ok()["scope"], "openid");

    let user = Some("bob@example.com".to_owned());
    world.gmail.script_consent(Consent { user, ..Consent::default() });
    let other = exchange(&world, &code(&world).await, &[]).await.ok();
    let profile = world.http.get(world.url("/gmail/v1/users/me/profile"));
    let profile = Answer::of(profile.bearer_auth(other["access_token"].as_str().unwrap())).await.ok();
    assert_eq!(profile["emailAddress"], "bob@example.com");
}

#[tokio::test]
async fn a_refresh_token_comes_the_first_time_or_with_a_fresh_consent() {
    let world = World::new();
    let user = || Consent { user: Some("bob@example.com".to_owned()), ..Consent::default() };
    let mut given = Vec::new();
    for changes in [&[("prompt", "")][..], &[("prompt", "")], &[], &[("access_type", "online")]] {
        world.gmail.script_consent(user());
        let code = back(&authorize(&world, changes).await)["code"].clone();
        given.push(exchange(&world, &code, &[]).await.ok()["refresh_token"].is_string());
    }
    assert_eq!(given, [true, false, true, false]);
}

#[tokio::test]
async fn refresh_tokens_of_a_client_in_testing_live_seven_days() {
    let world = World::new();
    world.gmail.set_publishing(CLIENT, Publishing::Testing);
    let tokens = exchange(&world, &code(&world).await, &[]).await.ok();
    assert_eq!(tokens["refresh_token_expires_in"], 604_799);
    let token = tokens["refresh_token"].as_str().unwrap();
    world.gmail.advance(Duration::from_secs(6 * 86_400));
    refresh(&world, token).await.ok();
    world.gmail.advance(Duration::from_secs(86_400));
    let answer = refresh(&world, token).await;
    assert_eq!(answer.json["error_description"], "Token has been expired or revoked.");
    assert_eq!(error(&refresh(&world, &world.refresh_token).await).0, 200, "another client's age does not count");
}

#[tokio::test]
async fn grants_end_in_every_way() {
    for (death, expected) in [
        (Death::Revoked, (400, "invalid_grant")),
        (Death::PasswordChanged, (400, "invalid_grant")),
        (Death::AdminPolicy, (400, "admin_policy_enforced")),
    ] {
        let world = World::new();
        assert_eq!(world.gmail.end_grants(ANN, death), 1);
        assert_eq!(error(&refresh(&world, &world.refresh_token).await), expected);
        assert_eq!(world.get("profile").await.status, 401);
    }
    let world = World::with_scopes(&["openid"]);
    assert_eq!(world.gmail.end_grants(ANN, Death::PasswordChanged), 0, "only grants with Gmail's scopes");
    world.gmail.advance(Duration::from_secs(184 * 86_400));
    assert_eq!(error(&refresh(&world, &world.refresh_token).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn the_oldest_of_too_many_refresh_tokens_dies_without_a_word() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.most_refresh_tokens = 2);
    for _ in 0..2 {
        exchange(&world, &code(&world).await, &[]).await.ok();
    }
    assert_eq!(error(&refresh(&world, &world.refresh_token).await), (400, "invalid_grant"));
}

#[tokio::test]
async fn revoking_either_token_ends_both() {
    for by_access in [true, false] {
        let world = World::new();
        let token = if by_access { &world.token } else { &world.refresh_token };
        assert_eq!(post(&world, "/revoke", &[("token", token)]).await.status, 200);
        assert_eq!(world.get("profile").await.status, 401);
        assert_eq!(error(&refresh(&world, &world.refresh_token).await), (400, "invalid_grant"));
        assert_eq!(error(&post(&world, "/revoke", &[("token", token)]).await), (400, "invalid_token"));
    }
}

#[tokio::test]
async fn an_access_token_can_die_early_and_is_refreshed() {
    let world = World::new();
    world.gmail.forget_access_tokens(ANN);
    assert_eq!(world.get("profile").await.status, 401);
    refresh(&world, &world.refresh_token).await.ok();
}

#[tokio::test]
async fn keys_and_endpoints_are_published() {
    let world = World::new();
    let configuration = Answer::of(world.http.get(world.url("/.well-known/openid-configuration"))).await.ok();
    let keys = Answer::of(world.http.get(configuration["jwks_uri"].as_str().unwrap())).await;
    assert!(keys.header("cache-control").contains("max-age=20000"));
    assert_eq!(keys.json["keys"].as_array().unwrap().len(), 1);
    assert_eq!((&keys.json["keys"][0]["alg"], &keys.json["keys"][0]["e"]), (&json!("RS256"), &json!("AQAB")));
    world.gmail.rotate_signing_key();
    let keys = Answer::of(world.http.get(configuration["jwks_uri"].as_str().unwrap())).await.ok();
    let ids: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(ids, ["test-only-second", "test-only-first"]);
}

#[tokio::test]
async fn a_person_at_the_demo_decides_on_a_page() {
    let world = World::new();
    world.gmail.change_settings(|settings| settings.asks_for_consent = true);
    let page = authorize(&world, &[]).await;
    assert!(page.status == 200 && page.text.contains("consent_user") && page.text.contains(MODIFY));
    let mut form = vec![
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", MODIFY),
        ("state", "our-state"),
        ("consent_user", ANN),
        ("consent_scope", MODIFY),
        ("consent_decision", "allow"),
    ];
    let allowed = back(&post(&world, "/o/oauth2/v2/auth", &form).await);
    assert!(allowed.contains_key("code") && allowed["state"] == "our-state");
    form.pop();
    assert_eq!(back(&post(&world, "/o/oauth2/v2/auth", &form).await)["error"], "access_denied");
}
