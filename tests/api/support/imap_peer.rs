//! The independent IMAP client: `imap_peer.py`, on Python's imaplib, run once for each list of steps.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A second client of a mailbox, whose word on what lies there the tests trust.
pub struct ImapPeer {
    port: u16,
    user: String,
    password: String,
}

/// A folder as the peer sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct PeerFolder {
    /// The whole path with `/`, decoded.
    pub name: String,
    /// How many mails lie in it.
    pub messages: usize,
    /// Changes when UIDs start anew.
    pub uid_validity: u32,
}

/// A mail as the peer sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct PeerMail {
    /// Its number in the folder.
    pub uid: u32,
    /// The digest of the raw mail, lower-case hex.
    pub sha256: String,
    /// Bytes of the raw mail.
    pub size: usize,
    /// Its flags, such as `\Seen`.
    pub flags: Vec<String>,
}

impl ImapPeer {
    /// A client of the server at this plain loopback port.
    pub fn new(port: u16, user: &str, password: &str) -> Self {
        Self { port, user: user.to_owned(), password: password.to_owned() }
    }

    /// Runs the steps in one connection and gives their answers; panics when one fails.
    pub fn run(&self, steps: &[Value]) -> Vec<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/support/imap_peer.py");
        let order = json!({
            "host": "127.0.0.1", "port": self.port, "tls": false, "user": self.user, "password": self.password, "do": steps,
        });
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "the IMAP peer failed: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    fn one<T: serde::de::DeserializeOwned>(&self, step: Value) -> T {
        serde_json::from_value(self.run(&[step]).remove(0)).unwrap()
    }

    /// All folders that can hold mail.
    pub fn folders(&self) -> Vec<PeerFolder> {
        self.one(json!({"op": "folders"}))
    }

    /// How many mails lie in each folder.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.folders().into_iter().map(|folder| (folder.name, folder.messages)).collect()
    }

    /// All mails of a folder, by UID.
    pub fn mails(&self, folder: &str) -> Vec<PeerMail> {
        self.one(json!({"op": "mails", "folder": folder}))
    }

    /// The bytes of one mail.
    pub fn raw(&self, folder: &str, uid: u32) -> Vec<u8> {
        let packed: String = self.one(json!({"op": "raw", "folder": folder, "uid": uid}));
        BASE64.decode(packed.as_bytes()).unwrap()
    }

    /// The bytes of all mails of a folder, read at one moment.
    pub fn raws(&self, folder: &str) -> Vec<Vec<u8>> {
        let packed: Vec<String> = self.one(json!({"op": "raws", "folder": folder}));
        packed.iter().map(|mail| BASE64.decode(mail.as_bytes()).unwrap()).collect()
    }

    /// Puts mails into a folder as a mail server or another client would.
    pub fn append(&self, folder: &str, mails: &[Vec<u8>], flags: &[&str]) {
        let mails: Vec<String> = mails.iter().map(|raw| BASE64.encode(raw)).collect();
        self.run(&[json!({"op": "append", "folder": folder, "mails": mails, "flags": flags})]);
    }

    /// Sets and clears flags.
    pub fn flag(&self, folder: &str, uids: &[u32], add: &[&str], remove: &[&str]) {
        self.run(&[json!({"op": "flag", "folder": folder, "uids": uids, "add": add, "remove": remove})]);
    }

    /// Moves mails to another folder.
    pub fn move_to(&self, folder: &str, uids: &[u32], to: &str) {
        self.run(&[json!({"op": "move", "folder": folder, "uids": uids, "to": to})]);
    }

    /// Deletes mails for good.
    pub fn delete(&self, folder: &str, uids: &[u32]) {
        self.run(&[json!({"op": "delete", "folder": folder, "uids": uids})]);
    }

    /// Makes a folder.
    pub fn create_folder(&self, folder: &str) {
        self.run(&[json!({"op": "create", "folder": folder})]);
    }

    /// Deletes a folder with its mails.
    pub fn remove_folder(&self, folder: &str) {
        self.run(&[json!({"op": "remove", "folder": folder})]);
    }

    /// Gives a folder another name.
    pub fn rename_folder(&self, folder: &str, to: &str) {
        self.run(&[json!({"op": "rename", "folder": folder, "to": to})]);
    }
}
