use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout, timeout_at};

use super::governor::{Governor, Lane, User};
use crate::providers::{ProviderError, ProviderErrorKind};

const GET: u32 = 20;

fn why() -> ProviderError {
    ProviderError::new(ProviderErrorKind::Throttled, "provider_throttled", "slower")
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Uses as much as it gets for so long; gives back when each call left.
async fn greedy(user: &Arc<User>, time: Duration, calls: u32, lane: Lane) -> Vec<Instant> {
    let end = Instant::now() + time;
    let mut left = Vec::new();
    while let Ok(place) = timeout_at(end, user.admit(GET, calls, lane)).await {
        left.extend(std::iter::repeat_n(Instant::now(), calls as usize));
        drop(place);
    }
    left
}

/// The most units within any minute.
fn most_in_a_minute(left: &[Instant]) -> usize {
    let within = |start: &Instant| left.iter().filter(|it| *it >= start && **it < *start + seconds(60)).count();
    left.iter().map(within).max().unwrap_or_default() * GET as usize
}

#[tokio::test(start_paused = true)]
async fn no_minute_sees_more_than_the_allowance_and_nearly_all_of_it_is_used() {
    for allowance in [600, 6_000, 15_000] {
        let user = Governor::new(allowance).user("u");
        let calls = u32::try_from(user.batch(GET)).unwrap();
        // Rested first, so that all that may be saved up is there.
        sleep(seconds(60)).await;
        let left = greedy(&user, seconds(600), calls, Lane::Background).await;
        let (used, granted) = (left.len() * GET as usize, 10 * allowance as usize);
        assert!(used * 100 >= granted * 95, "{used} of {granted}");
        let most = most_in_a_minute(&left);
        assert!(most * 1000 <= allowance as usize * 995, "{most} of {allowance} in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_what_may_be_saved_up() {
    let batch = |allowance| Governor::new(allowance).user("u").batch(GET);
    assert_eq!((batch(60), batch(6_000), batch(15_000), batch(100_000_000)), (1, 4, 10, 20));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_waits_for_overtakes() {
    let user = Governor::new(600).user("u");
    let others: Vec<_> = (0..5)
        .map(|_| {
            let user = Arc::clone(&user);
            tokio::spawn(async move { greedy(&user, seconds(60), 1, Lane::Background).await })
        })
        .collect();
    sleep(seconds(10)).await;
    for _ in 0..5 {
        let began = Instant::now();
        drop(user.admit(5, 1, Lane::Interactive).await.unwrap());
        assert!(began.elapsed() < seconds(2), "{:?}", began.elapsed());
    }
    for other in others {
        assert!(!other.await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn people_find_something_saved_beside_the_greediest_background() {
    let user = Governor::new(6_000).user("u");
    let busy = Arc::clone(&user);
    let busy = tokio::spawn(async move { greedy(&busy, seconds(30), 1, Lane::Background).await });
    sleep(seconds(20)).await;
    let began = Instant::now();
    drop(user.admit(5, 1, Lane::Interactive).await.unwrap());
    assert_eq!(began.elapsed(), Duration::ZERO);
    busy.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_leaves_before_the_time_that_gmail_asked_for() {
    let user = Governor::new(6_000).user("u");
    user.hold(seconds(15), &why());
    user.hold(seconds(2), &why());
    for lane in [Lane::Interactive, Lane::Background] {
        let began = Instant::now();
        assert!(timeout(seconds(14), user.admit(1, 1, lane)).await.is_err());
        assert_eq!(began.elapsed(), seconds(14));
        user.hold(seconds(15), &why());
    }
    let began = Instant::now();
    drop(user.admit(1, 1, Lane::Interactive).await.unwrap());
    assert!(began.elapsed() >= seconds(15));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_begins_while_a_call_waits_holds_for_it_too() {
    let user = Governor::new(60).user("u");
    drop(user.admit(60, 1, Lane::Background).await.unwrap());
    let waiting = Arc::clone(&user);
    let waiting = tokio::spawn(async move {
        drop(waiting.admit(1, 1, Lane::Background).await.unwrap());
        Instant::now()
    });
    sleep(seconds(10)).await;
    user.hold(seconds(100), &why());
    let held_at = Instant::now();
    assert!(waiting.await.unwrap() - held_at >= seconds(100));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_all_patience_is_handed_up_at_once_with_its_reason() {
    let governor = Governor::new(6_000);
    let user = governor.user("u");
    user.hold(seconds(3_600), &why());
    for lane in [Lane::Interactive, Lane::Background] {
        let error = user.admit(1, 1, lane).await.err().unwrap();
        assert_eq!((error.code, error.retry_after), ("provider_throttled", Some(seconds(3_600))));
    }
    let other = governor.user("other");
    drop(other.admit(1, 1, Lane::Background).await.unwrap());
    governor.hold_all(seconds(3_600), &why());
    assert!(other.admit(1, 1, Lane::Background).await.is_err());
    advance(seconds(3_601)).await;
    drop(other.admit(1, 1, Lane::Background).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_wait_however_long_breaks_nothing() {
    let user = Governor::new(6_000).user("u");
    user.hold(Duration::MAX, &why());
    assert!(user.admit(1, 1, Lane::Background).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_dearer_than_all_that_may_be_saved_is_paid_for_afterwards() {
    let user = Governor::new(600).user("u");
    drop(user.admit(100, 1, Lane::Interactive).await.unwrap());
    let began = Instant::now();
    drop(user.admit(1, 1, Lane::Interactive).await.unwrap());
    assert!(began.elapsed() > seconds(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_crowd_is_thinned_once_for_all_its_complaints_and_grows_again() {
    let user = Governor::new(60_000_000).user("u");
    assert_eq!(user.batch(GET), 20);
    (0..9).for_each(|_| user.crowd());
    assert_eq!(user.batch(GET), 19);
    user.well();
    user.crowd();
    assert_eq!(user.batch(GET), 8);
    (0..1_000).for_each(|_| user.well());
    assert_eq!(user.batch(GET), 20);
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_are_counted_with_the_parts_of_batches_and_people_have_places() {
    let user = Governor::new(60_000_000).user("u");
    let first = user.admit(GET, 20, Lane::Background).await.unwrap();
    let second = user.admit(GET, 20, Lane::Background).await.unwrap();
    assert!(timeout(seconds(1), user.admit(GET, 1, Lane::Background)).await.is_err());
    let _person = timeout(seconds(1), user.admit(GET, 1, Lane::Interactive)).await.unwrap().unwrap();
    let waiting = Arc::clone(&user);
    let waiting = tokio::spawn(async move { drop(waiting.admit(GET, 20, Lane::Background).await.unwrap()) });
    sleep(seconds(1)).await;
    assert!(!waiting.is_finished());
    drop(first);
    waiting.await.unwrap();
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_blocks_nobody() {
    let user = Governor::new(600).user("u");
    drop(user.admit(60, 1, Lane::Background).await.unwrap());
    assert!(timeout(seconds(1), user.admit(5, 1, Lane::Interactive)).await.is_err());
    assert!(timeout(seconds(1), user.admit(5, 1, Lane::Background)).await.is_err());
    timeout(seconds(60), user.admit(5, 1, Lane::Background)).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn users_with_nothing_to_remember_are_forgotten() {
    let governor = Governor::new(6_000);
    let held = governor.user("held");
    held.hold(seconds(100_000), &why());
    drop(held);
    for number in 0..100_000 {
        governor.user(&number.to_string());
    }
    assert!(governor.known() < 5_000, "{}", governor.known());
    assert!(governor.user("held").admit(1, 1, Lane::Background).await.is_err());
}
