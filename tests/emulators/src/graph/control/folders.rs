//! Folders as "another client" changes them.

use crate::graph::Graph;
use crate::graph::folders::{add, drop_tree, put, rename};
use crate::graph::ids::Kind;
use crate::graph::well_known::ROOT;

impl Graph {
    /// A folder is made below another one, or below the root; its id.
    pub fn create_folder(&self, user: &str, name: &str, parent: Option<&str>, is_hidden: bool) -> Option<String> {
        self.change(user, |mailbox, journal| {
            let parent = mailbox.folder(parent.unwrap_or(ROOT)).ok()?.number;
            let number = add(mailbox, parent, name, is_hidden, journal).ok()?;
            Some(mailbox.ids.id(Kind::Folder, number))
        })
    }

    /// A search folder is made; its id.
    pub fn create_search_folder(&self, user: &str, name: &str, query: &str) -> Option<String> {
        self.change(user, |mailbox, journal| {
            let parent = mailbox.the("searchfolders");
            let number = add(mailbox, parent, name, false, journal).ok()?;
            mailbox.folders.get_mut(&number)?.query = Some(query.to_owned());
            Some(mailbox.ids.id(Kind::Folder, number))
        })
    }

    /// A folder gets another name.
    pub fn rename_folder(&self, user: &str, folder: &str, name: &str) -> Option<()> {
        self.change(user, |mailbox, journal| {
            let number = mailbox.folder(folder).ok()?.number;
            rename(mailbox, number, name, journal).ok()
        })
    }

    /// A folder goes below another one.
    pub fn move_folder(&self, user: &str, folder: &str, parent: &str) -> Option<()> {
        self.change(user, |mailbox, journal| {
            let (number, parent) = (mailbox.folder(folder).ok()?.number, mailbox.folder(parent).ok()?.number);
            put(mailbox, number, parent, journal).ok()
        })
    }

    /// A folder goes for good, with all that is in it.
    pub fn delete_folder(&self, user: &str, folder: &str) -> Option<()> {
        self.change(user, |mailbox, journal| {
            let number = mailbox.folder(folder).ok()?.number;
            drop_tree(mailbox, number, journal);
            Some(())
        })
    }

    /// The id of a folder by the name that every mailbox knows it by.
    pub fn folder_id(&self, user: &str, name: &str) -> Option<String> {
        let id = self.user_id(user)?;
        let state = self.state();
        let mailbox = state.mailboxes.get(&id)?;
        Some(mailbox.ids.id(Kind::Folder, mailbox.folder(name).ok()?.number))
    }
}
