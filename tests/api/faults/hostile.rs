//! Mails full of bytes that no text may hold: all of them arrive, on both databases, and can be read.

use super::{assert_well, connect_through, mail, sink};
use crate::mailbox::backfilled;
use crate::support::{Dovecot, Fault, ImapProxy, TestApp, TestMail};
use serde_json::Value;
use std::collections::BTreeSet;

/// Dovecot replaces NUL in what it sends; the proxy puts it back, as servers that know no better send it.
const NUL: &str = "=nul=";
const REAL_NUL: &[u8] = b"\0\0\0\0\0";

/// Header lines and bodies as strangers send them.
fn hostile_mails() -> Vec<TestMail> {
    let bytes: Vec<u8> = (1..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    let raw = |number: usize, head: &[u8], body: &[u8]| {
        let head = [format!("Message-ID: <hostile-{number}@garden.example>\r\n").as_bytes(), head, b"\r\n"].concat();
        TestMail { raw: [head.as_slice(), body].concat(), ..mail(&format!("hostile-{number}@garden.example"), b"") }
    };
    let everything =
        [b"Subject: ".as_slice(), &bytes[..], b"\r\nFrom: ", &bytes, b" <a@b.example>\r\nTo: ", &bytes, b"\r\n"]
            .concat();
    let utf16: &[u8] = b"Subject: =?utf-16?b?AAAAAA==?= =?utf-8?q?=00=ff=c3?=\r\n";
    let file = [
        b"--x\r\nContent-Type: text/plain; charset=\"=nul=\"\r\n\r\n=nul=\xff\xfe\r\n--x\r\n".as_slice(),
        b"Content-Type: =nul=/\xff; name=\"=nul=\xe2\x82.pdf\"\r\nContent-ID: <=nul=\xff>\r\n",
        b"Content-Disposition: attachment; filename=\"=nul=\xe2\x82.pdf\"\r\n\r\n=nul=\xff\r\n--x--\r\n",
    ]
    .concat();
    vec![
        raw(0, &everything, &bytes),
        raw(1, b"Subject: =nul=in=nul=the subject\r\nFrom: \"=nul=\" <=nul=@b.example>\r\n", b"A=nul=B\r\n"),
        raw(
            2,
            b"Subject: \xc3\x28 \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80\r\nTo: \xff <c@\xff.example>\r\n",
            b"\xc3\x28\r\n",
        ),
        raw(3, utf16, b""),
        raw(4, b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n", &file),
        raw(
            5,
            b"Content-Type: text/html; charset=utf-8\r\n",
            b"<p title='=nul='>=nul=\xff&#0;&#xd800;<!--=nul=-->\r\n",
        ),
        raw(6, b"Content-Type: text/plain; charset=utf-16\r\n", b"=nul=\xd8=nul=\xd8\r\n"),
        raw(7, b"References: <=nul=@x> <\xff@y>\r\nIn-Reply-To: <=nul=@x>\r\nDate: =nul=\r\n", b"=nul=\r\n"),
        raw(
            8,
            b"X-Long: =nul=\r\nList-Id: <=nul=\xff>\r\nReply-To: =nul=\r\nCc: \xff=nul=, =nul=;\r\n",
            b"\xef\xbb\xbf",
        ),
    ]
}

/// The mails that the parser is tested with, as a server would hand them on.
fn fixtures() -> Vec<TestMail> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let fixture = |path: &std::path::PathBuf| TestMail { raw: std::fs::read(path).unwrap(), ..mail("", b"") };
    paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "eml")).map(fixture).collect()
}

/// Every text in an answer, to be looked at.
fn assert_no_nul(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains('\0'), "{text:?}"),
        Value::Array(items) => items.iter().for_each(assert_no_nul),
        Value::Object(fields) => fields.values().for_each(assert_no_nul),
        _ => {}
    }
}

on_both! {
    async fn nul_bytes_and_broken_utf_8_arrive_and_can_be_read(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let mails = hostile_mails();
        mailbox.seed("INBOX", &mails);
        mailbox.seed("Archive", &fixtures());
        let proxy = ImapProxy::start(&mailbox).await;
        proxy.spoil(NUL, Fault::Replace(REAL_NUL.to_vec()));
        let owner = app.owner().await;
        let id = connect_through(&owner, &proxy, &mailbox, &sink().await).await;
        let account = backfilled(&owner, &id).await;
        assert_well(&account);
        let counts = mailbox.peer().counts();
        assert_eq!(account["progress"]["synced"], counts["INBOX"] + counts["Archive"]);
        assert!(proxy.met() > 20, "NUL was sent");

        let stored = crate::mailbox::stored_counts(&owner, &id).await;
        assert_eq!((stored["INBOX"], stored["Archive"]), (counts["INBOX"], counts["Archive"]), "none was set aside");
        let mut raws = BTreeSet::new();
        let listed = owner.all(&format!("/api/email/messages?account_id={id}")).await;
        for message in &listed {
            let path = format!("/api/email/messages/{}", message["id"].as_str().unwrap());
            assert_no_nul(&owner.get(&path).await.json(200));
            assert_eq!(owner.get(&format!("{path}/body")).await.status, 200);
            raws.insert(owner.get(&format!("{path}/raw")).await.bytes);
            for file in message["attachments"].as_array().unwrap() {
                let answer = owner.get(&format!("/api/email/attachments/{}", file["id"].as_str().unwrap())).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
        for mail in &mails {
            let sent = replaced(&mail.raw);
            assert!(raws.contains(&sent), "the original of {} is not byte for byte", mail.message_id);
        }
        for thread in owner.all("/api/email/threads").await {
            owner.get(&format!("/api/email/threads/{}", thread["id"].as_str().unwrap())).await.json(200);
        }
    }
}

/// The mail as the proxy lets it through.
fn replaced(raw: &[u8]) -> Vec<u8> {
    let mut bytes = raw.to_vec();
    let mut at = 0;
    while at + NUL.len() <= bytes.len() {
        if bytes[at..].starts_with(NUL.as_bytes()) {
            bytes.splice(at..at + NUL.len(), REAL_NUL.iter().copied());
        }
        at += 1;
    }
    bytes
}
