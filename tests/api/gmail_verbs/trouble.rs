//! What goes wrong: every fault, in every sort of call.

use super::{ANN, MODIFY, World, raw, texts};
use duplex::providers::ProviderErrorKind;
use duplex_emulators::gmail::errors::ErrorShape;
use duplex_emulators::gmail::oauth::Death;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};

/// Everything that passes by itself.
fn passing() -> Vec<Fault> {
    vec![
        Fault::TooManyRequests { retry_after: RetryAfter::Absent },
        Fault::RateForbidden { retry_after: RetryAfter::Absent },
        Fault::ServerError { status: 500 },
        Fault::ServerError { status: 503 },
        Fault::Html { status: 200 },
        Fault::Html { status: 404 },
        Fault::Html { status: 502 },
        Fault::TruncatedJson,
        Fault::CutBody,
        Fault::Reset,
        Fault::LostAnswer,
        Fault::Timeout { millis: 100, done: false },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_survives_everything_that_passes() {
    for fault in passing() {
        let world = World::start();
        let start = world.mailbox.profile().await.unwrap().history_id;
        world.gmail.add_fault("history.list", When::Next(2), fault.clone()).unwrap();
        let page = world.mailbox.history(start, None).await.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!((page.history_id, world.count("history.list")), (start, 3), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_comes_to_the_same_is_made_again() {
    for fault in passing() {
        let world = World::start();
        let ids = world.mails(2);
        world.gmail.add_fault("messages.batchModify", When::Next(1), fault.clone()).unwrap();
        world.mailbox.batch_modify(&ids, &texts(&["STARRED"]), &[]).await.unwrap();
        assert_eq!(world.count("messages.batchModify"), 2, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_come_whole_though_a_fifth_of_everything_fails() {
    for fault in passing() {
        let world = World::start();
        let ids = world.mails(100);
        world.gmail.add_fault("*", When::Percent(20.0), fault.clone()).unwrap();
        for (number, (id, mail)) in world.mailbox.raw(&ids).await.into_iter().enumerate() {
            let mail = mail.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
            assert_eq!((id, &mail.raw[..]), (ids[number].clone(), raw(number as u32).as_bytes()), "{fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_a_batch_is_asked_for_again_alone() {
    let world = World::start();
    let ids = world.mails(20);
    world.gmail.add_fault("messages.get", When::Next(3), Fault::ServerError { status: 503 }).unwrap();
    assert!(world.mailbox.minimal(&ids).await.iter().all(|(_, state)| state.is_ok()));
    assert_eq!(world.count("messages.get"), 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_renewed_once_for_all_parts() {
    let world = World::start();
    let ids = world.mails(45);
    world.gmail.forget_access_tokens(ANN);
    assert!(world.mailbox.raw(&ids).await.iter().all(|(_, mail)| mail.is_ok()));
    assert_eq!(world.tokens.renewals(), 1);
    world.gmail.forget_access_tokens(ANN);
    world.mailbox.profile().await.unwrap();
    assert_eq!(world.tokens.renewals(), 2);

    let fault = Fault::Refusal { status: 401, reason: "authError".to_owned() };
    world.gmail.add_fault("messages.get", When::Next(7), fault).unwrap();
    assert!(world.mailbox.raw(&ids).await.iter().all(|(_, mail)| mail.is_ok()), "parts are refused singly");
    assert_eq!(world.tokens.renewals(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_revoked_needs_a_person() {
    let world = World::start();
    let ids = world.mails(45);
    world.gmail.add_fault("*", When::Always, Fault::Refusal { status: 401, reason: "authError".to_owned() }).unwrap();
    world.gmail.end_grants(ANN, Death::Revoked);
    let error = world.mailbox.profile().await.unwrap_err();
    assert_eq!((error.kind, error.code), (ProviderErrorKind::NeedsPerson, "oauth_token_refused"));
    let before = world.gmail.counts().requests;
    let got = world.mailbox.raw(&ids).await;
    assert!(got.iter().all(|(_, mail)| mail.as_ref().is_err_and(|it| it.kind == ProviderErrorKind::NeedsPerson)));
    assert!(world.gmail.counts().requests <= before + 2, "the rest is not even asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_needs_a_person_and_a_mailbox_without_gmail_the_operator() {
    for shape in [ErrorShape::Full, ErrorShape::WithoutErrors, ErrorShape::WithoutStatus] {
        let world = World::with(super::PLENTY, &["https://www.googleapis.com/auth/gmail.readonly"]);
        world.gmail.change_settings(|settings| settings.error_shape = shape);
        let id = world.mail(1).id;
        let error = world.mailbox.modify(&id, &texts(&["STARRED"]), &[]).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ProviderErrorKind::NeedsPerson, "oauth_scope_missing"), "{shape:?}");

        let world = World::with(super::PLENTY, &[MODIFY]);
        world.gmail.change_settings(|settings| settings.error_shape = shape);
        world.gmail.set_mail_enabled(ANN, false);
        let error = world.mailbox.profile().await.unwrap_err();
        assert_eq!(error.kind, ProviderErrorKind::NeedsOperator, "{shape:?} {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gmail_that_is_down_is_given_up_after_some_tries() {
    let world = World::start();
    let ids = world.mails(3);
    world.gmail.add_fault("*", When::Always, Fault::ServerError { status: 503 }).unwrap();
    let person = world.mailbox.in_lane(duplex::providers::gmail::Lane::Interactive);
    let error = person.profile().await.unwrap_err();
    assert_eq!((error.kind, world.count("getProfile")), (ProviderErrorKind::Unavailable, 4));
    let got = person.minimal(&ids).await;
    assert!(got.iter().all(|(_, it)| it.as_ref().is_err_and(|it| it.kind == ProviderErrorKind::Unavailable)));
    assert_eq!(world.count("batch"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_an_error_that_may_pass_and_was_not_done() {
    let world = World::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let api_url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let settings = duplex::providers::gmail::GmailSettings { api_url, units_per_minute: super::PLENTY };
    let client = duplex::providers::gmail::Gmail::new(&super::net(), &settings);
    let mailbox = client.mailbox("ann", world.tokens.clone(), duplex::providers::gmail::Lane::Interactive);
    let error = mailbox.send_draft("r1").await.unwrap_err();
    assert_eq!((error.code, error.may_be_done, error.passes()), ("provider_unreachable", false, true));
}
