//! Sends mails on and tells of changes while the server runs.

use super::model::{Delivery, Notice};
use crate::graph::Graph;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep: the clock may have been moved without a bell.
const LONGEST_SLEEP: i64 = 250;
/// Waits between attempts do not grow beyond this.
const LONGEST_WAIT: i64 = 10 * 60_000;
/// After this, what nobody took is dropped.
const FOUR_HOURS: i64 = 4 * 3600 * 1000;
/// Most notifications of one request.
const MOST_AT_ONCE: usize = 50;

/// What asks others: no redirects, and no connection that is kept.
pub fn client() -> reqwest::Client {
    // Feature unification may leave the client without a provider of cryptography of its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
    builder.build().unwrap_or_default()
}

/// Does what is due, again and again.
pub async fn run(graph: Arc<Graph>) {
    loop {
        let rung = graph.bell.notified();
        let (batches, next) = due(&graph);
        for (url, notices) in batches {
            tokio::spawn(post(Arc::clone(&graph), url, notices));
        }
        let wait = next.map_or(LONGEST_SLEEP, |next| (next - graph.clock.now()).clamp(1, LONGEST_SLEEP));
        let _ = tokio::time::timeout(Duration::from_millis(u64::try_from(wait).unwrap_or(1)), rung).await;
    }
}

/// What is to be told now, by address, and when there will be more to do.
fn due(graph: &Graph) -> (BTreeMap<String, Vec<Notice>>, Option<i64>) {
    let mut state = graph.state();
    let mut next = state.settle();
    let now = state.now();
    let mut batches: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
    let mut kept = Vec::new();
    for notice in std::mem::take(&mut state.subscriptions.queue) {
        let batch = batches.entry(notice.url.clone()).or_default();
        if notice.due <= now && batch.len() < MOST_AT_ONCE {
            batch.push(notice);
        } else {
            next = Some(next.map_or(notice.due, |known| known.min(notice.due)));
            kept.push(notice);
        }
    }
    state.subscriptions.queue = kept;
    batches.retain(|_, batch| !batch.is_empty());
    (batches, next)
}

async fn post(graph: Arc<Graph>, url: String, mut notices: Vec<Notice>) {
    let deadline = Duration::from_millis(graph.state().settings.notification_deadline_millis);
    let items: Vec<&Value> = notices.iter().map(|notice| &notice.item).collect();
    let request = graph.http.post(&url).json(&json!({"value": items})).timeout(deadline);
    let status = request.send().await.ok().map(|response| response.status().as_u16());
    let mut state = graph.state();
    let (now, first_wait) = (state.now(), state.settings.notification_retry_millis);
    for notice in &mut notices {
        notice.attempts += 1;
    }
    let attempt = notices.iter().map(|notice| notice.attempts).max().unwrap_or(0);
    state.subscriptions.deliveries.push(Delivery { url, items: notices.len(), attempt, status, at: now });
    if !status.is_some_and(|status| (200..300).contains(&status)) {
        for mut notice in notices {
            let wait = first_wait.saturating_mul(1 << notice.attempts.min(16).saturating_sub(1)).min(LONGEST_WAIT);
            notice.due = now + wait;
            let is_wanted = state.subscriptions.all.contains_key(&notice.subscription)
                || notice.item.get("lifecycleEvent").is_some();
            if is_wanted && notice.due - notice.since <= FOUR_HOURS {
                state.subscriptions.queue.push(notice);
            }
        }
    }
    drop(state);
    graph.bell.notify_waiters();
}
