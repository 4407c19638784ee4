//! Service accounts: for themselves, and for the users of a Workspace.

use crate::support::{ANN, Answer, BOB, MODIFY, World};
use duplex_emulators::gmail::oauth::ServiceAccount;
use duplex_emulators::gmail::scopes::names::{PUBSUB, SHARING};
use duplex_emulators::shared::jwt;
use duplex_emulators::shared::keys::TestKey;
use serde_json::{Value, json};

const ROBOT: &str = "robot@tests.iam.gserviceaccount.com";

/// A world with a service account that may act for the users of the Workspace.
pub fn world() -> World {
    let world = World::new();
    let file = world.gmail.add_service_account(ServiceAccount {
        email: ROBOT.to_owned(),
        client_id: "1234567890".to_owned(),
        project: crate::support::PROJECT.to_owned(),
        delegated_scopes: vec![MODIFY.to_owned(), SHARING.to_owned()],
    });
    assert_eq!(file["token_uri"], world.url("/token"));
    assert!(file["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    world
}

async fn ask(world: &World, key: TestKey, changes: &[(&str, Value)]) -> Answer {
    let now = world.gmail.now() / 1000;
    let mut claims = json!({"iss": ROBOT, "scope": PUBSUB, "aud": world.url("/token"), "iat": now, "exp": now + 3600});
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    let assertion = jwt::signed(key, &claims);
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &assertion)
        .finish();
    let request = world.http.post(world.url("/token")).header("Content-Type", "application/x-www-form-urlencoded");
    Answer::of(request.body(body)).await
}

/// A token for the service account itself.
pub async fn own_token(world: &World) -> String {
    let answer = ask(world, TestKey::ServiceAccount, &[]).await.ok();
    assert!(answer.get("refresh_token").is_none());
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_acts_for_a_user_of_the_workspace() {
    let world = world();
    let wants = [("sub", json!(ANN)), ("scope", json!(MODIFY))];
    let answer = ask(&world, TestKey::ServiceAccount, &wants).await.ok();
    let url = world.url("/gmail/v1/users/me/profile");
    let profile = Answer::of(world.http.get(url).bearer_auth(answer["access_token"].as_str().unwrap())).await.ok();
    assert_eq!(profile["emailAddress"], ANN);
}

#[tokio::test]
async fn it_has_no_mailbox_of_its_own() {
    let world = world();
    let token = ask(&world, TestKey::ServiceAccount, &[("scope", json!(MODIFY))]).await.ok();
    let url = world.url("/gmail/v1/users/me/profile");
    let answer = Answer::of(world.http.get(url).bearer_auth(token["access_token"].as_str().unwrap())).await;
    assert_eq!(answer.reason(), (400, "failedPrecondition"));
    assert_eq!(answer.json["error"]["message"], "Precondition check failed.");
}

#[tokio::test]
async fn it_needs_the_administrators_word_for_each_scope_and_user() {
    let world = world();
    for (wants, expected) in [
        ([("sub", json!(ANN)), ("scope", json!("https://mail.google.com/"))], (401, "unauthorized_client")),
        ([("sub", json!(BOB)), ("scope", json!(MODIFY))], (401, "unauthorized_client")),
        ([("sub", json!("nobody@example.com")), ("scope", json!(MODIFY))], (400, "invalid_grant")),
    ] {
        let answer = ask(&world, TestKey::ServiceAccount, &wants).await;
        assert_eq!((answer.status, answer.json["error"].as_str().unwrap()), expected, "{wants:?}");
    }
}

#[tokio::test]
async fn a_false_assertion_is_refused() {
    let world = world();
    let now = world.gmail.now() / 1000;
    let foreign = ask(&world, TestKey::Foreign, &[]).await;
    assert_eq!(foreign.json["error_description"], "Invalid JWT Signature.");
    for change in [
        ("exp", json!(now - 1)),
        ("exp", json!(now + 7200)),
        ("iat", json!(now + 4000)),
        ("aud", json!("https://elsewhere.example/token")),
        ("iss", json!("stranger@tests.iam.gserviceaccount.com")),
    ] {
        let answer = ask(&world, TestKey::ServiceAccount, std::slice::from_ref(&change)).await;
        assert_eq!(answer.json["error"], "invalid_grant", "{change:?}");
    }
    let scope = ask(&world, TestKey::ServiceAccount, &[("scope", json!("made-up"))]).await;
    assert_eq!(scope.json["error"], "invalid_scope");
}

#[tokio::test]
async fn with_the_whole_domains_authority_it_adds_addresses() {
    let world = world();
    let wants = [("sub", json!(ANN)), ("scope", json!(SHARING))];
    let answer = ask(&world, TestKey::ServiceAccount, &wants).await.ok();
    let url = world.url("/gmail/v1/users/me/settings/sendAs");
    let request = world.http.post(url).bearer_auth(answer["access_token"].as_str().unwrap());
    let made = Answer::of(request.json(&json!({"sendAsEmail": "new@example.com"}))).await.ok();
    assert_eq!(made["verificationStatus"], "pending");
}
