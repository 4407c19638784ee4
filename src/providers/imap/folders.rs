//! Lists the folders of a mailbox (RFC 3501 §6.3.8, 5258, 5819, 6154).

use super::command::Command;
use super::connection::Use;
use super::response::{ListItem, Response};
use super::{FolderRole, ImapConnection, ImapError, MailboxStatus, RemoteFolder, roles, utf7};

/// More folders than this nobody has; a server that lists more is not taken seriously.
const MAX_FOLDERS: usize = 50_000;
/// The most octets that all names together may have.
const MAX_NAMES: usize = 8 * 1024 * 1024;

impl ImapConnection {
    /// All folders with their roles, and with counters where the server adds them to the list.
    ///
    /// # Errors
    /// [`ImapError`] when the connection is no good.
    pub async fn list_folders(&mut self) -> Result<Vec<RemoteFolder>, ImapError> {
        let extended = self.list_options();
        let listed = match extended {
            Some(options) => match self.list(&format!("LIST \"\" \"*\" RETURN ({options})")).await {
                // Not every server that announces the extension can do it.
                Err(error) if error.keeps_connection() => self.list("LIST \"\" \"*\"").await?,
                other => other?,
            },
            None => self.list("LIST \"\" \"*\"").await?,
        };
        let mut folders = listed;
        roles::assign(&mut folders);
        Ok(folders.into_iter().map(|folder| folder.folder).collect())
    }

    fn list_options(&self) -> Option<String> {
        let can = &self.capabilities;
        if !can.list_extended {
            return None;
        }
        let mut options = Vec::new();
        if can.special_use {
            options.push("SPECIAL-USE".to_owned());
        }
        if can.list_status {
            options.push(format!("STATUS ({})", self.status_items()));
        }
        (!options.is_empty()).then(|| options.join(" "))
    }

    /// The counters to ask for; asking for one that the server does not know is an error.
    pub(super) fn status_items(&self) -> &'static str {
        match (self.capabilities.condstore, self.capabilities.objectid) {
            (true, true) => "UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ MAILBOXID",
            (true, false) => "UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ",
            (false, true) => "UIDVALIDITY UIDNEXT MESSAGES MAILBOXID",
            (false, false) => "UIDVALIDITY UIDNEXT MESSAGES",
        }
    }

    async fn list(&mut self, command: &str) -> Result<Vec<Listed>, ImapError> {
        let mut items: Vec<ListItem> = Vec::new();
        let mut counters: Vec<(String, MailboxStatus)> = Vec::new();
        let utf8 = self.utf8;
        let mut octets = 0usize;
        self.run(Command::new(command), |response| {
            match response {
                Response::List(mut item) => {
                    // A name alone must not keep the whole response in memory.
                    item.name = item.name.to_vec().into();
                    octets += item.name.len();
                    items.push(item);
                }
                Response::MailboxStatus { name, status } => {
                    octets += name.len();
                    counters.push((raw_name(&name, utf8), status));
                }
                _ => return Ok(Use::Unasked),
            }
            if items.len().max(counters.len()) > MAX_FOLDERS || octets > MAX_NAMES {
                return Err(ImapError::protocol("the mail server lists too many folders"));
            }
            Ok(Use::Asked)
        })
        .await?;
        let mut counters: std::collections::HashMap<_, _> = counters.into_iter().collect();
        let mut seen = std::collections::HashSet::new();
        Ok(items
            .iter()
            .map(|item| listed(item, utf8))
            .filter(|listed| seen.insert(listed.folder.raw_name.clone()))
            .map(|mut listed| {
                listed.folder.status = counters.remove(&listed.folder.raw_name);
                listed
            })
            .collect())
    }

    /// A folder's counters without opening it.
    ///
    /// # Errors
    /// [`super::ImapErrorKind::NoSuchFolder`] when it is gone.
    pub async fn status(&mut self, raw_name: &str) -> Result<MailboxStatus, ImapError> {
        let command = self.named("STATUS ", raw_name).words(&format!(" ({})", self.status_items()));
        let mut found = None;
        self.run(command, |response| match response {
            Response::MailboxStatus { status, .. } => {
                found = Some(status);
                Ok(Use::Unasked)
            }
            _ => Ok(Use::Unasked),
        })
        .await
        .map_err(super::mailbox::as_missing_folder)?;
        found.ok_or_else(|| ImapError::protocol("the mail server gave no counters for a folder"))
    }
}

/// A folder with the server's words about it.
pub(super) struct Listed {
    pub(super) folder: RemoteFolder,
    pub(super) attributes: Vec<String>,
}

fn listed(item: &ListItem, utf8: bool) -> Listed {
    let has = |attribute: &str| item.attributes.iter().any(|found| found == attribute);
    let raw_name = raw_name(&item.name, utf8);
    let readable = utf7::decode(&raw_name);
    let path: Vec<String> = match item.delimiter {
        Some(delimiter) => readable.split(delimiter).map(str::to_owned).collect(),
        None => vec![readable],
    };
    Listed {
        folder: RemoteFolder {
            name: path.join("/"),
            path,
            delimiter: item.delimiter,
            role: None::<FolderRole>,
            selectable: !has("\\noselect") && !has("\\nonexistent"),
            is_view: has("\\all") || has("\\flagged") || has("\\important"),
            status: None,
            raw_name,
        },
        attributes: item.attributes.clone(),
    }
}

/// The key of a folder. It is kept in modified UTF-7 also where names travel in UTF-8, so that a
/// server that learns UTF-8 one day does not seem to have renamed every folder.
fn raw_name(name: &[u8], utf8: bool) -> String {
    let text = String::from_utf8_lossy(name);
    if text.eq_ignore_ascii_case("INBOX") {
        return "INBOX".to_owned();
    }
    if utf8 { utf7::encode(&text) } else { text.into_owned() }
}
