//! One pass over an IMAP mailbox.

use std::collections::HashMap;
use std::ops::Deref;

use super::folders;
use super::visit::{Step, Work};
use crate::accounts::Phase;
use crate::ids::FolderId;
use crate::messages::{self, DueSkip};
use crate::providers::imap::{ImapConnection, ImapErrorKind, ImapSettings};
use crate::sync::error::PassError;
use crate::sync::ground::Ground;

/// What a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Scope {
    /// Every folder whose counters changed.
    Changed,
    /// Every mail of every folder.
    Sweep,
    /// One folder, of which somebody told that it changed.
    Folder(FolderId),
}

/// A pass over a mailbox that is spoken to in IMAP.
pub(in crate::sync) struct Pass<'a> {
    ground: Ground<'a>,
    pub(super) scope: Scope,
    settings: ImapSettings,
}

impl<'a> Deref for Pass<'a> {
    type Target = Ground<'a>;

    fn deref(&self) -> &Ground<'a> {
        &self.ground
    }
}

impl<'a> Pass<'a> {
    /// Reads the mailbox and opens its credentials.
    /// The same where the mailbox was read already.
    pub(in crate::sync) async fn over(ground: Ground<'a>) -> Result<Self, PassError> {
        let settings = ground.parts.accounts.imap_settings(&ground.account).await.map_err(PassError::SetUp)?;
        let scope = if ground.sweeps { Scope::Sweep } else { Scope::Changed };
        Ok(Self { ground, scope, settings })
    }

    /// Signs in to the mail server.
    pub(super) async fn connect(&self) -> Result<ImapConnection, PassError> {
        self.parts.gate.wait(&self.settings.host).await;
        Ok(ImapConnection::connect(&self.parts.net, &self.settings).await?)
    }

    /// Looks at less than everything, unless every mail is to be compared anyway.
    pub(in crate::sync) fn narrow(&mut self, scope: Scope) {
        if self.scope != Scope::Sweep || matches!(scope, Scope::Folder(_)) {
            self.scope = scope;
        }
    }

    /// Lists the folders and visits those that changed.
    pub(in crate::sync) async fn run(&mut self) -> Result<(), PassError> {
        let mut connection = self.connect().await?;
        self.run_on(&mut connection).await?;
        connection.logout().await;
        if self.account.phase == Phase::Backfill {
            self.complete_backfill().await?;
        }
        Ok(())
    }

    /// The same over a connection that stands already.
    pub(in crate::sync) async fn run_on(&mut self, connection: &mut ImapConnection) -> Result<(), PassError> {
        let (mut work, gone) = match self.scope {
            Scope::Folder(folder) => (folders::one(self, folder).await?, Vec::new()),
            Scope::Changed | Scope::Sweep => folders::adopt(self, connection).await?,
        };
        self.add_due_skips(&mut work).await?;
        work.retain(|work| self.scope != Scope::Changed || work.is_due());
        let visited = self.visit_all(connection, work).await?;
        self.settle(connection, visited, gone).await?;
        if self.scope == Scope::Sweep {
            self.complete_sweep().await?;
        }
        Ok(())
    }

    /// Visits folders, round after round until nothing is left in any; answers those that could be read.
    async fn visit_all(&self, connection: &mut ImapConnection, work: Vec<Work>) -> Result<Vec<Work>, PassError> {
        let mut work = work;
        let mut visited = Vec::with_capacity(work.len());
        while !work.is_empty() {
            let mut left = Vec::with_capacity(work.len());
            for mut folder in work {
                if self.stop.is_cancelled() {
                    return Err(PassError::Stopped);
                }
                match self.visit(connection, &mut folder).await {
                    Ok(Step::More) => left.push(folder),
                    Ok(Step::Done) => visited.push(folder),
                    Err(PassError::Imap(error))
                        if error.kind == ImapErrorKind::NoSuchFolder || error.kind == ImapErrorKind::Rejected =>
                    {
                        self.note_folder(&folder, error.code(), &error.detail).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            work = left;
        }
        Ok(visited)
    }

    /// Adds mails that were set aside and are to be tried again.
    async fn add_due_skips(&self, work: &mut [Work]) -> Result<(), PassError> {
        let due =
            messages::due_skips(&mut self.parts.db.read().await?, self.account.id, self.parts.clock.now()).await?;
        let mut by_folder: HashMap<FolderId, Vec<DueSkip>> = HashMap::new();
        for skip in due {
            by_folder.entry(skip.folder).or_default().push(skip);
        }
        for folder in work {
            folder.retry = by_folder.remove(&folder.id()).unwrap_or_default();
        }
        Ok(())
    }

    /// Notes that a folder could not be read; the others go on.
    async fn note_folder(&self, folder: &Work, code: &str, detail: &str) -> Result<(), PassError> {
        tracing::warn!(account.id = %self.account.id, folder.id = %folder.id(), error.code = code, "a folder could not be read");
        let mut conn = self.parts.db.write().await?;
        messages::set_folder_error(&mut conn, folder.id(), Some((code, detail)), self.parts.clock.now()).await?;
        Ok(())
    }

    /// Whether what comes from a folder is news: what it held before it was first looked at is not, unless it only got new
    /// numbers.
    pub(super) fn tells(&self, work: &Work, import: bool) -> bool {
        self.is_live() && (!import || work.is_recovering())
    }
}
