//! The journal of changes: done here at once, carried out by an executor that these tests play themselves.

mod changes;
mod outcomes;
mod provider;
mod races;
mod refusals;
mod undo;

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use diesel::QueryDsl;
use diesel_async::RunQueryDsl;
use duplex::access::Access;
use duplex::db::schema::email_folders;
use duplex::ids::{EmailId, FolderId};
use duplex::messages::{self, FolderRole, IncomingMail, MailDiff};
use duplex::on_conn;
use serde_json::{Value, json};

use crate::messages::ground::{incoming, parsed};
use crate::messages::served::{Answer, Api};
use crate::support::Backend;

/// A mailbox with the API over it.
pub struct World {
    pub api: Api,
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        Self { api: Api::new(backend).await }
    }

    /// Stores a mail of this name in a folder of this role.
    pub async fn mail(&self, role: FolderRole, uid: u32, name: &str) -> EmailId {
        self.store(role, incoming(self.folder(role), uid, parsed(name, &[]))).await
    }

    /// Stores a mail, or another copy of one.
    pub async fn store(&self, role: FolderRole, mail: IncomingMail) -> EmailId {
        let name = mail.parsed.message_id.clone().unwrap();
        self.api.ground.apply(role, vec![mail]).await;
        let found = self.api.get(&format!("/api/email/messages/lookup?message_id={name}")).await.json();
        found["email_id"].as_str().unwrap().parse().unwrap()
    }

    pub fn folder(&self, role: FolderRole) -> FolderId {
        let ground = &self.api.ground;
        match role {
            FolderRole::Inbox => ground.inbox,
            FolderRole::Sent => ground.sent,
            FolderRole::Archive => ground.archive,
            _ => ground.trash,
        }
    }

    pub fn me(&self) -> Access {
        Api::access(&self.api.ground.owner)
    }

    pub async fn ask(&self, request: TestRequest) -> Answer {
        self.api.ask(Some(self.me()), request).await
    }

    pub async fn patch(&self, id: EmailId, body: Value) -> Answer {
        self.ask(TestRequest::patch().uri(&format!("/api/email/messages/{id}")).set_json(body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(TestRequest::post().uri(path).set_json(body)).await
    }

    pub async fn move_to(&self, id: EmailId, folder: FolderId) -> Answer {
        self.post(&format!("/api/email/messages/{id}/move"), json!({ "folder_id": folder })).await
    }

    pub async fn label(&self, id: EmailId, add: &[&str], remove: &[&str]) -> Answer {
        self.post(&format!("/api/email/messages/{id}/labels"), json!({ "add": add, "remove": remove })).await
    }

    pub async fn trash(&self, id: EmailId) -> Answer {
        self.ask(TestRequest::delete().uri(&format!("/api/email/messages/{id}"))).await
    }

    pub async fn batch(&self, ids: &[EmailId], mut body: Value) -> Answer {
        body["ids"] = json!(ids);
        self.post("/api/email/messages/batch", body).await
    }

    pub async fn undo(&self, operation: &str) -> Answer {
        self.ask(TestRequest::post().uri(&format!("/api/email/operations/{operation}/undo"))).await
    }

    pub async fn operation(&self, id: &str) -> Value {
        self.api.get(&format!("/api/email/operations/{id}")).await.json()
    }

    pub async fn state(&self, id: &str) -> String {
        self.operation(id).await["state"].as_str().unwrap().to_owned()
    }

    /// Where both sides have these mails.
    pub async fn diffs(&self, ids: &[EmailId]) -> BTreeMap<EmailId, MailDiff> {
        let mut conn = self.api.ground.db.read().await.unwrap();
        let found = messages::differences(&mut conn, ids).await.unwrap();
        found.into_iter().map(|diff| (diff.email, diff)).collect()
    }

    /// Where a mail lies as people see it: folder, read, starred.
    pub async fn lies(&self, id: EmailId) -> Vec<(String, bool, bool)> {
        let names = self.names().await;
        let diffs = self.diffs(&[id]).await;
        let Some(diff) = diffs.get(&id) else { return Vec::new() };
        let mut places: Vec<_> =
            diff.locations.iter().map(|row| (names[&row.folder].clone(), row.is_read, row.is_starred)).collect();
        places.sort();
        places
    }

    /// The names of the folders where a mail lies.
    pub async fn folders(&self, id: EmailId) -> Vec<String> {
        self.lies(id).await.into_iter().map(|(name, ..)| name).collect()
    }

    pub async fn names(&self) -> BTreeMap<FolderId, String> {
        let mut conn = self.api.ground.db.read().await.unwrap();
        let query = email_folders::table.select((email_folders::id, email_folders::name));
        let rows: Vec<(FolderId, String)> = on_conn!(&mut conn, |c| query.load(c).await).unwrap();
        rows.into_iter().collect()
    }

    pub async fn folder_named(&self, name: &str) -> FolderId {
        let names = self.names().await;
        *names.iter().find(|(_, known)| *known == name).unwrap_or_else(|| panic!("no folder {name}")).0
    }

    /// Marks the mailbox as its row's columns say.
    pub async fn alter_account(&self, sql: &str) {
        let mut conn = self.api.ground.write().await;
        let sql = format!("UPDATE email_accounts SET {sql}");
        on_conn!(&mut conn, |c| diesel::sql_query(sql).execute(c).await).unwrap();
    }

    /// The unread mails of the folder as its list counts them, and how many it holds.
    pub async fn counts(&self, name: &str) -> (u64, u64) {
        let path = format!("/api/email/accounts/{}/folders", self.api.ground.owner.account);
        let listed = self.api.get(&path).await.json();
        let folder = listed["items"].as_array().unwrap().iter().find(|folder| folder["name"] == name).unwrap().clone();
        (folder["unread_count"].as_u64().unwrap(), folder["stored_count"].as_u64().unwrap())
    }
}

/// The operation that an answer names.
pub fn operation(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.header("duplex-operation-id").to_owned()
}

/// A time at which everything is due.
pub fn later() -> duplex::clock::Timestamp {
    duplex::clock::Clock::system().now() + chrono::Duration::minutes(1)
}

/// Asserts that an answer is an error of this kind, about this field if one is given.
pub fn refused(answer: &Answer, status: u16, code: &str, field: Option<&str>) {
    let body = answer.json();
    assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{body}");
    if let Some(field) = field {
        assert_eq!(body["errors"][0]["field"], field, "{body}");
    }
}
