//! What people change here, carried to the server.

use serde_json::{Value, json};

use super::{CONDSTORE, PLAIN, connected, converged, facts, held, server, settled, shown};
use crate::mailbox::sync;
use crate::support::{Client, Dovecot, Mailbox, TestApp};

/// A small client of the API's verbs: each answers the operation's id.
pub struct Verbs<'a> {
    pub owner: &'a Client,
    pub account: &'a str,
}

impl Verbs<'_> {
    /// The ids of the mails in a folder, newest first.
    pub async fn mails(&self, folder: &str) -> Vec<String> {
        let folder = self.folder(folder).await;
        let listed = self.owner.all(&format!("/api/email/messages?account_id={}&folder={folder}", self.account)).await;
        listed.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of a folder.
    pub async fn folder(&self, name: &str) -> String {
        let folders = self.owner.all(&format!("/api/email/accounts/{}/folders", self.account)).await;
        let found = folders.iter().find(|folder| folder["name"] == name);
        found.unwrap_or_else(|| panic!("no folder {name}"))["id"].as_str().unwrap().to_owned()
    }

    pub async fn patch(&self, id: &str, change: Value) -> String {
        let answer = self.owner.patch(&format!("/api/email/messages/{id}"), change.clone()).await;
        for (field, wanted) in change.as_object().unwrap() {
            assert_eq!(&answer.json(200)[field], wanted, "it shows at once");
        }
        answer.header("duplex-operation-id").unwrap().to_owned()
    }

    pub async fn post(&self, id: &str, verb: &str, body: Value) -> String {
        let answer = self.owner.post(&format!("/api/email/messages/{id}/{verb}"), body).await;
        answer.json(200);
        answer.header("duplex-operation-id").unwrap().to_owned()
    }

    pub async fn trash(&self, id: &str) -> String {
        let answer = self.owner.delete(&format!("/api/email/messages/{id}")).await;
        assert!(answer.status < 300, "{}", answer.text());
        answer.header("duplex-operation-id").unwrap().to_owned()
    }

    pub async fn batch(&self, ids: &[String], mut change: Value) -> String {
        change["ids"] = json!(ids);
        let answer = self.owner.post("/api/email/messages/batch", change).await;
        assert!(answer.status < 300, "{}", answer.text());
        answer.json(answer.status)["operation_id"].as_str().unwrap().to_owned()
    }

    pub async fn undo(&self, operation: &str) -> String {
        let answer = self.owner.post(&format!("/api/email/operations/{operation}/undo"), Value::Null).await;
        assert!(answer.status < 300, "{}", answer.text());
        answer.header("duplex-operation-id").unwrap().to_owned()
    }
}

/// Every verb, one after the other; after each both sides are the same.
async fn every_verb(app: TestApp, mailbox: Mailbox<'_>) {
    let owner = app.owner().await;
    let account = connected(&owner, &mailbox, 51, 60).await;
    sync(&owner, &account).await;
    let peer = mailbox.peer();
    let verbs = Verbs { owner: &owner, account: &account };
    let inbox = verbs.mails("INBOX").await;
    let (_, ids) = shown(&owner, &account).await;

    let clients = verbs.folder("Clients/2025").await;
    let label = |add: &str, remove: &str| json!({"add": [add], "remove": if remove.is_empty() { json!([]) } else { json!([remove]) }});
    let mut operations = vec![
        verbs.patch(&inbox[0], json!({"is_read": true})).await,
        verbs.patch(&inbox[1], json!({"is_read": false, "is_starred": true})).await,
        verbs.patch(&inbox[2], json!({"is_archived": true})).await,
        verbs.post(&inbox[3], "move", json!({"folder_id": clients})).await,
        verbs.post(&inbox[4], "labels", label("Wichtig & neu/東", "")).await,
        verbs.trash(&inbox[5]).await,
        verbs.batch(&inbox[6..12], json!({"is_read": true, "is_starred": true, "is_archived": true})).await,
    ];
    for operation in operations.drain(..) {
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
    }
    let state = converged(&owner, &account, &peer).await;
    let by_id = |id: &str| &state[ids.iter().find(|(_, known)| *known == id).unwrap().0];
    assert!(by_id(&inbox[0]).read && by_id(&inbox[1]).starred && !by_id(&inbox[1]).read);
    assert_eq!(by_id(&inbox[2]).folders, ["Archive"]);
    assert_eq!(by_id(&inbox[3]).folders, ["Clients/2025"]);
    assert_eq!(by_id(&inbox[4]).folders, ["INBOX", "Wichtig & neu/東"]);
    assert_eq!(by_id(&inbox[5]).folders, ["Trash"]);

    let operations = [
        verbs.patch(&inbox[2], json!({"is_archived": false})).await,
        verbs.post(&inbox[4], "labels", json!({"add": [], "remove": ["Wichtig & neu/東"]})).await,
        verbs.batch(&inbox[5..6], json!({"trash": false})).await,
        verbs.batch(&inbox[6..12], json!({"is_archived": false, "is_starred": false})).await,
    ];
    for operation in operations {
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
    }
    let state = converged(&owner, &account, &peer).await;
    let by_id = |id: &str| &state[ids.iter().find(|(_, known)| *known == id).unwrap().0];
    for place in [2, 4, 5, 6] {
        assert_eq!(by_id(&inbox[place]).folders, ["INBOX"], "mail {place}");
    }

    // What came back from the server is what was done here: nobody is told of it again, and nothing changes any more.
    let count = facts(&owner, &["email.updated", "email.received", "email.deleted"]).await.len();
    sync(&owner, &account).await;
    sync(&owner, &account).await;
    let told = facts(&owner, &["email.updated", "email.received", "email.deleted"]).await;
    assert_eq!(told.len(), count, "our own changes do not echo: {:?}", &told[count..]);
    let (_, kept) = shown(&owner, &account).await;
    assert_eq!(kept, ids, "ids survive moves");
}

on_both! {
    async fn every_verb_reaches_a_server_with_all_extensions(app: TestApp) {
        every_verb(app, Dovecot::shared().mailbox()).await;
    }
}

on_both! {
    async fn every_verb_reaches_a_server_that_only_counts_changes(app: TestApp) {
        let server = server(CONDSTORE);
        every_verb(app, server.mailbox()).await;
    }
}

on_both! {
    async fn every_verb_reaches_a_server_without_move(app: TestApp) {
        let server = server(PLAIN);
        every_verb(app, server.mailbox()).await;
    }
}

on_both! {
    async fn every_verb_reaches_a_server_that_tells_no_new_numbers(app: TestApp) {
        let server = server("IMAP4rev1 MOVE IDLE");
        let mailbox = server.mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 52, 60).await;
        sync(&owner, &account).await;
        let verbs = Verbs { owner: &owner, account: &account };
        let inbox = verbs.mails("INBOX").await;
        let archived = verbs.batch(&inbox[..9], json!({"is_archived": true, "is_read": true})).await;
        assert_eq!(settled(&owner, &archived).await["state"], "confirmed");
        converged(&owner, &account, &mailbox.peer()).await;
        let undone = verbs.undo(&archived).await;
        assert_eq!(settled(&owner, &undone).await["state"], "confirmed");
        converged(&owner, &account, &mailbox.peer()).await;
        assert_eq!(verbs.mails("INBOX").await, inbox);
    }
}

on_both! {
    async fn undoing_the_archiving_of_a_thousand_mails_restores_flags_and_folders(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let owner = app.owner().await;
        let account = connected(&owner, &mailbox, 53, 2400).await;
        sync(&owner, &account).await;
        let peer = mailbox.peer();
        let before = held(&peer);
        let verbs = Verbs { owner: &owner, account: &account };
        let ids: Vec<String> = verbs.mails("INBOX").await.into_iter().take(1000).collect();
        let archived = verbs.batch(&ids, json!({"is_archived": true, "is_read": true})).await;
        assert_eq!(verbs.mails("INBOX").await.len(), 80, "they are gone from the inbox at once");
        assert_eq!(settled(&owner, &archived).await["state"], "confirmed");
        let counts = peer.counts();
        assert_eq!((counts["INBOX"], counts["Archive"]), (80, 360 + 1000));
        let undone = verbs.undo(&archived).await;
        assert_eq!(settled(&owner, &undone).await["state"], "confirmed");
        assert_eq!(held(&peer), before, "the server has every mail where it was, with its flags");
        assert_eq!(shown(&owner, &account).await.0, before);
    }
}

on_both! {
    async fn a_change_does_not_wait_for_the_first_import(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        crate::mailbox::fill(&mailbox, 54, 6000);
        let smtp = crate::support::SmtpSink::start(crate::support::SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let account = crate::mailbox::connect(&owner, &mailbox, &smtp).await;
        let first = crate::support::wait_for("some mail is there", async || {
            let page = owner.get(&format!("/api/email/messages?account_id={account}&limit=5&is_read=false")).await.json(200);
            page["items"].as_array().unwrap().first().cloned()
        })
        .await;
        let verbs = Verbs { owner: &owner, account: &account };
        let operation = verbs.patch(first["id"].as_str().unwrap(), json!({"is_read": true})).await;
        assert_eq!(settled(&owner, &operation).await["state"], "confirmed");
        crate::mailbox::backfilled(&owner, &account).await;
        sync(&owner, &account).await;
        assert_eq!(shown(&owner, &account).await.0, held(&mailbox.peer()));
    }
}
