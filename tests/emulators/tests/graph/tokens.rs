//! Tokens: given, renewed, refused; and what they open.

use crate::oauth::{SCOPE, VERIFIER, authorize, back};
use crate::support::{ANN, Answer, BACK, BOB, CLIENT, World};
use duplex_emulators::graph::control::NewUser;
use duplex_emulators::graph::directory::{HOME_TENANT, MailboxState};
use duplex_emulators::graph::oauth::{Client, Death};
use duplex_emulators::shared::jwt::{self, Token};
use duplex_emulators::shared::keys::TestKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

async fn token(world: &World, tenant: &str, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.http.post(world.url(&format!("/{tenant}/oauth2/v2.0/token")));
    Answer::of(request.header("Content-Type", "application/x-www-form-urlencoded").body(body)).await
}

async fn exchange(world: &World, code: &str, changes: &[(&str, &str)]) -> Answer {
    let usual = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", "secret"),
        ("redirect_uri", BACK),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("scope", SCOPE),
    ];
    let mut form: BTreeMap<&str, &str> = usual.into_iter().collect();
    form.extend(changes.iter().copied());
    form.retain(|_, value| !value.is_empty());
    token(world, "common", &form.into_iter().collect::<Vec<_>>()).await
}

async fn refresh(world: &World, refresh_token: &str, changes: &[(&str, &str)]) -> Answer {
    let usual = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT),
        ("client_secret", "secret"),
        ("refresh_token", refresh_token),
    ];
    let mut form: BTreeMap<&str, &str> = usual.into_iter().collect();
    form.extend(changes.iter().copied());
    form.retain(|_, value| !value.is_empty());
    token(world, "common", &form.into_iter().collect::<Vec<_>>()).await
}

async fn code(world: &World) -> String {
    back(&authorize(world, "common", &[]).await)["code"].clone()
}

/// Status, error and number of a refusal.
fn refusal(answer: &Answer) -> (u16, &str, u64) {
    let number = answer.json["error_codes"][0].as_u64().unwrap_or_default();
    assert!(answer.json["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
    (answer.status, answer.json["error"].as_str().unwrap(), number)
}

#[tokio::test]
async fn a_code_gives_tokens_that_open_the_mailbox() {
    let world = World::new();
    let given = exchange(&world, &code(&world).await, &[("nonce", "")]).await.ok();
    let life = given["expires_in"].as_i64().unwrap();
    assert!((3600..=5400).contains(&life) && given["token_type"] == "Bearer");
    let scope = given["scope"].as_str().unwrap().to_lowercase();
    assert!(scope.contains("mail.readwrite") && !scope.contains("offline_access"));
    let identity = Token::parse(given["id_token"].as_str().unwrap()).unwrap();
    assert!(identity.is_signed_by(TestKey::FirstSigning));
    assert_eq!((identity.text("preferred_username"), identity.text("tid")), (Some(ANN), Some(HOME_TENANT)));
    let me = world.http.get(world.url("/v1.0/me")).bearer_auth(given["access_token"].as_str().unwrap());
    let me = Answer::of(me).await.ok();
    assert_eq!((&me["mail"], &me["userPrincipalName"]), (&json!(ANN), &json!(ANN)));
    assert!(me.get("proxyAddresses").is_none());
}

#[tokio::test]
async fn a_code_works_once_and_only_for_who_asked() {
    let world = World::new();
    for (changes, expected) in [
        ([("code_verifier", "wrong")], (400, "invalid_grant", 501_481)),
        ([("code_verifier", "")], (400, "invalid_grant", 501_481)),
        ([("redirect_uri", "https://crm.example/other")], (400, "invalid_grant", 500_112)),
        ([("client_secret", "wrong")], (401, "invalid_client", 7_000_215)),
        ([("client_secret", "")], (401, "invalid_client", 7_000_218)),
        ([("client_id", "unknown")], (400, "unauthorized_client", 700_016)),
        ([("code", "nonsense")], (400, "invalid_grant", 9_002_313)),
        ([("scope", "Mail.Send https://outlook.office.com/SMTP.Send")], (400, "invalid_scope", 28_000)),
        ([("grant_type", "password")], (400, "unsupported_grant_type", 70_003)),
    ] {
        let answer = exchange(&world, &code(&world).await, &changes).await;
        assert_eq!(refusal(&answer), expected, "{changes:?}");
    }
    let code = code(&world).await;
    exchange(&world, &code, &[]).await.ok();
    assert_eq!(refusal(&exchange(&world, &code, &[]).await), (400, "invalid_grant", 54_005));
    let late = back(&authorize(&world, "common", &[]).await)["code"].clone();
    world.graph.advance(Duration::from_secs(601));
    assert_eq!(refusal(&exchange(&world, &late, &[]).await), (400, "invalid_grant", 70_008));
}

#[tokio::test]
async fn every_refresh_gives_a_new_token_and_leaves_the_old_one_alive() {
    let world = World::new();
    let first = world.refresh_token.clone();
    let second = refresh(&world, &first, &[]).await.ok();
    let second = second["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    let third = refresh(&world, &first, &[]).await.ok();
    assert_ne!(third["refresh_token"], second);
    assert_eq!(world.graph.refresh_tokens(ANN), (3, 1));
    world.graph.advance(Duration::from_secs(60 * 24 * 3600));
    let newest = refresh(&world, second, &[]).await.ok();
    world.graph.advance(Duration::from_secs(60 * 24 * 3600));
    assert_eq!(refusal(&refresh(&world, second, &[]).await), (400, "invalid_grant", 700_082));
    refresh(&world, newest["refresh_token"].as_str().unwrap(), &[]).await.ok();
}

#[tokio::test]
async fn a_dead_grant_says_why() {
    let world = World::new();
    for (death, expected) in [
        (Death::Revoked, (400, "invalid_grant", 50_173)),
        (Death::Inactive, (400, "invalid_grant", 700_082)),
        (Death::UserDisabled, (400, "invalid_grant", 50_057)),
        (Death::SecondFactor, (400, "interaction_required", 50_076)),
        (Death::ExternalChallenge, (400, "interaction_required", 50_158)),
        (Death::ConsentRequired, (400, "consent_required", 65_001)),
        (Death::Unavailable, (503, "temporarily_unavailable", 90_033)),
        (Death::ConsentWithdrawn, (400, "invalid_grant", 65_001)),
    ] {
        assert_eq!(world.graph.end_grants(ANN, death), 1);
        let answer = refresh(&world, &world.refresh_token, &[]).await;
        assert_eq!(refusal(&answer), expected);
        let suberror = answer.json["suberror"].as_str();
        assert_eq!(suberror == Some("consent_required"), death == Death::ConsentWithdrawn, "{suberror:?}");
    }
    assert_eq!(world.get("me").await.code(), (401, "InvalidAuthenticationToken"));
    let fresh = World::new();
    fresh.graph.end_grants(ANN, Death::SecondFactor);
    assert_eq!(fresh.get("me").await.status, 200, "the access token lives on");
    fresh.graph.mend_grants(ANN).unwrap();
    refresh(&fresh, &fresh.refresh_token, &[]).await.ok();
}

#[tokio::test]
async fn secrets_end_and_are_replaced() {
    let world = World::new();
    world.graph.expire_secrets(CLIENT, Some("newer")).unwrap();
    let answer = refresh(&world, &world.refresh_token, &[]).await;
    assert_eq!(refusal(&answer), (401, "invalid_client", 7_000_222));
    refresh(&world, &world.refresh_token, &[("client_secret", "newer")]).await.ok();
}

#[tokio::test]
async fn a_token_is_for_one_resource() {
    let world = World::new();
    let imap = "https://outlook.office.com/IMAP.AccessAsUser.All";
    let sent = authorize(&world, "common", &[("scope", &format!("offline_access {imap}"))]).await;
    let given = exchange(&world, &back(&sent)["code"], &[("scope", &format!("offline_access {imap}"))]).await.ok();
    let other = Answer::of(world.http.get(world.url("/v1.0/me")).bearer_auth(given["access_token"].as_str().unwrap()));
    assert_eq!(other.await.code(), (401, "InvalidAuthenticationToken"));
    let renewed = refresh(&world, given["refresh_token"].as_str().unwrap(), &[("scope", "Mail.ReadWrite")]).await.ok();
    let me = world.http.get(world.url("/v1.0/me/mailFolders")).bearer_auth(renewed["access_token"].as_str().unwrap());
    assert_eq!(Answer::of(me).await.status, 200, "a refresh token redeems either");
    let answer = refresh(&world, &world.refresh_token, &[("scope", "MailboxSettings.Read")]).await;
    assert_eq!(refusal(&answer), (400, "invalid_grant", 65_001));
}

#[tokio::test]
async fn an_application_acts_by_itself_for_an_organisation() {
    let world = World::new();
    let form = |scope: &'static str| {
        [("grant_type", "client_credentials"), ("client_id", CLIENT), ("client_secret", "secret"), ("scope", scope)]
    };
    let graph = form("https://graph.microsoft.com/.default");
    assert_eq!(refusal(&token(&world, HOME_TENANT, &graph).await), (400, "unauthorized_client", 700_016));
    world.graph.allow_roles(HOME_TENANT, CLIENT, &["Mail.ReadWrite"]);
    assert_eq!(refusal(&token(&world, "common", &graph).await), (400, "invalid_request", 50_059));
    let answer = token(&world, HOME_TENANT, &form("Mail.ReadWrite")).await;
    assert_eq!(refusal(&answer), (400, "invalid_scope", 1_002_012));
    let given = token(&world, "example.com", &graph).await.ok();
    assert!(given.get("refresh_token").is_none());
    let get = async |path: &str| {
        Answer::of(world.http.get(world.url(path)).bearer_auth(given["access_token"].as_str().unwrap())).await
    };
    assert_eq!(get("/v1.0/me/messages").await.code(), (400, "BadRequest"));
    assert_eq!(get("/v1.0/users/ann@example.com/messages").await.status, 200);
    assert_eq!(get("/v1.0/users/ann@example.com").await.code(), (403, "Authorization_RequestDenied"));
    assert_eq!(get("/v1.0/users/nobody@example.com/messages").await.code(), (404, "Request_ResourceNotFound"));
    world.graph.limit_mailboxes(CLIENT, Some(vec![BOB.to_owned()])).unwrap();
    assert_eq!(get("/v1.0/users/ann@example.com/messages").await.code(), (403, "ErrorAccessDenied"));
    assert_eq!(get("/v1.0/users/bob@example.com/messages").await.status, 200);
}

#[tokio::test]
async fn a_signed_assertion_stands_for_a_secret() {
    let world = World::new();
    let id = "33333333-2222-4333-8444-555555555555";
    world.graph.add_client(Client { id: id.to_owned(), has_certificate: true, ..Client::default() });
    world.graph.allow_roles(HOME_TENANT, id, &["Mail.Read"]);
    let now = world.graph.now() / 1000;
    let audience = world.url(&format!("/{HOME_TENANT}/oauth2/v2.0/token"));
    let claims = json!({"aud": audience, "iss": id, "sub": id, "jti": "1", "nbf": now, "exp": now + 300});
    for (key, expected) in [(TestKey::ServiceAccount, 200), (TestKey::Foreign, 401)] {
        let assertion = jwt::signed(key, &claims);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        assert_eq!(token(&world, HOME_TENANT, &form).await.status, expected);
    }
}

#[tokio::test]
async fn tokens_are_refused_in_words() {
    let world = World::new();
    let bare = Answer::of(world.http.get(world.url("/v1.0/me"))).await;
    assert_eq!(bare.code(), (401, "InvalidAuthenticationToken"));
    assert!(bare.header("www-authenticate").starts_with("Bearer "));
    world.graph.challenge_access_tokens(ANN).unwrap();
    let challenged = world.get("me").await;
    assert!(challenged.status == 401 && challenged.header("www-authenticate").contains("claims="));
    let given = refresh(&world, &world.refresh_token, &[]).await.ok();
    let me = world.http.get(world.url("/v1.0/me")).bearer_auth(given["access_token"].as_str().unwrap());
    assert_eq!(Answer::of(me).await.status, 200);
    world.graph.advance(Duration::from_secs(5401));
    assert_eq!(world.get("me").await.status, 401);
}

#[tokio::test]
async fn scopes_open_what_they_say_and_no_more() {
    let reader = World::with_scopes(&["User.Read", "Mail.Read"]);
    assert_eq!(reader.get("me/messages").await.status, 200);
    assert_eq!(reader.post("me/mailFolders", json!({"displayName": "X"})).await.code(), (403, "ErrorAccessDenied"));
    let sender = World::with_scopes(&["Mail.Send"]);
    assert_eq!(sender.get("me/messages").await.code(), (403, "ErrorAccessDenied"));
    assert_eq!(sender.get("me").await.code(), (403, "Authorization_RequestDenied"));
}

#[tokio::test]
async fn another_mailbox_opens_only_where_it_is_shared() {
    let world = World::with_scopes(&["User.Read", "Mail.ReadWrite", "Mail.ReadWrite.Shared"]);
    let path = format!("users/{BOB}/mailFolders");
    assert_eq!(world.get(&path).await.code(), (403, "ErrorAccessDenied"));
    world.graph.share(BOB, ANN).unwrap();
    assert_eq!(world.get(&path).await.status, 200);
    assert_eq!(World::new().get(&path).await.code(), (403, "ErrorAccessDenied"));
    assert_eq!(world.get(&format!("users/{ANN}/mailFolders")).await.status, 200);
}

#[tokio::test]
async fn a_mailbox_may_be_none() {
    let world = World::new();
    world.graph.set_mailbox(ANN, MailboxState::NotEnabled).unwrap();
    assert_eq!(world.get("me/messages").await.code(), (404, "MailboxNotEnabledForRESTAPI"));
    world.graph.set_mailbox(ANN, MailboxState::OnPremises).unwrap();
    assert_eq!(world.get("me/mailFolders").await.code(), (404, "MailboxNotSupportedForRESTAPI"));
    assert_eq!(world.get("me").await.status, 200);
}

#[tokio::test]
async fn addresses_come_when_they_are_selected() {
    let world = World::new();
    let aliases = vec!["a.smith@example.com".to_owned()];
    let upn = Some("ann.smith@example.com".to_owned());
    let user = NewUser { email: ANN.to_owned(), aliases, user_principal_name: upn, ..NewUser::default() };
    world.graph.add_user(user);
    let me = world.get("me?$select=mail,proxyAddresses,userPrincipalName").await.ok();
    assert_eq!(me["proxyAddresses"], json!(["SMTP:ann@example.com", "smtp:a.smith@example.com"]));
    assert_eq!(me["userPrincipalName"], "ann.smith@example.com");
    assert_eq!(me.get("displayName"), None::<&Value>);
    assert_eq!(world.get("users/ann.smith@example.com").await.status, 200);
    assert_eq!(world.get("me?$select=address").await.status, 400);
}

#[tokio::test]
async fn the_configuration_names_everything() {
    let world = World::new();
    let configuration =
        Answer::of(world.http.get(world.url("/common/v2.0/.well-known/openid-configuration"))).await.ok();
    let keys = world.http.get(configuration["jwks_uri"].as_str().unwrap());
    assert_eq!(Answer::of(keys).await.ok()["keys"][0]["kty"], "RSA");
    assert!(configuration["token_endpoint"].as_str().unwrap().ends_with("/common/oauth2/v2.0/token"));
}
