//! Allowances.

use crate::support::{Answer, World};
use duplex_emulators::gmail::switches::{Often, Prices};
use duplex_emulators::shared::faults::RetryAfter;
use std::time::Duration;

#[tokio::test]
async fn calls_cost_what_a_new_project_pays_and_the_minute_ends() {
    let world = World::new();
    let id = world.mail(1).id;
    // 6,000 units at one hundredth are three reads.
    world.gmail.change_settings(|settings| settings.quota_scale = Some(0.01));
    let path = format!("messages/{id}?format=raw");
    for expected in [200, 200, 200] {
        assert_eq!(world.get(&path).await.status, expected);
    }
    let refused = world.get(&path).await;
    assert!([403, 429].contains(&refused.status));
    assert_eq!(world.gmail.counts().units_by_name["messages.get"], 60);
    world.gmail.advance(Duration::from_secs(61));
    assert_eq!(world.get(&path).await.status, 200);
}

#[tokio::test]
async fn both_forms_of_refusal_mean_the_same() {
    let world = World::new();
    world.gmail.change_settings(|settings| {
        settings.quota_scale = Some(0.0);
        settings.quota_is_forbidden = Often::Always;
        settings.quota_retry_after = RetryAfter::Seconds(0);
    });
    let refused = world.get("profile").await;
    assert_eq!(refused.reason(), (403, "userRateLimitExceeded"));
    assert_eq!(refused.json["error"]["errors"][0]["domain"], "usageLimits");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    world.gmail.change_settings(|settings| {
        settings.quota_is_forbidden = Often::Never;
        settings.quota_retry_after = RetryAfter::Date(0);
    });
    let refused = world.get("profile").await;
    assert_eq!(refused.reason(), (429, "rateLimitExceeded"));
    assert!(chrono::DateTime::parse_from_rfc2822(refused.header("retry-after")).is_ok());
}

#[tokio::test]
async fn the_allowance_can_be_without_bound_and_the_prices_old() {
    let world = World::new();
    let id = world.mail(1).id;
    world.gmail.change_settings(|settings| {
        settings.quota_scale = None;
        settings.prices = Prices::Legacy;
    });
    world.get(&format!("messages/{id}")).await.ok();
    world.get(&format!("threads/{id}")).await.ok();
    assert_eq!(world.gmail.counts().units, 5 + 10);
}

#[tokio::test]
async fn more_requests_at_once_than_allowed_are_refused() {
    let world = World::new();
    world.gmail.set_latency(Duration::from_millis(300));
    world.gmail.change_settings(|settings| settings.most_concurrent = Some(2));
    let url = world.url("/gmail/v1/users/me/labels");
    let calls = (0..6).map(|_| Answer::of(world.http.get(&url).bearer_auth(&world.token)));
    let statuses: Vec<u16> =
        futures_util::future::join_all(calls).await.into_iter().map(|answer| answer.status).collect();
    assert!(statuses.contains(&429) && statuses.contains(&200), "{statuses:?}");
}
