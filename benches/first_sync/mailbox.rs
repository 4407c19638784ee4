//! The mailbox of an office: its folders and mails, and how `mbsync` is told to fetch it.

use crate::support::{self, MailGenerator, Mailbox};
use std::path::Path;

/// The folders, with their share of the mails in percent.
pub const FOLDERS: [(&str, usize); 6] =
    [("INBOX", 40), ("Sent", 22), ("Archive", 16), ("Clients", 10), ("Clients/2025", 6), ("Newsletters", 6)];

/// Fills the mailbox in slices, so that a large one does not stand in memory whole; gives the bytes.
pub fn fill(mailbox: &Mailbox<'_>, mails: usize) -> usize {
    let mut generator = MailGenerator::office(7);
    let mut bytes = 0;
    for (folder, share) in FOLDERS {
        let mut left = mails * share / 100;
        while left > 0 {
            let slice = generator.take(left.min(500));
            left -= slice.len();
            bytes += slice.iter().map(|mail| mail.raw.len()).sum::<usize>();
            mailbox.seed(folder, &slice);
        }
    }
    bytes
}

/// Its settings: everything into a Maildir.
pub fn mbsync_config(mailbox: &Mailbox<'_>, store: &Path, fsync: bool) -> String {
    let store = store.display();
    format!(
        "{}IMAPAccount server\nHost localhost\nPort {}\nUser {}\nPass {}\nSSLType IMAPS\nCertificateFile {}\n\n\
         IMAPStore far\nAccount server\n\n\
         MaildirStore near\nSubFolders Verbatim\nPath {store}/\nInbox {store}/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\nSyncState *\nSync Pull\n",
        if fsync { "" } else { "FSync no\n\n" },
        mailbox.server.imaps_port,
        mailbox.user,
        support::dovecot::PASSWORD,
        support::pki::pki().authority.display(),
    )
}
