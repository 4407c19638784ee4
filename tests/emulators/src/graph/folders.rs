//! Folders: `mailFolders` and `childFolders`.

use super::call::Call;
use super::errors::ApiError;
use super::mailbox::Journal;
use super::model::{Folder, Mailbox, What};
use super::query::{Item, Scalar};
use super::view::{FOLDER, check_select};
use super::well_known::ROOT;
use crate::shared::http::Reply;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SET: &str = "mailFolders";
const PAGE: usize = 10;

struct Listed<'a>(&'a Folder, (usize, usize));

impl Item for Listed<'_> {
    fn scalar(&self, property: &str) -> Option<Scalar> {
        match property {
            "displayName" => Some(Scalar::Text(self.0.name.clone())),
            "isHidden" => Some(Scalar::Bool(self.0.is_hidden)),
            "totalItemCount" => Some(Scalar::Number(self.1.0 as f64)),
            "unreadItemCount" => Some(Scalar::Number(self.1.1 as f64)),
            _ => None,
        }
    }

    fn list(&self, _: &str) -> Option<Vec<Vec<(String, String)>>> {
        None
    }
}

fn check(call: &Call<'_>) -> Result<(), ApiError> {
    check_select(call.options.select.as_ref(), &FOLDER, "microsoft.graph.mailFolder")?;
    match call.options.expand.iter().find(|expand| expand.name != "childFolders") {
        None => Ok(()),
        Some(expand) => {
            let text =
                format!("Could not find a property named '{}' on type 'microsoft.graph.mailFolder'.", expand.name);
            Err(ApiError::bad_query(text))
        }
    }
}

/// The folders right below one, by name.
fn below(mailbox: &Mailbox, parent: u64, with_hidden: bool) -> Vec<&Folder> {
    let inner = mailbox.folders.values().filter(|one| one.parent == parent && one.number != parent);
    let mut inner: Vec<&Folder> = inner.filter(|one| with_hidden || !one.is_hidden).collect();
    inner.sort_by_key(|one| one.name.to_lowercase());
    inner
}

/// `mailFolders` lists what lies right below the root, and `childFolders` what lies right below a folder.
pub fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    check(call)?;
    let id = call.place("folder");
    let with_hidden = call.options.is("includeHiddenFolders");
    let options = call.options.clone();
    let size = options.top.or(call.prefer.page_size).unwrap_or(PAGE);
    let view = call.view()?;
    let parent = if id.is_empty() { view.mailbox.the(ROOT) } else { view.mailbox.folder(&id)?.number };
    let counts = view.mailbox.counts();
    let count = |folder: &Folder| counts.get(&folder.number).copied().unwrap_or_default();
    let mut found = below(view.mailbox, parent, with_hidden);
    if let Some(filter) = &options.filter {
        if let Some(any) = view.mailbox.folders.values().next() {
            filter.check(&Listed(any, (0, 0)))?;
        }
        found.retain(|folder| filter.holds(&Listed(folder, count(folder))));
    }
    match options.order.as_slice() {
        [] => {}
        [order] if order.property == "displayName" => {
            if order.descending {
                found.reverse();
            }
        }
        _ => return Err(ApiError::bad_request("Folders are ordered by displayName alone.")),
    }
    let total = found.len();
    let shown: Vec<Value> = found
        .into_iter()
        .skip(options.skip)
        .take(size)
        .map(|folder| {
            let mut shown = view.folder(folder, &counts, options.select.as_ref());
            if let Some(expand) = options.expand.first() {
                let inner = below(view.mailbox, folder.number, with_hidden);
                let inner = inner.into_iter().map(|one| view.folder(one, &counts, expand.select.as_ref()));
                shown["childFolders"] = inner.collect();
            }
            shown
        })
        .collect();
    let end = options.skip + shown.len();
    let next = (end < total).then(|| call.next_link(end));
    Ok(call.page(SET, shown, options.count.then_some(total), next))
}

/// `GET mailFolders/{id}`.
pub fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    check(call)?;
    let id = call.place("folder");
    let options = call.options.clone();
    let view = call.view()?;
    let folder = view.mailbox.folder(&id)?;
    let counts = view.mailbox.counts();
    let mut value = view.folder(folder, &counts, options.select.as_ref());
    if let Some(expand) = options.expand.first() {
        let inner = below(view.mailbox, folder.number, false);
        value["childFolders"] =
            inner.into_iter().map(|one| view.folder(one, &counts, expand.select.as_ref())).collect();
    }
    Ok(call.single(200, SET, value))
}

fn shown(call: &mut Call<'_>, number: u64, status: u16) -> Result<Reply, ApiError> {
    let view = call.view()?;
    let folder = view.mailbox.folders.get(&number).ok_or_else(ApiError::not_found)?;
    let value = view.folder(folder, &view.mailbox.counts(), None);
    Ok(call.single(status, SET, value))
}

fn exists(name: &str) -> ApiError {
    ApiError::new(
        409,
        "ErrorFolderExists",
        format!("A folder with the specified name already exists., Could not create folder '{name}'."),
    )
}

fn is_taken(mailbox: &Mailbox, parent: u64, name: &str, except: u64) -> bool {
    let same = |folder: &&Folder| folder.parent == parent && folder.number != except;
    mailbox.folders.values().filter(same).any(|folder| folder.name.eq_ignore_ascii_case(name))
}

/// Makes a folder; its number.
pub fn add(
    mailbox: &mut Mailbox,
    parent: u64,
    name: &str,
    is_hidden: bool,
    journal: &mut Journal,
) -> Result<u64, ApiError> {
    if name.trim().is_empty() || name.len() > 255 {
        return Err(ApiError::new(400, "ErrorInvalidFolderName", "The folder name is not valid."));
    }
    if is_taken(mailbox, parent, name, 0) {
        return Err(exists(name));
    }
    mailbox.given.folders += 1;
    let number = mailbox.given.folders;
    let folder = Folder { number, name: name.to_owned(), parent, is_hidden, well_known: None, query: None };
    mailbox.folders.insert(number, folder);
    journal.push(What::Folder { folder: number, is_gone: false });
    Ok(number)
}

/// `POST mailFolders` and `POST childFolders`.
pub fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let name = call.text("displayName").unwrap_or_default().to_owned();
    let is_hidden = call.value("isHidden").and_then(Value::as_bool).unwrap_or(false);
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let parent = if id.is_empty() { mailbox.the(ROOT) } else { mailbox.folder(&id)?.number };
    let number = add(mailbox, parent, &name, is_hidden, &mut journal)?;
    call.commit(journal);
    shown(call, number, 201)
}

/// Gives a folder another name.
pub fn rename(mailbox: &mut Mailbox, number: u64, name: &str, journal: &mut Journal) -> Result<(), ApiError> {
    let folder = mailbox.folders.get(&number).ok_or_else(ApiError::not_found)?;
    if is_taken(mailbox, folder.parent, name, number) {
        return Err(exists(name));
    }
    if let Some(folder) = mailbox.folders.get_mut(&number) {
        name.clone_into(&mut folder.name);
        journal.push(What::Folder { folder: number, is_gone: false });
    }
    Ok(())
}

/// `PATCH mailFolders/{id}`: the name alone.
pub fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let name = call.text("displayName").map(str::to_owned);
    let name = name.ok_or_else(|| ApiError::bad_request("Only displayName can be changed."))?;
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let folder = mailbox.folder(&id)?;
    let number = folder.number;
    if folder.well_known.is_some() {
        let text = "Distinguished folders cannot be renamed.";
        return Err(ApiError::new(403, "ErrorAccessDenied", text));
    }
    rename(mailbox, number, &name, &mut journal)?;
    call.commit(journal);
    shown(call, number, 200)
}

/// Moves a folder with all that is in it.
pub fn put(mailbox: &mut Mailbox, number: u64, parent: u64, journal: &mut Journal) -> Result<(), ApiError> {
    let folder = mailbox.folders.get(&number).ok_or_else(ApiError::not_found)?;
    if folder.well_known.is_some() {
        return Err(ApiError::new(400, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved."));
    }
    if mailbox.tree(number).contains(&parent) {
        return Err(ApiError::new(400, "ErrorMoveCopyFailed", "A folder cannot be moved into itself."));
    }
    let name = folder.name.clone();
    if is_taken(mailbox, parent, &name, number) {
        return Err(exists(&name));
    }
    if let Some(folder) = mailbox.folders.get_mut(&number) {
        folder.parent = parent;
        journal.push(What::Folder { folder: number, is_gone: false });
    }
    Ok(())
}

/// `POST mailFolders/{id}/move`: the id stays.
pub fn relocate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let destination = call.text("destinationId").unwrap_or_default().to_owned();
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let (number, parent) = (mailbox.folder(&id)?.number, mailbox.folder(&destination)?.number);
    put(mailbox, number, parent, &mut journal)?;
    call.commit(journal);
    shown(call, number, 200)
}

/// Removes a folder for good, with all that is in it.
pub fn drop_tree(mailbox: &mut Mailbox, number: u64, journal: &mut Journal) {
    let tree = mailbox.tree(number);
    let inside: Vec<u64> =
        mailbox.mails.values().filter(|mail| tree.contains(&mail.folder)).map(|mail| mail.key).collect();
    for key in inside {
        mailbox.remove(key, journal);
    }
    for folder in tree.into_iter().rev() {
        mailbox.folders.remove(&folder);
        journal.push(What::Folder { folder, is_gone: true });
    }
}

fn own(mailbox: &Mailbox, id: &str) -> Result<u64, ApiError> {
    let folder = mailbox.folder(id)?;
    if folder.well_known.is_some() {
        return Err(ApiError::new(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."));
    }
    Ok(folder.number)
}

/// `DELETE mailFolders/{id}`: into Deleted Items or out of sight, as with mails.
pub fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let often = call.state.settings.delete_hides;
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let number = own(mailbox, &id)?;
    let bin = mailbox.the("deleteditems");
    let hides = often.applies(number) || mailbox.tree(bin).contains(&number);
    if hides || put(mailbox, number, bin, &mut journal).is_err() {
        drop_tree(mailbox, number, &mut journal);
    }
    call.commit(journal);
    Ok(Reply::empty(204))
}

/// `POST mailFolders/{id}/permanentDelete`.
pub fn purge(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.place("folder");
    let mut journal = Journal::new();
    let mailbox = call.mailbox()?;
    let number = own(mailbox, &id)?;
    drop_tree(mailbox, number, &mut journal);
    call.commit(journal);
    Ok(Reply::empty(204))
}

/// Folders as the control API shows them.
pub fn dump(mailbox: &Mailbox, counts: &BTreeMap<u64, (usize, usize)>) -> Vec<Value> {
    let id = |number| mailbox.ids.id(super::ids::Kind::Folder, number);
    let show = |folder: &Folder| {
        let (total, unread) = counts.get(&folder.number).copied().unwrap_or_default();
        json!({
            "id": id(folder.number), "name": folder.name, "parent": id(folder.parent), "well_known": folder.well_known,
            "is_hidden": folder.is_hidden, "total": total, "unread": unread,
        })
    };
    mailbox.folders.values().map(show).collect()
}
