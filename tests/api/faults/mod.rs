//! What goes wrong around a mailbox: each fault has a clear answer, nothing is lost, and the sync goes on.

mod connect;
mod database;
mod disk;
mod folders;
mod heal;
mod hostile;
mod large;
mod poison;

use crate::mailbox::account;
use crate::support::{Client, ImapProxy, MailGenerator, Mailbox, SmtpSecurity, SmtpSink, TestMail, wait_for};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A word that stands in one mail only; the proxies look for it.
const MARK: &str = "==here-it-happens==";

/// A plain mail that arrived at a time of the generator's youth.
fn mail(message_id: &str, body: &[u8]) -> TestMail {
    let head = format!(
        "From: Greta <greta@garden.example>\r\nTo: olga@acme.example\r\nSubject: A mail with a story\r\n\
         Date: Tue, 3 Feb 2026 10:20:30 +0100\r\nMessage-ID: <{message_id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    let received_at: DateTime<Utc> = "2026-02-03T09:20:30Z".parse().unwrap();
    let template = MailGenerator::new(1).mail();
    TestMail {
        raw: [head.as_bytes(), body].concat(),
        message_id: message_id.to_owned(),
        received_at,
        in_reply_to: None,
        attachments: Vec::new(),
        ..template
    }
}

/// A mail of about this many bytes, with the mark near its beginning, of text that does not compress to nothing.
fn large_mail(message_id: &str, megabytes: usize) -> TestMail {
    const LINE: usize = 76;
    let mut body = format!("{MARK}\r\n").into_bytes();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while body.len() < megabytes * 1024 * 1024 {
        for _ in 0..LINE / 4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let letters = state.to_le_bytes();
            body.extend(letters[..4].iter().map(|byte| b'a' + byte % 26));
        }
        body.extend_from_slice(b"\r\n");
    }
    mail(message_id, &body)
}

/// A sink for the sending half of a mailbox, which these tests do not use.
async fn sink() -> SmtpSink {
    SmtpSink::start(SmtpSecurity::None).await
}

/// Connects the mailbox through the proxy and gives the account's id.
async fn connect_through(owner: &Client, proxy: &ImapProxy, mailbox: &Mailbox<'_>, smtp: &SmtpSink) -> String {
    let mut request = mailbox.connect_request(smtp.settings(&mailbox.user));
    request["imap"] = proxy.imap(mailbox);
    owner.post("/api/email/accounts", request).await.json(201)["id"].as_str().unwrap().to_owned()
}

/// Waits until the account is in this status; gives the account.
async fn in_status(owner: &Client, id: &str, status: &str) -> Value {
    wait_for(&format!("the account becomes {status}"), async || {
        Some(account(owner, id).await).filter(|account| account["status"] == status)
    })
    .await
}

/// What the server knows of a mail by its Message-ID; nothing when it knows none.
async fn looked_up(owner: &Client, message_id: &str) -> Option<Value> {
    let answer = owner.get(&format!("/api/email/messages/lookup?message_id={message_id}")).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.json(200))
}

/// The error of an account, which must tell a person what is wrong.
#[track_caller]
fn error_of(account: &Value) -> &str {
    assert!(account["error_message"].as_str().is_some_and(|text| !text.is_empty()), "{account}");
    account["error_code"].as_str().unwrap_or_else(|| panic!("no code: {account}"))
}

/// An account without error.
#[track_caller]
fn assert_well(account: &Value) {
    assert_eq!(account["status"], "active", "{account}");
    assert_eq!(account["error_code"], json!(null), "{account}");
    assert_eq!(account["error_message"], json!(null), "{account}");
}
