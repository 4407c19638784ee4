//! The sweep: every mail of every folder is compared with the server's, what differs is mended, and the outcome is kept as
//! a proof.

use super::changes::Differences;
use super::error::PassError;
use super::pass::{Pass, lost};
use super::visit::Work;
use crate::messages::{self, Proof};
use crate::providers::imap::ImapConnection;

/// What the comparison of a folder found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Mails that the server listed within the import's span of time.
    listed: u64,
    /// Mails that were on the server and not here.
    missing: u64,
    /// Mails that were here and not on the server.
    vanished: u64,
}

impl Pass<'_> {
    /// Compares the open folder mail by mail, fetches what is missing and notes what vanished.
    pub(super) async fn sweep(&self, connection: &mut ImapConnection, work: &mut Work) -> Result<(), PassError> {
        let ours = self.known_uids(work).await?;
        let Differences { missing, listed } = self.find_differences(connection, work, &ours).await?;
        work.swept = Some(Found { listed, missing: missing.len(), vanished: work.vanished.len() as u64 });
        if !missing.is_empty() {
            tracing::warn!(account.id = %self.account.id, folder.id = %work.id(), mails = missing.len(), "mails were missing and are fetched");
        }
        self.store_all(connection, work, &missing).await?;
        let vanished = std::mem::take(&mut work.vanished);
        self.compare_flags(connection, work).await?;
        work.vanished.extend(vanished);
        work.vanished.sort_unstable();
        work.vanished.dedup();
        Ok(())
    }

    /// Keeps the outcome for a folder, after it was mended.
    pub(super) async fn prove(&self, work: &Work) -> Result<(), PassError> {
        let Some(found) = work.swept else { return Ok(()) };
        let now = self.parts.clock.now();
        let proof = Proof {
            account: self.account.id,
            folder: work.id(),
            uid_validity: work.generation(),
            provider_count: found.listed,
            found_missing: found.missing,
            found_vanished: found.vanished,
        };
        let mut conn = self.parts.db.write().await?;
        conn.transaction(async |tx| {
            self.parts.accounts.renew(tx, self.lease).await?;
            messages::record_proof(tx, &proof, now).await
        })
        .await
        .map_err(lost)
    }
}
