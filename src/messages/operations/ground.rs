//! What a change stands on: the mails that are meant, their places, and the folders of their mailboxes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::Change;
use super::naming::new_name;
use super::plan::{Folders, Goal, Known, Row, Target};
use super::store::load::{self, Mail};
use super::store::places::Location;
use super::store::{folders, places};
use crate::access::Access;
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::ids::{AccountId, EmailId, FolderId};
use crate::messages::model::{Folder, FolderRole};
use crate::messages::store;

/// A mailbox's folders, all of them and as plans see them.
#[derive(Debug, Default)]
struct Folderbox {
    all: Vec<Folder>,
    known: Folders,
}

/// The state before a change.
pub(super) struct Ground {
    boxes: BTreeMap<AccountId, Folderbox>,
    locations: HashMap<EmailId, Vec<Location>>,
    made: HashMap<(AccountId, Target), FolderId>,
}

impl Ground {
    /// Reads it; refuses mails of a mailbox that is kept to read only.
    pub async fn load(tx: &mut DbConn, access: &Access, mails: &[Mail]) -> ApiResult<Self> {
        let accounts = load::accounts(tx, access).await?;
        let touched: BTreeSet<AccountId> = mails.iter().map(|mail| mail.account_id).collect();
        if touched.iter().any(|account| accounts.get(account).is_some_and(Option::is_some)) {
            return Err(ApiError::new(
                ErrorCode::AccountNotActive,
                "The mailbox was disconnected and its mail is kept to read only. Connect it again to change mail.",
            ));
        }
        let mut boxes = BTreeMap::new();
        for account in touched {
            let all = store::list_folders(tx, account).await?;
            let known = all.iter().filter(|folder| folder.selectable).map(known).collect();
            boxes.insert(account, Folderbox { all, known: Folders { known } });
        }
        let ids: Vec<EmailId> = mails.iter().map(|mail| mail.id).collect();
        let mut locations: HashMap<EmailId, Vec<Location>> = HashMap::new();
        for row in places::locations(tx, &ids).await? {
            locations.entry(row.email_id).or_default().push(row);
        }
        Ok(Self { boxes, locations, made: HashMap::new() })
    }

    /// The folders of a mailbox.
    pub fn folders(&self, account: AccountId) -> &Folders {
        const NONE: &Folders = &Folders { known: Vec::new() };
        self.boxes.get(&account).map_or(NONE, |found| &found.known)
    }

    /// The places of a mail.
    pub fn locations(&self, mail: EmailId) -> &[Location] {
        self.locations.get(&mail).map_or(&[], Vec::as_slice)
    }

    /// The places of a mail as plans see them.
    pub fn rows(&self, mail: &Mail) -> Vec<Row> {
        let folders = self.folders(mail.account_id);
        let row = |location: &Location| Row {
            id: location.id,
            folder: location.folder_id,
            role: folders.role(location.folder_id),
            arrived: location.uid.is_some(),
            is_read: location.is_read,
            is_starred: location.is_starred,
        };
        self.locations(mail.id).iter().map(row).collect()
    }

    /// Whether any of these mails lies in an inbox.
    pub fn any_in_inbox(&self, mails: &[Mail]) -> bool {
        mails.iter().any(|mail| self.rows(mail).iter().any(|row| row.role == Some(FolderRole::Inbox)))
    }

    /// Refuses folders and labels that cannot be meant.
    pub async fn check(&self, tx: &mut DbConn, access: &Access, mails: &[Mail], change: &Change) -> ApiResult<()> {
        for (field, id) in [("folder_id", change.folder_id), ("from_folder_id", change.from_folder_id)] {
            let Some(id) = id else { continue };
            let home = self.boxes.iter().find(|(_, found)| found.all.iter().any(|folder| folder.id == id));
            let Some((account, found)) = home else {
                return Err(elsewhere(tx, access, field, id).await?);
            };
            if field == "folder_id" && mails.iter().any(|mail| mail.account_id != *account) {
                return Err(other_mailbox(field));
            }
            if found.all.iter().any(|folder| folder.id == id && !folder.selectable) {
                return Err(ApiError::invalid(field, "this folder only holds other folders, no mail"));
            }
        }
        for (field, names) in [("add_labels", &change.add_labels), ("remove_labels", &change.remove_labels)] {
            for name in names {
                self.boxes.values().try_for_each(|found| label_fits(found, field, name))?;
            }
        }
        Ok(())
    }

    /// The folder that a goal means; one that does not exist yet is made.
    pub async fn resolve(
        &mut self,
        tx: &mut DbConn,
        account: AccountId,
        goal: &Goal,
        now: Timestamp,
    ) -> ApiResult<FolderId> {
        let (name, role) = match &goal.target {
            Target::Folder(id) => return Ok(*id),
            Target::Role(role) => (name_of(*role), Some(*role)),
            Target::Label(name) => (name.as_str(), None),
        };
        let key = (account, goal.target.clone());
        if let Some(made) = self.made.get(&key) {
            return Ok(*made);
        }
        let known = self.boxes.entry(account).or_default();
        let id = match known.known.named(name) {
            Some(folder) => folder.id,
            None => {
                let new = new_name(&known.all, name).map_err(|character| unfit(name, character))?;
                folders::make(tx, account, &new, role, now).await?
            }
        };
        self.made.insert(key, id);
        Ok(id)
    }
}

fn known(folder: &Folder) -> Known {
    Known { id: folder.id, name: folder.name.clone(), role: folder.role }
}

fn name_of(role: FolderRole) -> &'static str {
    match role {
        FolderRole::Inbox => "INBOX",
        FolderRole::Sent => "Sent",
        FolderRole::Drafts => "Drafts",
        FolderRole::Trash => "Trash",
        FolderRole::Spam => "Junk",
        FolderRole::Archive | FolderRole::All | FolderRole::Label => "Archive",
    }
}

/// Why a folder cannot be meant that lies in none of the mails' mailboxes.
async fn elsewhere(tx: &mut DbConn, access: &Access, field: &'static str, id: FolderId) -> ApiResult<ApiError> {
    for account in load::accounts(tx, access).await?.into_keys() {
        if store::list_folders(tx, account).await?.iter().any(|folder| folder.id == id) {
            return Ok(other_mailbox(field));
        }
    }
    Ok(ApiError::not_found())
}

fn other_mailbox(field: &'static str) -> ApiError {
    ApiError::invalid(field, "the folder belongs to another mailbox than a mail; mails move within their mailbox")
}

fn unfit(name: &str, character: char) -> ApiError {
    let message = format!("this mail server takes `{character}` for the border between levels: rename \"{name}\"");
    ApiError::invalid("add_labels", message)
}

fn label_fits(found: &Folderbox, field: &'static str, name: &str) -> ApiResult<()> {
    let special = |role: FolderRole| role != FolderRole::Label;
    let is_special = found.known.named(name).is_some_and(|folder| folder.role.is_some_and(special));
    if is_special || name.eq_ignore_ascii_case("INBOX") {
        let message =
            format!("\"{name}\" is a folder with a purpose of its own; archive, trash or move the mail instead");
        return Err(ApiError::invalid(field, message));
    }
    if field == "add_labels" && found.known.named(name).is_none() {
        if found.all.iter().any(|folder| folder.name == name) {
            return Err(ApiError::invalid(field, format!("\"{name}\" only holds other folders, no mail")));
        }
        new_name(&found.all, name).map_err(|character| unfit(name, character))?;
    }
    Ok(())
}
