//! A million mails, made inside the database: what is measured is reading them.

use crate::support::Settings;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::path::Path;
use tokio_postgres::NoTls;

/// Mails of one account, five to a thread in the mean, all in its INBOX.
pub struct Corpus {
    /// How many.
    pub mails: usize,
    /// The account's id.
    pub account: String,
}

/// How a database writes ids and times.
struct Dialect {
    id: fn(&str, &str) -> String,
    time: fn(&str) -> String,
    literal: fn(&str) -> String,
}

const SQLITE: Dialect = Dialect {
    id: |prefix, number| format!("unhex(printf('{prefix}0000000000070008000000%09x', {number}))"),
    time: |seconds| format!("(({seconds}) * 1000000)"),
    literal: |id| format!("x'{}'", id.replace('-', "")),
};

const POSTGRES: Dialect = Dialect {
    id: |prefix, number| format!("(('{prefix}0000000000070008000000' || lpad(to_hex({number}), 9, '0'))::uuid)"),
    time: |seconds| format!("to_timestamp({seconds})"),
    literal: |id| format!("'{id}'::uuid"),
};

impl Corpus {
    /// Fills the database, which no server uses meanwhile.
    pub async fn load(&self, settings: &Settings, data_dir: &Path) {
        match settings.0.get("DATABASE_URL") {
            None => {
                let path = data_dir.join("duplex.db");
                let mut connection = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
                connection.batch_execute("PRAGMA synchronous = OFF").unwrap();
                for statement in self.statements(&SQLITE) {
                    connection.batch_execute(&statement).unwrap_or_else(|error| panic!("{error}: {statement}"));
                }
            }
            Some(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                tokio::spawn(connection);
                for statement in self.statements(&POSTGRES) {
                    client.batch_execute(&statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
                }
                client.batch_execute("VACUUM ANALYZE").await.unwrap();
            }
        }
    }

    fn statements(&self, dialect: &Dialect) -> Vec<String> {
        let mails = self.mails;
        let threads = (mails / 5).max(1);
        let account = (dialect.literal)(&self.account);
        let numbers = |count: usize| {
            format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)")
        };
        let (id, time) = (dialect.id, dialect.time);
        // Mails arrive every 300 s; those of a thread lie `threads` mails apart.
        let received = time("1400000000 + n.i * 300");
        let latest = time(&format!("1400000000 + (n.i + {}) * 300", threads * 4));
        let from_account = format!("FROM n, email_accounts a WHERE a.id = {account}");
        vec![
            format!("UPDATE email_accounts SET phase = 'paused' WHERE id = {account}"),
            format!(
                "{} INSERT INTO threads (id, organization_id, subject, normalized_subject, first_message_at, \
                 last_message_at, message_count, snippet, created_at, updated_at) SELECT {}, a.organization_id, 'Subject ' || n.i, \
                 'subject ' || n.i, {received}, {latest}, 5, 'The beginning of what the newest mail says, as lists show it', \
                 {latest}, {latest} {from_account}",
                numbers(threads),
                id("1", "n.i"),
            ),
            format!(
                "{} INSERT INTO thread_accounts (account_id, thread_id, last_message_at, message_count, unread_count) \
                 SELECT a.id, {}, {latest}, 5, 0 {from_account}",
                numbers(threads),
                id("1", "n.i"),
            ),
            format!(
                "{} INSERT INTO emails (id, organization_id, account_id, user_id, external_id, thread_id, message_id, \
                 from_email, from_name, subject, snippet, direction, sent_at, received_at, is_read, created_at, updated_at, \
                 synced_at, body_visible_text, body_text) SELECT {}, a.organization_id, a.id, a.user_id, 'bench-' || n.i, {}, \
                 n.i || '@bench.example', 'someone@customer.example', 'Some One', 'Subject ' || n.i, \
                 'The beginning of what the mail says, as lists show it', 'inbound', {received}, {received}, n.i % 7 > 0, \
                 {received}, {received}, {received}, {}, {} {from_account}",
                numbers(mails),
                id("2", "n.i"),
                id("1", &format!("(n.i % {threads})")),
                text(4),
                text(8),
            ),
            format!(
                "{} INSERT INTO email_locations (id, email_id, folder_id, account_id, uid, uid_validity, is_read, received_at, \
                 created_at) SELECT {}, {}, f.id, f.account_id, n.i + 1, 1, n.i % 7 > 0, {received}, {received} \
                 FROM n, email_folders f WHERE f.account_id = {account} AND f.role = 'inbox'",
                numbers(mails),
                id("3", "n.i"),
                id("2", "n.i"),
            ),
            format!(
                "{} INSERT INTO email_recipients (id, email_id, recipient_type, email_address, email_normalized, name, \
                 created_at) SELECT {}, {}, 'to', 'owner@mail.example', 'owner@mail.example', 'Owner', {received} FROM n",
                numbers(mails),
                id("4", "n.i"),
                id("2", "n.i"),
            ),
        ]
    }
}

/// A body of some lines, as an SQL text.
fn text(lines: usize) -> String {
    let line = "A line of text as it stands in mails that people write to each other about their work. ";
    format!("'{}'", line.repeat(lines))
}
