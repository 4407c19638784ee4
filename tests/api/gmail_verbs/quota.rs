//! Allowances: kept to, used, and what happens when Gmail complains all the same.

use super::World;
use duplex::providers::ProviderErrorKind;
use duplex::providers::gmail::Lane;
use duplex_emulators::gmail::switches::Often;
use duplex_emulators::shared::faults::{Fault, RetryAfter, When};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_is_kept_to_though_much_is_asked_at_once() {
    // Ninety calls at twenty units, with six hundred at once and some six hundred more a second.
    let world = World::with(36_000, &[super::MODIFY]);
    let ids = world.mails(90);
    assert!(world.mailbox.raw(&ids).await.iter().all(|(_, mail)| mail.is_ok()));
    let counts = world.gmail.counts();
    assert_eq!((counts.by_status.get(&429), counts.by_status.get(&403)), (None, None));
    assert_eq!(counts.units, 1_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_that_others_use_up_is_waited_out_in_both_forms() {
    for (often, retry_after) in [(Often::Always, RetryAfter::Seconds(1)), (Often::Never, RetryAfter::Date(2))] {
        let world = World::start();
        let fault = match often {
            Often::Always => Fault::RateForbidden { retry_after },
            _ => Fault::TooManyRequests { retry_after },
        };
        world.gmail.add_fault("getProfile", When::Next(1), fault).unwrap();
        world.mailbox.profile().await.unwrap();
        assert_eq!(world.count("getProfile"), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_of_the_user_leaves_while_gmail_asks_to_wait() {
    let world = World::start();
    let fault = Fault::TooManyRequests { retry_after: RetryAfter::Seconds(2) };
    world.gmail.add_fault("getProfile", When::Next(1), fault).unwrap();
    let person = world.mailbox.in_lane(Lane::Interactive);
    let (first, second, third) = tokio::join!(
        world.mailbox.profile(),
        async {
            // Asked for when the refusal is known.
            while world.count("getProfile") == 0 {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            person.labels().await
        },
        world.client.mailbox("bob", world.tokens.clone(), Lane::Background).labels(),
    );
    first.unwrap();
    second.unwrap();
    third.unwrap();
    let calls = world.gmail.calls();
    let refused = calls.iter().find(|call| call.status == 429).unwrap();
    let later: Vec<_> =
        calls.iter().filter(|call| call.number > refused.number && call.call != "labels.list").collect();
    assert!(!later.is_empty() && later.iter().all(|call| call.at >= refused.at + 1_900), "{calls:?}");
    let labels: Vec<_> = calls.iter().filter(|call| call.call == "labels.list").map(|call| call.at).collect();
    assert!(labels.iter().any(|at| *at >= refused.at + 1_900), "the person waits: {calls:?}");
    assert!(labels.iter().any(|at| *at < refused.at + 1_900), "another user does not: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_too_long_is_handed_up_and_remembered() {
    let world = World::start();
    let fault = Fault::TooManyRequests { retry_after: RetryAfter::Seconds(600) };
    world.gmail.add_fault("getProfile", When::Next(1), fault).unwrap();
    let error = world.mailbox.profile().await.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ProviderErrorKind::Throttled, Some(Duration::from_secs(600))));
    let error = world.mailbox.labels().await.unwrap_err();
    assert!(error.retry_after.is_some_and(|wait| wait > Duration::from_secs(590)));
    assert_eq!(world.gmail.counts().requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_stopped_stops_everybody() {
    let world = World::start();
    world.gmail.add_fault("getProfile", When::Next(1), Fault::DailyLimit).unwrap();
    let error = world.mailbox.profile().await.unwrap_err();
    assert_eq!((error.kind, error.code), (ProviderErrorKind::Throttled, "provider_daily_limit"));
    let other = world.client.mailbox("bob", world.tokens.clone(), Lane::Interactive);
    assert_eq!(other.labels().await.unwrap_err().code, "provider_daily_limit");
    assert_eq!(world.gmail.counts().requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_batch_that_were_too_many_at_once_are_asked_for_again_alone() {
    let world = World::start();
    world.gmail.change_settings(|settings| settings.batch_parts_at_once = 15);
    let ids = world.mails(60);
    assert!(world.mailbox.raw(&ids).await.iter().all(|(_, mail)| mail.is_ok()));
    let counts = world.gmail.counts();
    let refused = counts.by_status.get(&429).copied().unwrap_or_default();
    assert!((1..=20).contains(&refused), "{refused} were refused");
    assert_eq!(counts.by_name["messages.get"], 60 + refused);
}
