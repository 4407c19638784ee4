//! What is known of a mailbox's folders, and which of them a change means.

use crate::accounts::Provider;
use crate::ids::FolderId;
use crate::messages::model::FolderRole;

/// A folder that may not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    Folder(FolderId),
    /// The folder for a purpose, made when absent.
    Role(FolderRole),
    /// The folder of a label, made when absent.
    Label(String),
}

/// What is known of a mailbox's folders.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// Who keeps the mailbox.
    pub provider: Provider,
    pub known: Vec<Known>,
}

/// A folder that exists.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub id: FolderId,
    pub name: String,
    pub role: Option<FolderRole>,
}

impl Folders {
    /// Whether a mail is one thing with labels, which a view of all mail shows until it is trash or spam (Gmail). Elsewhere
    /// it is a copy in each folder.
    pub fn are_labels(&self) -> bool {
        self.provider == Provider::Gmail
    }

    /// The folder for a purpose.
    pub fn of_role(&self, role: FolderRole) -> Option<FolderId> {
        self.known.iter().find(|folder| folder.role == Some(role)).map(|folder| folder.id)
    }

    /// The folder of a label: below the folder that holds all others, where there is one. Names of Gmail's labels differ in
    /// more than upper and lower case.
    pub fn named(&self, name: &str) -> Option<&Known> {
        let find = |is_it: &dyn Fn(&Known) -> bool| self.known.iter().find(|folder| is_it(folder));
        find(&|folder| folder.name == name).or_else(|| {
            if self.are_labels() {
                let lower = name.to_lowercase();
                find(&|folder| folder.name.to_lowercase() == lower)
            } else {
                find(&|folder| folder.name.strip_prefix("INBOX/") == Some(name))
            }
        })
    }

    /// What a folder is for.
    pub fn role(&self, id: FolderId) -> Option<FolderRole> {
        self.known.iter().find(|folder| folder.id == id).and_then(|folder| folder.role)
    }

    /// Whether a folder is there still.
    pub fn exists(&self, id: FolderId) -> bool {
        self.known.iter().any(|folder| folder.id == id)
    }

    /// The folder for a purpose, made when absent.
    pub fn target(&self, role: FolderRole) -> Target {
        self.of_role(role).map_or(Target::Role(role), Target::Folder)
    }

    /// Where archived mail lies: some servers have a view of all mail in the place of an archive.
    pub fn archive(&self) -> Target {
        let view = || self.of_role(FolderRole::All).map(Target::Folder);
        match self.of_role(FolderRole::Archive) {
            Some(id) => Target::Folder(id),
            None => view().unwrap_or(Target::Role(FolderRole::Archive)),
        }
    }

    /// The folder of a label, made when absent.
    pub fn label(&self, name: &str) -> Target {
        self.named(name).map_or_else(|| Target::Label(name.to_owned()), |folder| Target::Folder(folder.id))
    }
}
