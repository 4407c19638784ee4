//! The harness itself: what the other tests trust has to hold.

use crate::support::{Backend, Dovecot, DovecotOptions, MailGenerator, SmtpSecurity, SmtpSink, TestDatabase, TestMail};
use std::collections::BTreeSet;

fn digests(mails: &[TestMail]) -> BTreeSet<String> {
    let digest = |mail: &TestMail| ring::digest::digest(&ring::digest::SHA256, &mail.raw);
    mails.iter().map(|mail| data_encoding::HEXLOWER.encode(digest(mail).as_ref())).collect()
}

#[test]
fn the_same_seed_makes_the_same_mails() {
    let first = MailGenerator::new(7).take(300);
    assert_eq!(digests(&first), digests(&MailGenerator::new(7).take(300)));
    assert_eq!(digests(&first).len(), 300, "no two mails are equal");
    assert_ne!(digests(&first), digests(&MailGenerator::new(8).take(300)));
    assert!(first.iter().any(|mail| mail.in_reply_to.is_some()));
    assert!(first.iter().any(|mail| !mail.attachments.is_empty()));
    assert!(first.iter().any(|mail| mail.raw.iter().any(|byte| *byte > 0x7f)));
}

#[test]
fn the_peer_sees_seeded_mails_byte_for_byte() {
    let mailbox = Dovecot::shared().mailbox();
    let mails = MailGenerator::new(1).take(60);
    mailbox.seed("INBOX", &mails[..30]);
    mailbox.seed("Entwürfe & mehr/東京", &mails[30..]);
    let peer = mailbox.peer();
    let counts = peer.counts();
    assert_eq!(counts["INBOX"], 30);
    assert_eq!(counts["Entwürfe & mehr/東京"], 30);
    assert_eq!(counts["Sent"], 0);
    let seen: BTreeSet<String> = peer.mails("INBOX").into_iter().map(|mail| mail.sha256).collect();
    assert_eq!(seen, digests(&mails[..30]));
}

#[test]
fn the_peer_changes_a_mailbox() {
    let mailbox = Dovecot::shared().mailbox();
    let peer = mailbox.peer();
    let mails: Vec<Vec<u8>> = MailGenerator::new(2).take(3).into_iter().map(|mail| mail.raw).collect();
    peer.append("INBOX", &mails, &["\\Seen"]);
    let uids: Vec<u32> = peer.mails("INBOX").iter().map(|mail| mail.uid).collect();
    assert_eq!(peer.raw("INBOX", uids[0]), mails[0]);
    peer.create_folder("Kunden");
    peer.move_to("INBOX", &uids[..1], "Kunden");
    peer.rename_folder("Kunden", "Clients");
    peer.flag("INBOX", &uids[1..2], &["\\Flagged"], &["\\Seen"]);
    peer.delete("INBOX", &uids[2..]);
    let left = peer.mails("INBOX");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].flags, ["\\Flagged"]);
    assert_eq!(peer.counts()["Clients"], 1);
    peer.remove_folder("Clients");
    assert!(!peer.counts().contains_key("Clients"));
}

#[test]
fn a_server_keeps_its_mail_over_a_crash() {
    let dovecot = Dovecot::start(&DovecotOptions { no_special_folders: true, ..DovecotOptions::default() });
    let mailbox = dovecot.mailbox();
    mailbox.seed("INBOX", &MailGenerator::new(3).take(5));
    let before = mailbox.peer().mails("INBOX").len();
    dovecot.kill();
    dovecot.start_again();
    dovecot.restart();
    assert_eq!(mailbox.peer().mails("INBOX").len(), before);
    assert_eq!(mailbox.peer().folders().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_test_gets_a_database_of_its_own() {
    let first = TestDatabase::create(Backend::Postgres).await;
    let second = TestDatabase::create(Backend::Postgres).await;
    assert_ne!(first.url(), second.url());
    let url = first.url().unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE t (id int)").await.unwrap();
    drop(first);
    assert!(tokio_postgres::connect(&url, tokio_postgres::NoTls).await.is_err());
    assert!(TestDatabase::create(Backend::Sqlite).await.url().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sink_takes_mail_from_python_and_refuses_wrong_passwords() {
    for security in [SmtpSecurity::None, SmtpSecurity::StartTls, SmtpSecurity::Tls] {
        let sink = SmtpSink::start(security).await;
        assert_eq!(python(&sink, security, "pw"), "sent");
        assert_eq!(python(&sink, security, "wrong"), "535");
        sink.refuse_logins(true);
        assert_eq!(python(&sink, security, "pw"), "535");
        assert_eq!(sink.logins(), ["olga"]);
        let accepted = sink.accepted();
        assert_eq!(accepted.len(), 1);
        assert_eq!(accepted[0].from, "a@x.example");
        assert_eq!(accepted[0].to, ["b@x.example", "c@x.example"]);
        assert_eq!(accepted[0].raw, b"Subject: dots\r\n\r\n.one\r\n..two\r\n");
    }
}

/// Sends through the sink with Python's own client and tells how it went.
fn python(sink: &SmtpSink, security: SmtpSecurity, password: &str) -> String {
    let script = r#"
import smtplib, ssl, sys
port, security, password, authority = int(sys.argv[1]), *sys.argv[2:]
trust = ssl.create_default_context(cafile=authority)
smtp = smtplib.SMTP_SSL("localhost", port, context=trust) if security == "Tls" else smtplib.SMTP("localhost", port)
if security == "StartTls":
    smtp.starttls(context=trust)
try:
    smtp.login("olga", password)
    smtp.sendmail("a@x.example", ["b@x.example", "c@x.example"], b"Subject: dots\r\n\r\n.one\r\n..two\r\n")
    print("sent")
except smtplib.SMTPAuthenticationError as error:
    print(error.smtp_code)
"#;
    let arguments = [
        sink.port.to_string(),
        format!("{security:?}"),
        password.to_owned(),
        crate::support::pki::pki().authority.to_string_lossy().into_owned(),
    ];
    let done = std::process::Command::new("python3").arg("-c").arg(script).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}
