//! Folders that every mailbox has, and the names by which all clients know them.

/// A folder of every mailbox.
pub struct WellKnown {
    /// The name that works as an id, in any language.
    pub name: &'static str,
    /// The folder it lies in.
    pub parent: &'static str,
    /// What people see, in English and in German.
    pub shown: (&'static str, &'static str),
    /// Whether lists leave it out.
    pub is_hidden: bool,
}

const fn folder(
    name: &'static str,
    parent: &'static str,
    shown: (&'static str, &'static str),
    is_hidden: bool,
) -> WellKnown {
    WellKnown { name, parent, shown, is_hidden }
}

/// The root of what people see.
pub const ROOT: &str = "msgfolderroot";

/// All of them; a parent comes before its children.
pub const WELL_KNOWN: [WellKnown; 18] = [
    folder(ROOT, ROOT, ("Top of Information Store", "Oberste Ebene des Informationsspeichers"), false),
    folder("archive", ROOT, ("Archive", "Archiv"), false),
    folder("conversationhistory", ROOT, ("Conversation History", "Aufgezeichnete Unterhaltungen"), false),
    folder("deleteditems", ROOT, ("Deleted Items", "Gelöschte Elemente"), false),
    folder("drafts", ROOT, ("Drafts", "Entwürfe"), false),
    folder("inbox", ROOT, ("Inbox", "Posteingang"), false),
    folder("junkemail", ROOT, ("Junk Email", "Junk-E-Mail"), false),
    folder("outbox", ROOT, ("Outbox", "Postausgang"), false),
    folder("sentitems", ROOT, ("Sent Items", "Gesendete Elemente"), false),
    folder("clutter", ROOT, ("Clutter", "Wichtig"), true),
    folder("syncissues", ROOT, ("Sync Issues", "Synchronisierungsprobleme"), true),
    folder("conflicts", "syncissues", ("Conflicts", "Konflikte"), true),
    folder("localfailures", "syncissues", ("Local Failures", "Lokale Fehler"), true),
    folder("serverfailures", "syncissues", ("Server Failures", "Serverfehler"), true),
    folder("searchfolders", "", ("Search Folders", "Suchordner"), true),
    folder("recoverableitemsroot", "", ("Recoverable Items", "Wiederherstellbare Elemente"), true),
    folder("recoverableitemsdeletions", "recoverableitemsroot", ("Deletions", "Löschungen"), true),
    folder("scheduled", ROOT, ("Scheduled", "Geplant"), true),
];
