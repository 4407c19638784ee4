//! Full disks. These tests mount a small file system, which only root may do; elsewhere they say that they are left out.

use super::{MARK, assert_well, connect_through, error_of, in_status, large_mail, mail, sink};
use crate::mailbox::{backfilled, server_mails, stored_mails};
use crate::support::{Backend, Client, Dovecot, Fault, ImapProxy, MailGenerator, TestProcess, wait_until};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MAILS: usize = 300;

/// A small file system in memory; unmounted with this value.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Mounts it; nothing when that is not allowed here.
    fn mount(megabytes: usize) -> Option<Self> {
        let dir = TempDir::with_prefix("duplex-disk-").unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "duplex-test"]).arg(dir.path()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { dir });
        }
        eprintln!("SKIPPED: a full disk cannot be tested here, since only root may mount a file system");
        None
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves no room at all, until the answer is deleted.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        let mut piece = vec![b'x'; 1024 * 1024];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        path
    }

    /// The files that a write left half done, by name.
    fn left_overs(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name().to_string_lossy().contains('#') {
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("a small disk stays behind at {}", self.path().display());
        }
    }
}

/// Whatever a client asks for while the disk is full, the answer is the usual one or 503.
async fn assert_no_fault(owner: &Client, id: &str) {
    let account = format!("/api/email/accounts/{id}");
    for path in [account.as_str(), "/api/email/messages", "/api/email/threads", "/api/me"] {
        let answer = owner.get(path).await;
        assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
    }
    let answer = owner.patch(&account, json!({"display_name": "Olga"})).await;
    assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
    let answer = owner.post(&format!("{account}/sync"), json!(null)).await;
    assert!(answer.status == 202 || answer.status == 503, "{answer:?}");
    assert_eq!(owner.get("/healthz").await.status, 200);
}

/// Makes room and insists that everything arrives.
async fn recover(duplex: &TestProcess, owner: &Client, id: &str, ballast: &Path) {
    std::fs::remove_file(ballast).unwrap();
    wait_until("it is ready again", async || owner.get("/readyz").await.status == 200).await;
    assert_well(&backfilled(owner, id).await);
    assert!(!duplex.words().contains("panicked"), "{}", duplex.words());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_database_and_files_stops_the_import_until_there_is_room() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let mailbox = Dovecot::shared().mailbox();
    let mut generator = MailGenerator::new(81);
    mailbox.seed("INBOX", &generator.take(MAILS));
    mailbox.seed("INBOX", &[mail("middle@garden.example", MARK.as_bytes())]);
    mailbox.seed("INBOX", &generator.take(MAILS));
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::Wait);
    let duplex = TestProcess::start_with(Backend::Sqlite, |settings| {
        settings.set("DATA_DIR", disk.path().to_str().unwrap());
    })
    .await;
    let owner = duplex.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
    proxy.until_met(1).await;
    let ballast = disk.fill();
    proxy.behave();
    owner.get("/readyz").await.problem(503, "unavailable");
    wait_until("the import meets the full disk", async || {
        assert_no_fault(&owner, &id).await;
        duplex.words().contains("a sync failed")
    })
    .await;
    recover(&duplex, &owner, &id, &ballast).await;
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    assert_eq!(disk.left_overs(), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_storage_is_an_error_of_the_mailbox_until_there_is_room() {
    let Some(disk) = SmallDisk::mount(64) else { return };
    let mailbox = Dovecot::shared().mailbox();
    mailbox.seed("INBOX", &MailGenerator::new(82).take(MAILS));
    mailbox.seed("INBOX", &[large_mail("large@garden.example", 28)]);
    let proxy = ImapProxy::start(&mailbox).await;
    proxy.spoil(MARK, Fault::Wait);
    let duplex = TestProcess::start_with(Backend::Postgres, |settings| {
        settings.set("STORAGE_URL", &format!("file://{}", disk.path().display()));
    })
    .await;
    let owner = duplex.owner().await;
    let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
    proxy.until_met(1).await;
    let ballast = disk.fill();
    proxy.behave();
    let broken = in_status(&owner, &id, "error").await;
    assert_eq!(error_of(&broken), "storage_unavailable");
    owner.get("/readyz").await.problem(503, "unavailable");
    assert_no_fault(&owner, &id).await;
    recover(&duplex, &owner, &id, &ballast).await;
    assert_eq!(stored_mails(&owner, &id).await, server_mails(&mailbox));
    assert_eq!(disk.left_overs(), Vec::<PathBuf>::new());
}
