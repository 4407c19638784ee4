//! Delivers pushes while the server runs.

use super::{Job, delivered, due};
use crate::gmail::Gmail;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep: the clock may have been moved without a bell.
const LONGEST_SLEEP: i64 = 250;

/// Delivers what is due, again and again.
pub async fn deliver(gmail: Arc<Gmail>) {
    // Feature unification may leave the client without a provider of cryptography of its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let Ok(client) = client else {
        return;
    };
    loop {
        let rung = gmail.bell.notified();
        let (jobs, next) = due(&mut gmail.state());
        for job in jobs {
            tokio::spawn(push(Arc::clone(&gmail), client.clone(), job));
        }
        let wait = next.map_or(LONGEST_SLEEP, |next| (next - gmail.clock.now()).clamp(1, LONGEST_SLEEP));
        let _ = tokio::time::timeout(Duration::from_millis(u64::try_from(wait).unwrap_or(1)), rung).await;
    }
}

async fn push(gmail: Arc<Gmail>, client: reqwest::Client, job: Job) {
    let mut request = client.post(&job.endpoint).json(&job.body).timeout(Duration::from_millis(job.deadline));
    if let Some(token) = &job.token {
        request = request.bearer_auth(token);
    }
    let status = request.send().await.ok().map(|response| response.status().as_u16());
    delivered(&mut gmail.state(), &job, status);
    // A failed push is due again soon.
    gmail.bell.notify_waiters();
}
