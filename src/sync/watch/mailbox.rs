//! One mailbox that is listened to: its connections, made again when they break.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::Duration as Span;
use ring::rand::{SecureRandom, SystemRandom};
use tokio_util::sync::CancellationToken;

use super::Watch;
use super::folder::{Listener, Lost};
use crate::ids::{AccountId, FolderId, OrgId};
use crate::messages::{self, FolderRole};
use crate::providers::imap::ImapErrorKind;

/// The wait after the first break; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait while a server does not answer: asking costs it next to nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The wait when the server answers and does not let us in.
const REFUSED_WAIT: Duration = Duration::from_secs(300);

/// Folders beside the inbox that get a connection of their own, in one mailbox.
const BUSY: usize = 2;

/// A folder is busy when so many mails came into it within a week.
const MUCH: u64 = 5;

/// How long a folder keeps its own connection before it is looked again which ones are busy.
const TERM: Duration = Duration::from_secs(3600);

/// Listens to a mailbox until told to stop.
pub(super) async fn watch(watch: Arc<Watch>, org: OrgId, account: AccountId, stop: CancellationToken) {
    let inbox = async {
        keep_listening(&watch, org, account, None, &stop).await;
        // Without its inbox a mailbox is not listened to: that is begun again with the next renewal.
        stop.cancel();
    };
    let others = listen_to_busy(&watch, org, account, &stop);
    tokio::join!(inbox, others);
}

/// Listens to the busiest folders beside the inbox, as far as the budget goes.
async fn listen_to_busy(watch: &Arc<Watch>, org: OrgId, account: AccountId, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let folders = busy(watch, account).await.unwrap_or_else(|error| {
            tracing::debug!(account.id = %account, %error, "busy folders could not be read");
            Vec::new()
        });
        let term = stop.child_token();
        let listening = folders.into_iter().filter_map(|folder| {
            let permit = watch.extra.clone().try_acquire_owned().ok()?;
            let term = term.clone();
            Some(Box::pin(async move {
                keep_listening(watch, org, account, Some(folder), &term).await;
                drop(permit);
            }))
        });
        let listening = futures_util::future::join_all(listening);
        let end = async {
            tokio::select! {
                () = tokio::time::sleep(TERM) => {}
                () = stop.cancelled() => {}
            }
            term.cancel();
        };
        tokio::join!(listening, end);
    }
}

async fn busy(watch: &Watch, account: AccountId) -> diesel::QueryResult<Vec<FolderId>> {
    let since = watch.parts.clock.now() - Span::days(7);
    let mut conn = watch.parts.db.read().await?;
    let folders = messages::list_folders(&mut conn, account).await?;
    let arrivals = messages::arrivals_since(&mut conn, account, since).await?;
    let mut busy: Vec<(u64, FolderId)> = folders
        .iter()
        .filter(|folder| folder.included && folder.selectable)
        .filter(|folder| matches!(folder.role, None | Some(FolderRole::Sent | FolderRole::Archive)))
        .filter_map(|folder| Some((*arrivals.get(&folder.id)?, folder.id)))
        .filter(|(count, _)| *count >= MUCH)
        .collect();
    busy.sort_unstable_by_key(|(count, _)| std::cmp::Reverse(*count));
    Ok(busy.into_iter().take(BUSY).map(|(_, folder)| folder).collect())
}

/// Listens to one folder (without one: the inbox), over and over.
async fn keep_listening(
    watch: &Watch,
    org: OrgId,
    account: AccountId,
    folder: Option<FolderId>,
    stop: &CancellationToken,
) {
    let mut wait = FIRST_WAIT;
    while !stop.is_cancelled() {
        let listener = Listener { parts: &watch.parts, org, account, folder, stop, since: OnceLock::new() };
        // Boxed: while a connection waits, what it took to make it must not lie in memory.
        let lost = Box::pin(listener.listen()).await;
        // The turn that a connection waited for does not count: with many mailboxes it is long.
        if listener.since.get().is_some_and(|at| at.elapsed() > LONGEST_WAIT) {
            wait = FIRST_WAIT;
        }
        let (pause, longest) = match lost {
            Ok(()) => continue,
            Err(Lost::Over) => return,
            Err(Lost::Imap(error)) => {
                tracing::debug!(account.id = %account, %error, "a connection that listened is gone");
                match error.kind {
                    ImapErrorKind::AuthFailed | ImapErrorKind::LoginDisabled => (REFUSED_WAIT, LONGEST_WAIT),
                    // A server that restarts says so, and a balancer before it hangs up: it may be back in a moment. One
                    // that goes on like that wants to be left alone.
                    ImapErrorKind::Unavailable | ImapErrorKind::Tls => (wait, REFUSED_WAIT),
                    _ => (wait.min(LONGEST_WAIT), LONGEST_WAIT),
                }
            }
            Err(Lost::Other(error)) => {
                tracing::debug!(account.id = %account, error = %format!("{error:#}"), "a mailbox cannot be listened to now");
                (wait.min(LONGEST_WAIT), LONGEST_WAIT)
            }
        };
        wait = (wait * 2).min(longest);
        tokio::select! {
            () = tokio::time::sleep(spread(pause)) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// A wait, give or take a quarter: not all mailboxes of a server at once.
pub(super) fn spread(wait: Duration) -> Duration {
    let mut byte = [128];
    // Without random numbers the waits are only less spread out.
    if SystemRandom::new().fill(&mut byte).is_err() {
        tracing::debug!("no random numbers");
    }
    wait.mul_f64(0.75 + f64::from(byte[0]) / 510.0)
}
