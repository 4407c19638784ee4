//! All cron lines of the product. A job only rings a bell; the work runs elsewhere, one at a time.

use anyhow::Context;
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::identity::Identity;
use crate::outbox::Outbox;
use crate::sending::Sending;
use crate::sync::Engine;

/// When forgotten sessions and links are cleared away: at a quiet minute of each hour.
const PURGE_CRON: &str = "0 17 * * * *";

/// When files that were brought in for mails never written are cleared away: once a day, at a quiet hour.
const UPLOADS_CRON: &str = "0 53 3 * * *";

/// When facts that are kept no longer are cleared away: once a day, at a quiet hour.
const FACTS_CRON: &str = "0 43 3 * * *";

/// Starts the scheduler.
///
/// # Errors
/// When `SYNC_CRON` is not a cron line with seconds.
pub async fn start(
    sync_cron: &str,
    engine: Engine,
    identity: Identity,
    outbox: Outbox,
    sending: Sending,
) -> anyhow::Result<JobScheduler> {
    let scheduler = JobScheduler::new().await?;
    let bell = engine.bell();
    let sync = Job::new(sync_cron, move |_, _| bell.ring())
        .with_context(|| format!("SYNC_CRON cannot be scheduled: {sync_cron}"))?;
    scheduler.add(sync).await?;
    let purge = Job::new_async(PURGE_CRON, move |_, _| {
        let identity = identity.clone();
        Box::pin(async move {
            match identity.purge_expired().await {
                Ok(purged) => tracing::debug!(purged, "expired sessions and links were cleared away"),
                Err(error) => tracing::warn!(error = %error, "expired sessions and links could not be cleared away"),
            }
        })
    })?;
    scheduler.add(purge).await?;
    let facts = Job::new_async(FACTS_CRON, move |_, _| {
        let outbox = outbox.clone();
        Box::pin(async move {
            match outbox.purge_expired().await {
                Ok(purged) => tracing::debug!(purged, "facts of long ago were cleared away"),
                Err(error) => tracing::warn!(error = %error, "facts of long ago could not be cleared away"),
            }
        })
    })?;
    scheduler.add(facts).await?;
    let uploads = Job::new_async(UPLOADS_CRON, move |_, _| {
        let sending = sending.clone();
        Box::pin(async move {
            match sending.purge_uploads().await {
                Ok(purged) => tracing::debug!(purged, "files of mails never written were cleared away"),
                Err(error) => {
                    tracing::warn!(error = %error.detail, "files of mails never written could not be cleared away")
                }
            }
        })
    })?;
    scheduler.add(uploads).await?;
    scheduler.start().await?;
    Ok(scheduler)
}
