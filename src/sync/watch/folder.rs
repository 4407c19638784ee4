//! One connection that waits in a folder.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::mailbox::spread;
use crate::accounts::Phase;
use crate::ids::{AccountId, FolderId, OrgId};
use crate::messages::{self, Folder, FolderRole};
use crate::providers::imap::{IdleEnd, ImapConnection, ImapError, Mailbox};
use crate::sync::engine::{self, EngineParts};
use crate::sync::folders;
use crate::sync::pass::Scope;

/// The longest wait without a word: then the counters of all folders are looked at, which also shows whether the
/// connection is alive. Servers hang up after 29 minutes, many home routers forget a silent connection after five.
const WAIT: Duration = Duration::from_secs(120);

/// Where a connection cannot wait it looks so often.
const POLL: Duration = Duration::from_secs(60);

/// Why listening ended.
pub(super) enum Lost {
    /// There is nothing to listen to.
    Over,
    /// The connection, or the server would not have it.
    Imap(ImapError),
    /// The database or the credentials.
    Other(anyhow::Error),
}

impl From<ImapError> for Lost {
    fn from(error: ImapError) -> Self {
        Self::Imap(error)
    }
}

impl From<diesel::result::Error> for Lost {
    fn from(error: diesel::result::Error) -> Self {
        Self::Other(error.into())
    }
}

/// What a connection is for.
pub(super) struct Listener<'a> {
    pub parts: &'a EngineParts,
    pub org: OrgId,
    pub account: AccountId,
    /// The folder to wait in; without one the inbox.
    pub folder: Option<FolderId>,
    pub stop: &'a CancellationToken,
    /// When the connection stood.
    pub since: OnceLock<Instant>,
}

impl Listener<'_> {
    /// Connects and listens until told to stop.
    pub async fn listen(&self) -> Result<(), Lost> {
        let mut connection = Box::pin(self.connect()).await?;
        let waits = connection.capabilities().idle;
        if self.folder.is_some() && !waits {
            return Err(Lost::Over);
        }
        if self.folder.is_none() {
            self.parts.accounts.set_push(self.account, if waits { "idle" } else { "none" }).await?;
        }
        // What came while nobody listened, in whichever folder.
        if self.folder.is_none() {
            Box::pin(self.look_around(&mut connection)).await?;
        }
        while !self.stop.is_cancelled() {
            Box::pin(self.enter(&mut connection)).await?;
            let end =
                if waits { connection.idle(spread(WAIT), self.stop.cancelled()).await? } else { self.pause().await };
            match end {
                IdleEnd::Woken => {}
                IdleEnd::News => Box::pin(self.catch_up(&mut connection)).await?,
                IdleEnd::TimedOut if self.folder.is_none() => Box::pin(self.look_around(&mut connection)).await?,
                IdleEnd::TimedOut => {}
            }
        }
        Box::pin(connection.logout()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<ImapConnection, Lost> {
        let account = self.parts.accounts.find(self.org, self.account).await?.ok_or(Lost::Over)?;
        if account.phase != Phase::Live {
            return Err(Lost::Over);
        }
        let settings = self.parts.accounts.imap_settings(&account).await.map_err(Lost::Other)?;
        self.parts.gate.wait(&settings.host).await;
        let connection = ImapConnection::connect(&self.parts.net, &settings).await?;
        self.since.get_or_init(Instant::now);
        Ok(connection)
    }

    async fn pause(&self) -> IdleEnd {
        tokio::select! {
            () = tokio::time::sleep(spread(POLL)) => IdleEnd::TimedOut,
            () = self.stop.cancelled() => IdleEnd::Woken,
        }
    }

    /// Opens the folder, and takes in what came since it was last looked at: nothing is told of that any more.
    async fn enter(&self, connection: &mut ImapConnection) -> Result<(), Lost> {
        let folder = self.place().await?;
        let mailbox = connection.examine(&folder.external_id).await?;
        if differs(&folder, &mailbox) {
            self.sync(connection, Scope::Folder(folder.id)).await?;
            let folder = self.place().await?;
            connection.examine(&folder.external_id).await?;
        }
        Ok(())
    }

    async fn catch_up(&self, connection: &mut ImapConnection) -> Result<(), Lost> {
        let folder = self.place().await?;
        self.sync(connection, Scope::Folder(folder.id)).await
    }

    /// Looks at the counters of all folders, and syncs when they differ from what is known.
    async fn look_around(&self, connection: &mut ImapConnection) -> Result<(), Lost> {
        let remote = connection.list_folders().await?;
        let stored = messages::list_folders(&mut self.parts.db.read().await?, self.account).await?;
        if folders::differ(&stored, &remote) {
            self.sync(connection, Scope::Changed).await?;
        }
        Ok(())
    }

    /// The folder to wait in, as it is stored.
    async fn place(&self) -> Result<Folder, Lost> {
        let stored = messages::list_folders(&mut self.parts.db.read().await?, self.account).await?;
        let wanted = |folder: &Folder| match self.folder {
            Some(id) => folder.id == id,
            None => folder.role == Some(FolderRole::Inbox),
        };
        stored.into_iter().find(|folder| wanted(folder) && folder.selectable).ok_or(Lost::Over)
    }

    /// Runs a pass over this connection; while another one runs, one is asked for that follows it.
    async fn sync(&self, connection: &mut ImapConnection, scope: Scope) -> Result<(), Lost> {
        match engine::serve_on(self.parts, self.account, connection, scope, self.stop).await? {
            engine::Served::Done => Ok(()),
            engine::Served::Busy => Ok(self.parts.accounts.request_pass(self.account).await?),
            // What went wrong stands in the mailbox's row; the connection may be in the middle of an answer.
            engine::Served::Failed => Err(Lost::Other(anyhow::anyhow!("a sync over a listening connection failed"))),
        }
    }
}

/// Whether an opened folder differs from what was seen of it last.
fn differs(folder: &Folder, mailbox: &Mailbox) -> bool {
    let cursor = &folder.cursor;
    cursor.uid_validity != Some(mailbox.uid_validity)
        || (mailbox.uid_next.is_some() && mailbox.uid_next != cursor.uid_next)
        || (mailbox.highest_modseq.is_some() && mailbox.highest_modseq != cursor.highest_modseq)
        || folder.provider_count != Some(u64::from(mailbox.exists))
}
