//! What sync does with mails that concern sending: copies, drafts, answers, delivery reports. The outgoing side is put into
//! the database as the sender leaves it, the provider's side is a real Dovecot.

mod answers;
mod copies;
mod drafts;
mod reports;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use duplex::clock::{Clock, Timestamp};
use duplex::db::Db;
use duplex::db::schema::{
    email_accounts, email_locations, email_outgoing, email_recipients, emails, thread_accounts, thread_message_ids,
    threads,
};
use duplex::db::types::Json;
use duplex::ids::{AccountId, EmailId, LocationId, OrgId, RecipientId, ThreadId, UserId};
use duplex::messages::{self, FolderRole};
use duplex::on_conn;
use serde_json::{Value, json};

use crate::mailbox::{backfilled, connect, sync};
use crate::support::imap_peer::{ImapPeer, PeerMail};
use crate::support::{Client, Dovecot, Mailbox, SmtpSecurity, SmtpSink, TestApp, wait_for, wait_until};
use crate::two_way::facts;

/// The folders of the mailbox that are looked at.
const FOLDERS: [&str; 5] = ["INBOX", "Sent", "Drafts", "Archive", "Trash"];

/// A connected, empty mailbox, and the database behind it.
pub struct Scene<'a> {
    pub owner: Client,
    pub account: String,
    pub mailbox: Mailbox<'a>,
    pub peer: ImapPeer,
    pub db: Db,
    // Dropped last.
    _app: TestApp,
}

/// A mail of ours as it stands in the database.
#[derive(Clone)]
pub struct Written {
    pub id: EmailId,
    pub message_id: String,
    pub status: &'static str,
    /// The folder that it is expected in.
    pub expected: Option<FolderRole>,
    pub revision: i64,
    pub mirrored: Option<i64>,
    pub mirror_due: bool,
    pub file_due: bool,
    pub handed: bool,
    /// Recipients: kind, address, delivery.
    pub recipients: Vec<(&'static str, &'static str, Option<&'static str>)>,
}

impl Written {
    /// A mail to Bob, with Eve in blind copy.
    pub fn new(status: &'static str) -> Self {
        let id = EmailId::new();
        let delivery = match status {
            "sent" => Some("accepted"),
            "uncertain" | "sending" => Some("handed"),
            _ => None,
        };
        let is_sent = delivery.is_some();
        Self {
            id,
            message_id: format!("{id}@mail.example"),
            status,
            expected: Some(if is_sent { FolderRole::Sent } else { FolderRole::Drafts }),
            revision: 1,
            mirrored: None,
            mirror_due: status == "draft",
            file_due: is_sent,
            handed: is_sent,
            recipients: vec![("to", "bob@b.example", delivery), ("bcc", "eve@e.example", delivery)],
        }
    }

    /// The header that marks our copies of a draft.
    pub fn marker(&self, revision: i64) -> String {
        format!("X-Duplex-Draft: {}/{revision}\r\n", self.id)
    }

    /// What travels: from the mailbox to Bob, with these further headers.
    pub fn raw(&self, from: &str, subject: &str, more: &str) -> Vec<u8> {
        mail(from, "bob@b.example", subject, &format!("Message-ID: <{}>\r\n{more}", self.message_id), "The offer.")
    }
}

/// A mail of text.
pub fn mail(from: &str, to: &str, subject: &str, more: &str, text: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n{more}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// A mail that answers another one.
pub fn answer(from: &str, to: &str, name: &str, to_id: &str, more: &str) -> Vec<u8> {
    let more = format!("Message-ID: <{name}@b.example>\r\nIn-Reply-To: <{to_id}>\r\n{more}");
    mail(from, to, "Re: Offer", &more, "Yes, please.")
}

/// A delivery report about one recipient.
pub fn report(to: &str, name: &str, original: &str, (recipient, action, status): (&str, &str, &str)) -> Vec<u8> {
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: <{to}>\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nDate: Sun, 22 Nov 2026 08:05:00 +0000\r\n\
         Message-ID: <{name}@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} said the server\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: <{to}>\r\nMessage-ID: <{original}>\r\nSubject: Offer\r\n\r\n\
         --b--\r\n"
    )
    .into_bytes()
}

impl Scene<'static> {
    /// An empty mailbox, connected and taken in.
    pub async fn new(app: TestApp) -> Self {
        Self::with(app, |_| {}).await
    }

    /// A mailbox that is filled before it is connected.
    pub async fn with(app: TestApp, fill: impl FnOnce(&Mailbox<'_>)) -> Self {
        let owner = app.owner().await;
        let mailbox = Dovecot::shared().mailbox();
        fill(&mailbox);
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let account = connect(&owner, &mailbox, &smtp).await;
        backfilled(&owner, &account).await;
        let (peer, db) = (mailbox.peer(), app.database().await);
        Self { owner, account, mailbox, peer, db, _app: app }
    }
}

impl Scene<'_> {
    pub fn address(&self) -> &str {
        &self.mailbox.user
    }

    /// Asks for a sync until both sides have the same mails: a pass that was under way may have looked too early.
    pub async fn sync(&self) {
        wait_until("both sides have the same mails", async || {
            sync(&self.owner, &self.account).await;
            self.stored().await == self.held()
        })
        .await;
    }

    /// The numbers of the mails in each folder, as the provider has them.
    fn held(&self) -> Vec<Vec<u32>> {
        let steps = FOLDERS.map(|folder| json!({"op": "mails", "folder": folder}));
        let mails = self.peer.run(&steps).into_iter().map(|mails| serde_json::from_value(mails).unwrap());
        mails.map(|mails: Vec<PeerMail>| mails.iter().map(|mail| mail.uid).collect()).collect()
    }

    /// The same as it is stored.
    async fn stored(&self) -> Vec<Vec<u32>> {
        let (.., account) = self.identity().await;
        let mut conn = self.db.read().await.unwrap();
        let folders = messages::list_folders(&mut conn, account).await.unwrap();
        let mut found = Vec::new();
        for name in FOLDERS {
            let folder = folders.iter().find(|folder| folder.name == name).unwrap();
            let generation = folder.cursor.uid_validity.unwrap_or_default();
            found.push(messages::stored_uids(&mut conn, folder.id, generation, 1).await.unwrap());
        }
        found
    }

    /// Puts a mail into a folder as the provider or another program does, and takes it in.
    pub async fn arrives(&self, folder: &str, raw: Vec<u8>) {
        self.peer.append(folder, &[raw], &[]);
        self.sync().await;
    }

    pub async fn message(&self, id: EmailId) -> Value {
        self.owner.get(&format!("/api/email/messages/{id}")).await.json(200)
    }

    /// All mails of the mailbox.
    pub async fn messages(&self) -> Vec<Value> {
        self.owner.all(&format!("/api/email/messages?account_id={}", self.account)).await
    }

    /// The facts of a type, as soon as there are so many: what they say.
    pub async fn told(&self, kind: &str, count: usize) -> Vec<Value> {
        wait_for("the facts are told", async || {
            let found: Vec<Value> = facts(&self.owner, &[kind]).await.iter().map(|fact| fact["data"].clone()).collect();
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// The highest UID in a folder.
    pub fn newest(&self, folder: &str) -> u32 {
        self.peer.mails(folder).iter().map(|mail| mail.uid).max().unwrap()
    }

    /// What became of the mail for each recipient.
    pub async fn deliveries(&self, id: EmailId) -> Vec<(String, Option<String>)> {
        let mut conn = self.db.read().await.unwrap();
        let query = email_recipients::table
            .filter(email_recipients::email_id.eq(id))
            .order(email_recipients::email_normalized)
            .select((email_recipients::email_normalized, email_recipients::delivery));
        on_conn!(&mut conn, |c| query.load(c).await).unwrap()
    }

    /// Revision, mirrored revision, and whether mirror and filing are due.
    pub async fn outgoing(&self, id: EmailId) -> (i64, Option<i64>, bool, bool) {
        let mut conn = self.db.read().await.unwrap();
        let query = email_outgoing::table.find(id).select((
            email_outgoing::revision,
            email_outgoing::mirrored_revision,
            email_outgoing::mirror_due_at,
            email_outgoing::file_due_at,
        ));
        type Row = (i64, Option<i64>, Option<Timestamp>, Option<Timestamp>);
        let (revision, mirrored, mirror, file): Row = on_conn!(&mut conn, |c| query.first(c).await).unwrap();
        (revision, mirrored, mirror.is_some(), file.is_some())
    }

    pub async fn identity(&self) -> (OrgId, UserId, AccountId) {
        let account: AccountId = self.account.parse().unwrap();
        let mut conn = self.db.read().await.unwrap();
        let query =
            email_accounts::table.find(account).select((email_accounts::organization_id, email_accounts::user_id));
        let (org, user) = on_conn!(&mut conn, |c| query.first(c).await).unwrap();
        (org, user, account)
    }

    /// Puts a mail of ours into the database, as it stands when somebody has written or sent it.
    pub async fn write(&self, mail: &Written) {
        let (org, user, account) = self.identity().await;
        let (thread, now) = (ThreadId::new(), Clock::system().now());
        // Late enough that the sender keeps out of it.
        let due = now + chrono::Duration::hours(1);
        let mut conn = self.db.write().await.unwrap();
        conn.transaction(async |tx| {
            let row = diesel::insert_into(threads::table).values((
                threads::id.eq(thread),
                threads::organization_id.eq(org),
                threads::subject.eq(Some("Offer")),
                threads::first_message_at.eq(now),
                threads::last_message_at.eq(now),
                threads::message_count.eq(1),
                threads::participants.eq(Json(json!([]))),
                threads::created_at.eq(now),
                threads::updated_at.eq(now),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            let row = diesel::insert_into(thread_accounts::table).values((
                thread_accounts::account_id.eq(account),
                thread_accounts::thread_id.eq(thread),
                thread_accounts::last_message_at.eq(now),
                thread_accounts::message_count.eq(1),
                thread_accounts::unread_count.eq(0),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            let row = diesel::insert_into(thread_message_ids::table).values((
                thread_message_ids::organization_id.eq(org),
                thread_message_ids::message_id.eq(&mail.message_id),
                thread_message_ids::thread_id.eq(thread),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            let row = diesel::insert_into(emails::table).values((
                emails::id.eq(mail.id),
                emails::organization_id.eq(org),
                emails::account_id.eq(account),
                emails::user_id.eq(user),
                emails::external_id.eq(format!("local-{}", mail.id)),
                emails::thread_id.eq(Some(thread)),
                emails::message_id.eq(Some(&mail.message_id)),
                emails::from_email.eq(self.address()),
                emails::subject.eq(Some("Offer")),
                emails::body_text.eq(Some("The offer.")),
                emails::direction.eq("outbound"),
                emails::status.eq(mail.status),
                emails::is_read.eq(true),
                emails::is_draft.eq(mail.expected == Some(FolderRole::Drafts)),
                emails::sent_at.eq(now),
                emails::received_at.eq(now),
                emails::created_at.eq(now),
                emails::updated_at.eq(now),
                emails::synced_at.eq(now),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            let row = diesel::insert_into(email_outgoing::table).values((
                email_outgoing::email_id.eq(mail.id),
                email_outgoing::account_id.eq(account),
                email_outgoing::revision.eq(mail.revision),
                email_outgoing::mirrored_revision.eq(mail.mirrored),
                email_outgoing::mirror_due_at.eq(mail.mirror_due.then_some(due)),
                email_outgoing::file_due_at.eq(mail.file_due.then_some(due)),
                email_outgoing::handed_at.eq(mail.handed.then_some(now)),
                email_outgoing::created_at.eq(now),
                email_outgoing::updated_at.eq(now),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            for (position, (kind, address, delivery)) in (0..).zip(&mail.recipients) {
                let row = diesel::insert_into(email_recipients::table).values((
                    email_recipients::id.eq(RecipientId::new()),
                    email_recipients::email_id.eq(mail.id),
                    email_recipients::recipient_type.eq(*kind),
                    email_recipients::position.eq(position),
                    email_recipients::email_address.eq(*address),
                    email_recipients::email_normalized.eq(*address),
                    email_recipients::delivery.eq(*delivery),
                    email_recipients::created_at.eq(now),
                ));
                on_conn!(tx, |c| row.execute(c).await)?;
            }
            let Some(role) = mail.expected else { return Ok(()) };
            let folders = messages::list_folders(tx, account).await?;
            let folder = folders.iter().find(|folder| folder.role == Some(role)).unwrap().id;
            let row = diesel::insert_into(email_locations::table).values((
                email_locations::id.eq(LocationId::new()),
                email_locations::email_id.eq(mail.id),
                email_locations::folder_id.eq(folder),
                email_locations::account_id.eq(account),
                email_locations::is_read.eq(true),
                email_locations::received_at.eq(now),
                email_locations::created_at.eq(now),
                // As after an APPEND of which the server did not tell the number.
                email_locations::settled_at.eq(Some(now)),
            ));
            on_conn!(tx, |c| row.execute(c).await)?;
            diesel::QueryResult::Ok(())
        })
        .await
        .unwrap();
    }
}

/// The names of the folders that a mail lies in.
pub fn folders(message: &Value) -> Vec<&str> {
    message["folders"].as_array().unwrap().iter().map(|folder| folder["name"].as_str().unwrap()).collect()
}
