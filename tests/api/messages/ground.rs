//! A database with a mailbox in it, for tests of the store without a server.

use std::collections::BTreeSet;

use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use duplex::clock::{Clock, Timestamp};
use duplex::db::schema::{email_accounts, organizations, users};
use duplex::db::types::Json;
use duplex::db::{DatabaseUrl, Db, DbConn, DbOptions};
use duplex::ids::{AccountId, FolderId, OrgId, UserId};
use duplex::mail::{self, ParsedMail};
use duplex::messages::{self, Applied, FolderListing, FolderRole, IncomingMail, Intake, Mailbox};
use duplex::on_conn;
use duplex::secret::Secret;

use crate::support::{Backend, TestDatabase};

/// A database, an organization, a person, a mailbox with an INBOX, Sent, Archive and Trash.
pub struct Ground {
    pub db: Db,
    pub owner: Mailbox,
    pub inbox: FolderId,
    pub sent: FolderId,
    pub archive: FolderId,
    pub trash: FolderId,
    _database: TestDatabase,
    dir: tempfile::TempDir,
}

/// An hour of a day that all these tests live in.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::parse("2026-11-01T08:00:00Z").unwrap() + chrono::Duration::minutes(minutes)
}

impl Ground {
    pub async fn new(backend: Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(backend).await;
        let url = match database.url() {
            Some(url) => DatabaseUrl::Postgres(Secret::new(url)),
            None => DatabaseUrl::Sqlite(dir.path().join("test.db")),
        };
        let db = Db::open(&DbOptions { url, tls: None }).await.unwrap();
        let mut conn = db.write().await.unwrap();
        let org = organization(&mut conn).await;
        let owner = mailbox(&mut conn, org, "ann@acme.example").await;
        let folders = folders(&mut conn, &owner).await;
        drop(conn);
        let [inbox, sent, archive, trash] = folders;
        Self { db, owner, inbox, sent, archive, trash, _database: database, dir }
    }

    /// Applies mails of one folder in a transaction of their own.
    pub async fn apply(&self, role: FolderRole, mails: Vec<IncomingMail>) -> Applied {
        self.apply_to(&self.owner, role, mails).await
    }

    pub async fn apply_to(&self, owner: &Mailbox, role: FolderRole, mails: Vec<IncomingMail>) -> Applied {
        let (mut conn, _turn) = self.db.write_background().await.unwrap();
        conn.transaction(async |tx| messages::apply_batch(tx, owner, Some(role), mails, &Intake::silent(at(600))).await)
            .await
            .unwrap()
    }

    /// A folder that goes with the test.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub async fn write(&self) -> DbConn {
        self.db.write().await.unwrap()
    }
}

pub async fn organization(conn: &mut DbConn) -> OrgId {
    let org = OrgId::new();
    let now = Clock::system().now();
    let row = diesel::insert_into(organizations::table).values((
        organizations::id.eq(org),
        organizations::name.eq("Acme"),
        organizations::created_at.eq(now),
        organizations::updated_at.eq(now),
    ));
    on_conn!(conn, |c| row.execute(c).await).unwrap();
    org
}

/// A person with a mailbox of this address.
pub async fn mailbox(conn: &mut DbConn, org: OrgId, address: &str) -> Mailbox {
    let (user, account) = (UserId::new(), AccountId::new());
    let now = Clock::system().now();
    let row = diesel::insert_into(users::table).values((
        users::id.eq(user),
        users::organization_id.eq(org),
        users::email.eq(address),
        users::email_normalized.eq(address),
        users::name.eq("Somebody"),
        users::role.eq("member"),
        users::created_at.eq(now),
        users::updated_at.eq(now),
    ));
    on_conn!(conn, |c| row.execute(c).await).unwrap();
    let row = diesel::insert_into(email_accounts::table).values((
        email_accounts::id.eq(account),
        email_accounts::organization_id.eq(org),
        email_accounts::user_id.eq(user),
        email_accounts::provider.eq("imap"),
        email_accounts::email_address.eq(address),
        email_accounts::aliases.eq(Json(serde_json::json!([]))),
        email_accounts::phase.eq("live"),
        email_accounts::created_at.eq(now),
        email_accounts::updated_at.eq(now),
    ));
    on_conn!(conn, |c| row.execute(c).await).unwrap();
    Mailbox { org, user, account, addresses: BTreeSet::from([address.to_owned()]) }
}

/// The folders INBOX, Sent, Archive and Trash.
pub async fn folders(conn: &mut DbConn, owner: &Mailbox) -> [FolderId; 4] {
    let roles = [FolderRole::Inbox, FolderRole::Sent, FolderRole::Archive, FolderRole::Trash];
    let listing = roles.map(|role| FolderListing {
        external_id: role.as_str().to_uppercase(),
        parent_external_id: None,
        name: role.as_str().to_owned(),
        role: Some(role),
        selectable: true,
    });
    messages::upsert_folders(conn, owner.account, listing.to_vec(), at(0)).await.unwrap();
    let stored = messages::list_folders(conn, owner.account).await.unwrap();
    roles.map(|role| stored.iter().find(|folder| folder.role == Some(role)).unwrap().id)
}

/// A mail with this Message-ID and these references.
pub fn parsed(id: &str, references: &[&str]) -> ParsedMail {
    let references: Vec<String> = references.iter().map(|id| format!("<{id}@mail.example>")).collect();
    let raw = format!(
        "From: Bob <bob@b.example>\r\nTo: Ann <ann@acme.example>\r\nSubject: About {id}\r\n\
         Message-ID: <{id}@mail.example>\r\nReferences: {}\r\nDate: Sun, 1 Nov 2026 08:00:00 +0000\r\n\r\nText of {id}.\r\n",
        references.join(" ")
    );
    mail::parse(raw.as_bytes())
}

/// The same as it is fetched from a folder.
pub fn incoming(folder: FolderId, uid: u32, parsed: ParsedMail) -> IncomingMail {
    IncomingMail {
        folder,
        uid,
        uid_validity: 1,
        mod_seq: Some(7),
        is_read: false,
        is_starred: false,
        is_answered: false,
        is_draft: false,
        received_at: at(i64::from(uid)),
        external_id: format!("m-{}", parsed.message_id.clone().unwrap_or_default()),
        parsed,
        raw_ref: None,
        raw_size: 300,
    }
}
