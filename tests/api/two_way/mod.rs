//! What either side changes shows on the other: a real Dovecot, and an independent client that works beside Duplex.

mod inbound;
mod interleaved;
mod listening;
mod outbound;
mod recovery;
mod refusals;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mailbox::{backfilled, connect, fill};
use crate::support::imap_peer::ImapPeer;
use crate::support::{Client, Dovecot, DovecotOptions, Mailbox, SmtpSecurity, SmtpSink, wait_for, wait_until};

/// A server that counts changes but does not tell what vanished (RFC 7162 without QRESYNC).
pub const CONDSTORE: &str = "IMAP4rev1 SASL-IR LITERAL+ ENABLE ID CHILDREN NAMESPACE UIDPLUS UNSELECT MOVE CONDSTORE \
     SPECIAL-USE LIST-EXTENDED LIST-STATUS ESEARCH IDLE";

/// A server that counts nothing and moves nothing.
pub const PLAIN: &str = "IMAP4rev1 UIDPLUS IDLE";

/// A server of one's own with these capabilities.
pub fn server(capability: &'static str) -> Dovecot {
    Dovecot::start(&DovecotOptions { capability: Some(capability), ..DovecotOptions::default() })
}

/// How a mail stands on one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailState {
    /// The folders that it lies in, sorted; a copy in the same folder counts again.
    pub folders: Vec<String>,
    /// Whether any copy is read.
    pub read: bool,
    /// Whether any copy has a star.
    pub starred: bool,
}

/// Every mail of a mailbox by the digest of its bytes.
pub type State = BTreeMap<String, MailState>;

/// What Duplex shows, and which id each mail has.
pub async fn shown(owner: &Client, account: &str) -> (State, BTreeMap<String, String>) {
    let (mut state, mut ids) = (State::new(), BTreeMap::new());
    for message in owner.all(&format!("/api/email/messages?account_id={account}")).await {
        let id = message["id"].as_str().unwrap().to_owned();
        let raw = owner.get(&format!("/api/email/messages/{id}/raw")).await;
        assert_eq!(raw.status, 200, "{}", raw.text());
        let digest = ring::digest::digest(&ring::digest::SHA256, &raw.bytes);
        let digest = data_encoding::HEXLOWER.encode(digest.as_ref());
        let folders = message["folders"].as_array().unwrap().iter();
        let mut folders: Vec<String> = folders.map(|folder| folder["name"].as_str().unwrap().to_owned()).collect();
        folders.sort();
        let (read, starred) = (message["is_read"] == true, message["is_starred"] == true);
        state.insert(digest.clone(), MailState { folders, read, starred });
        ids.insert(digest, id);
    }
    (state, ids)
}

/// What the server holds, by the independent client; spam is not brought in.
pub fn held(peer: &ImapPeer) -> State {
    let mut state = State::new();
    for folder in peer.folders().into_iter().filter(|folder| folder.messages > 0 && folder.name != "Junk") {
        for mail in peer.mails(&folder.name) {
            let entry = state.entry(mail.sha256.clone()).or_default();
            entry.folders.push(folder.name.clone());
            entry.folders.sort();
            entry.read |= mail.flags.iter().any(|flag| flag == "\\Seen");
            entry.starred |= mail.flags.iter().any(|flag| flag == "\\Flagged");
        }
    }
    state
}

/// Says how two states differ, in a few lines.
pub fn difference(shown: &State, held: &State) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = shown.keys().chain(held.keys()).collect();
    keys.into_iter()
        .filter(|key| shown.get(*key) != held.get(*key))
        .take(10)
        .map(|key| format!("{}: shown {:?}, held {:?}", &key[..8], shown.get(key), held.get(key)))
        .collect()
}

/// Waits until both sides are the same.
pub async fn converged(owner: &Client, account: &str, peer: &ImapPeer) -> State {
    let mut last = Vec::new();
    let same = async {
        wait_until("both sides are the same", async || {
            let held = held(peer);
            last = difference(&shown(owner, account).await.0, &held);
            last.is_empty()
        })
        .await;
    };
    same.await;
    assert_eq!(last, Vec::<String>::new());
    held(peer)
}

/// Waits until an operation is over; gives it.
pub async fn settled(owner: &Client, operation: &str) -> Value {
    wait_for("the operation is over", async || {
        let found = owner.get(&format!("/api/email/operations/{operation}")).await.json(200);
        (found["state"] != "pending").then_some(found)
    })
    .await
}

/// All facts of these types so far, by type.
pub async fn facts(owner: &Client, kinds: &[&str]) -> Vec<Value> {
    let all = owner.all("/api/events?after=0").await;
    all.into_iter().filter(|fact| kinds.contains(&fact["type"].as_str().unwrap())).collect()
}

/// A filled mailbox on this server, connected and taken in.
pub async fn connected(owner: &Client, mailbox: &Mailbox<'_>, seed: u64, mails: usize) -> String {
    fill(mailbox, seed, mails);
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let id = connect(owner, mailbox, &smtp).await;
    backfilled(owner, &id).await;
    id
}
