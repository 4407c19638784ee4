//! Sign-in: the page of consent and what it sends back.

use crate::support::{ANN, Answer, BACK, BOB, CLIENT, World};
use data_encoding::BASE64URL_NOPAD;
use duplex_emulators::graph::control::NewUser;
use duplex_emulators::graph::directory::HOME_TENANT;
use duplex_emulators::graph::oauth::Consent;
use std::collections::BTreeMap;

pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-letters-0123456789";
pub const SCOPE: &str = "offline_access openid email User.Read Mail.ReadWrite Mail.Send";

fn challenge() -> String {
    BASE64URL_NOPAD.encode(ring::digest::digest(&ring::digest::SHA256, VERIFIER.as_bytes()).as_ref())
}

/// The usual request with some parameters changed; an empty value leaves one out.
pub async fn authorize(world: &World, tenant: &str, changes: &[(&str, &str)]) -> Answer {
    let challenge = challenge();
    let usual = [
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", SCOPE),
        ("state", "our-state"),
        ("login_hint", ANN),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut query: BTreeMap<&str, &str> = usual.into_iter().collect();
    query.extend(changes.iter().copied());
    query.retain(|_, value| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    Answer::of(world.http.get(world.url(&format!("/{tenant}/oauth2/v2.0/authorize?{query}")))).await
}

/// The parameters the person is sent back with.
pub fn back(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let url = url::Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with(BACK));
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_person_is_sent_back_with_a_code() {
    let world = World::new();
    let sent = back(&authorize(&world, "common", &[]).await);
    assert!(sent["code"].len() > 50 && sent["state"] == "our-state");
    for tenant in ["organizations", HOME_TENANT, "example.com"] {
        assert!(back(&authorize(&world, tenant, &[]).await).contains_key("code"), "{tenant}");
    }
}

#[tokio::test]
async fn mistakes_of_the_application_stay_on_the_page() {
    let world = World::new();
    for (changes, number) in [
        ([("client_id", "22222222-2222-4333-8444-555555555555")], "AADSTS700016"),
        ([("redirect_uri", "https://elsewhere.example/")], "AADSTS50011"),
        ([("response_type", "token")], "AADSTS700054"),
        ([("scope", "")], "AADSTS900144"),
        ([("scope", "Mail.Raed")], "AADSTS650053"),
        ([("scope", "Mail.Read https://outlook.office.com/SMTP.Send")], "AADSTS28000"),
        ([("prompt", "ask")], "AADSTS90023"),
        ([("code_challenge", "short")], "AADSTS501491"),
    ] {
        let answer = authorize(&world, "common", &changes).await;
        assert!(answer.status == 400 && answer.text.contains(number), "{changes:?}: {}", answer.text);
    }
    assert!(authorize(&world, "nowhere.example", &[]).await.text.contains("AADSTS90002"));
}

#[tokio::test]
async fn accounts_sign_in_where_they_belong() {
    let world = World::new();
    let eve = "eve@outlook.example";
    world.graph.add_user(NewUser { email: eve.to_owned(), personal: true, ..NewUser::default() });
    let hint = [("login_hint", eve)];
    assert!(back(&authorize(&world, "consumers", &hint).await).contains_key("code"));
    assert!(authorize(&world, "organizations", &hint).await.text.contains("AADSTS50020"));
    assert!(authorize(&world, "consumers", &[]).await.text.contains("AADSTS50020"));
}

#[tokio::test]
async fn a_person_may_say_no() {
    let world = World::new();
    world.graph.script_consent(Consent { error: Some("access_denied".to_owned()), ..Consent::default() });
    let sent = back(&authorize(&world, "common", &[]).await);
    assert_eq!(sent["error"], "access_denied");
    assert!(sent["error_description"].starts_with("AADSTS65004"));
}

#[tokio::test]
async fn an_organisation_may_keep_consent_to_its_administrators() {
    let world = World::new();
    world.graph.set_user_consent(HOME_TENANT, false);
    let bob = [("login_hint", BOB)];
    let sent = back(&authorize(&world, "common", &bob).await);
    assert_eq!(sent["error"], "consent_required");
    assert!(sent["error_description"].starts_with("AADSTS90094"));
    let quiet = [("login_hint", BOB), ("prompt", "none"), ("scope", "User.Read")];
    assert_eq!(back(&authorize(&world, "common", &quiet).await)["error"], "consent_required");
    world.graph.script_consent(Consent { as_admin: true, ..Consent::default() });
    assert!(back(&authorize(&world, "common", &[]).await).contains_key("code"));
    assert!(back(&authorize(&world, "common", &bob).await).contains_key("code"));
}

#[tokio::test]
async fn nobody_is_asked_when_nobody_may_be() {
    let world = World::new();
    let quiet = [("prompt", "none"), ("login_hint", BOB)];
    assert_eq!(back(&authorize(&world, "common", &quiet).await)["error"], "interaction_required");
    back(&authorize(&world, "common", &[("login_hint", BOB)]).await);
    assert!(back(&authorize(&world, "common", &quiet).await).contains_key("code"));
}

#[tokio::test]
async fn a_page_asks_a_person() {
    let world = World::new();
    world.graph.change_settings(|settings| settings.asks_for_consent = true);
    let page = authorize(&world, "common", &[]).await;
    assert!(page.status == 200 && page.text.contains("Mail.ReadWrite") && page.text.contains(BOB));
    let form = [
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "User.Read"),
        ("consent_user", BOB),
        ("consent_decision", "allow"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.http.post(world.url("/common/oauth2/v2.0/authorize"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
    assert!(back(&Answer::of(request).await).contains_key("code"));
}

#[tokio::test]
async fn answers_may_come_in_a_form_or_a_fragment() {
    let world = World::new();
    let answer = authorize(&world, "common", &[("response_mode", "form_post")]).await;
    assert!(answer.status == 200 && answer.text.contains("name=\"code\""));
    let answer = authorize(&world, "common", &[("response_mode", "fragment")]).await;
    assert!(answer.header("location").contains("#code="));
}
