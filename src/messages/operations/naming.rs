//! What a folder that is to be made is called here and at the provider.

use crate::messages::model::Folder;
use crate::providers::imap::{decode_folder_name, encode_folder_name};

/// The names of a folder that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewName {
    /// The readable path with `/`.
    pub name: String,
    /// The provider's name.
    pub raw: String,
    /// How many characters of it are the name of the parent; none at the top.
    pub parent: Option<String>,
}

/// Spells the name of a new folder, or answers the character that the server's own spelling leaves no room for.
///
/// How a server separates levels is read off the folders that it has, and whether it keeps all of them below INBOX too.
pub(super) fn new_name(existing: &[Folder], name: &str) -> Result<NewName, char> {
    let delimiter = delimiter(existing);
    if name.eq_ignore_ascii_case("INBOX") {
        return Ok(NewName { name: "INBOX".to_owned(), raw: "INBOX".to_owned(), parent: None });
    }
    if delimiter != '/' && name.contains(delimiter) {
        return Err(delimiter);
    }
    let below = below_inbox(existing, delimiter) && !name.starts_with("INBOX/");
    let name = if below { format!("INBOX/{name}") } else { name.to_owned() };
    let levels: Vec<String> = name.split('/').map(encode_folder_name).collect();
    let between = delimiter.to_string();
    let parent = levels.split_last().filter(|(_, above)| !above.is_empty()).map(|(_, above)| above.join(&between));
    Ok(NewName { raw: levels.join(&between), name, parent })
}

/// The character that the server puts between levels, as far as a folder below another shows it.
fn delimiter(existing: &[Folder]) -> char {
    let shown = |folder: &Folder| {
        let raw = decode_folder_name(&folder.external_id);
        raw.chars().zip(folder.name.chars()).find(|(raw, name)| *name == '/' && *raw != '/').map(|(raw, _)| raw)
    };
    existing.iter().find_map(shown).unwrap_or('/')
}

/// Whether every folder but INBOX lies below it (Courier and its kin): nothing can be made beside it there.
fn below_inbox(existing: &[Folder], delimiter: char) -> bool {
    let prefix = format!("INBOX{delimiter}");
    let mut others = existing.iter().filter(|folder| folder.external_id != "INBOX").peekable();
    others.peek().is_some() && others.all(|folder| folder.external_id.starts_with(&prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, FolderId};
    use crate::messages::model::FolderCursor;

    fn folder(raw: &str, name: &str) -> Folder {
        Folder {
            id: FolderId::new(),
            account: AccountId::new(),
            external_id: raw.to_owned(),
            parent: None,
            name: name.to_owned(),
            role: None,
            selectable: true,
            included: true,
            provider_count: None,
            cursor: FolderCursor::default(),
            error: None,
        }
    }

    fn raw(existing: &[Folder], name: &str) -> Result<String, char> {
        new_name(existing, name).map(|new| new.raw)
    }

    #[test]
    fn a_name_is_spelled_as_the_server_spells_its_own() {
        let slashes = [folder("INBOX", "INBOX"), folder("A/B", "A/B")];
        let dots = [folder("INBOX", "INBOX"), folder("A.B", "A/B"), folder("Archive", "Archive")];
        assert_eq!(raw(&slashes, "Kunden/Müller"), Ok("Kunden/M&APw-ller".to_owned()));
        assert_eq!(raw(&dots, "Kunden/Müller"), Ok("Kunden.M&APw-ller".to_owned()));
        assert_eq!(raw(&dots, "v1.2"), Err('.'));
        assert_eq!(raw(&[], "inbox"), Ok("INBOX".to_owned()));
        assert_eq!(new_name(&slashes, "a/b/c").unwrap().parent.as_deref(), Some("a/b"));
    }

    #[test]
    fn where_everything_lies_below_inbox_a_new_folder_does_too() {
        let courier = [folder("INBOX", "INBOX"), folder("INBOX.Sent", "INBOX/Sent")];
        let new = new_name(&courier, "Offers").unwrap();
        assert_eq!((new.raw.as_str(), new.name.as_str()), ("INBOX.Offers", "INBOX/Offers"));
        assert_eq!(raw(&courier, "INBOX/Offers"), Ok("INBOX.Offers".to_owned()));
        let mixed = [folder("INBOX.Sent", "INBOX/Sent"), folder("Other", "Other")];
        assert_eq!(raw(&mixed, "Offers"), Ok("Offers".to_owned()));
        assert_eq!(raw(&[folder("INBOX", "INBOX")], "Offers"), Ok("Offers".to_owned()));
    }
}
