//! The IMAP client's verbs against a real Dovecot, with an independent client on the other side.

use crate::support::pki::pki;
use crate::support::wait::PATIENCE;
use crate::support::{Dovecot, DovecotOptions, MailGenerator, Mailbox, TestMail};
use bytes::Bytes;
use chrono::{TimeZone, Utc};
use data_encoding::HEXLOWER;
use duplex::mail;
use duplex::net::{Net, NetOptions};
use duplex::providers::Security;
use duplex::providers::imap::{
    AppendError, Flag, FlagSet, IdleEnd, ImapConnection, ImapErrorKind, ImapSettings, UidSet, encode_folder_name,
};
use duplex::secret::Secret;
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

const SEEN: FlagSet = FlagSet { flag: Flag::Seen, on: true };
const DELETED: FlagSet = FlagSet { flag: Flag::Deleted, on: true };

/// What a server knows that has UIDPLUS, but neither MOVE nor modification sequences.
const PLAIN: DovecotOptions = DovecotOptions {
    capability: Some("IMAP4rev1 LITERAL+ UIDPLUS IDLE"),
    rights: &[],
    quota: None,
    no_tls: false,
    require_tls: false,
    no_special_folders: false,
};

/// A connection under TLS to a mailbox.
async fn connected(mailbox: &Mailbox<'_>) -> ImapConnection {
    let net = Net::new(NetOptions {
        allow_private_networks: true,
        extra_ca_certs: Some(pki().authority.clone()),
        ..NetOptions::default()
    });
    let settings = ImapSettings {
        host: "localhost".to_owned(),
        port: mailbox.server.imaps_port,
        security: Security::Tls,
        username: mailbox.user.clone(),
        password: Secret::new("pw"),
    };
    ImapConnection::connect(&net.unwrap(), &settings).await.unwrap()
}

fn mails(count: usize) -> Vec<TestMail> {
    let mut mails = MailGenerator::new(77).take(count);
    for mail in &mut mails {
        (mail.seen, mail.flagged) = (false, false);
    }
    mails
}

fn digest_of(raw: &[u8]) -> String {
    HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, raw).as_ref())
}

/// The UIDs in a folder that have the flag, by the independent client's word.
fn flagged(mailbox: &Mailbox<'_>, folder: &str, flag: &str) -> Vec<u32> {
    let has = |flags: &[String]| flags.iter().any(|found| found == flag);
    mailbox.peer().mails(folder).into_iter().filter(|mail| has(&mail.flags)).map(|mail| mail.uid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_somebody_else_changed_meanwhile_is_left_alone() {
    let mailbox = Dovecot::shared().mailbox();
    mailbox.seed("INBOX", &mails(3));
    let mut connection = connected(&mailbox).await;
    let opened = connection.select("INBOX").await.unwrap();
    assert!(opened.can_store(Flag::Seen) && opened.can_store(Flag::Forwarded));
    mailbox.peer().flag("INBOX", &[2], &["\\Flagged"], &[]);

    let all = UidSet::range(1..=3);
    let stored = connection.store_flags(&all, &SEEN, opened.highest_modseq).await.unwrap();
    assert_eq!(stored.modified, UidSet::one(2));
    assert_eq!(stored.modseqs.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [1, 3]);
    assert!(connection.take_news(), "the other client's change was told on the way");
    assert_eq!(flagged(&mailbox, "INBOX", "\\Seen"), [1, 3]);

    let now = connection.fetch_flags(&all, None).await.unwrap();
    let told: Vec<_> = now.changed.iter().filter_map(|mail| Some((mail.uid, mail.mod_seq?))).collect();
    assert!(stored.modseqs.iter().all(|pair| told.contains(pair)));
    let latest = told.iter().find(|(uid, _)| *uid == 2).map(|(_, mod_seq)| *mod_seq);
    let stored = connection.store_flags(&UidSet::one(2), &SEEN, latest).await.unwrap();
    assert!(stored.modified.is_empty());
    let unread = FlagSet { on: false, ..SEEN };
    connection.store_flags(&UidSet::range(1..=2), &unread, None).await.unwrap();
    assert_eq!(flagged(&mailbox, "INBOX", "\\Seen"), [3]);
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_mails_are_found_under_the_numbers_the_server_told() {
    let mailbox = Dovecot::shared().mailbox();
    let sent = mails(4);
    mailbox.seed("INBOX", &sent);
    let mut connection = connected(&mailbox).await;
    connection.select("INBOX").await.unwrap();
    let folder = encode_folder_name("Kunden & Söhne");
    let some = UidSet::parse("1,3:4").unwrap();
    let missing = connection.move_mails(&some, &folder).await.unwrap_err();
    assert_eq!(missing.kind, ImapErrorKind::TryCreate);
    connection.create_folder(&folder).await.unwrap();
    connection.create_folder(&folder).await.unwrap();

    let before = mailbox.peer().mails("INBOX");
    let moved = connection.move_mails(&some, &folder).await.unwrap();
    let copied = moved.copied.unwrap();
    assert_eq!(moved.gone, some);
    assert!(!connection.take_news(), "nobody else did anything");
    let there = mailbox.peer().mails("Kunden & Söhne");
    assert_eq!(copied.pairs.len(), 3);
    for (from, to) in copied.pairs {
        let digest = |mails: &[crate::support::imap_peer::PeerMail], uid| {
            mails.iter().find(|mail| mail.uid == uid).unwrap().sha256.clone()
        };
        assert_eq!(digest(&before, from), digest(&there, to));
    }
    assert_eq!(connection.select(&folder).await.unwrap().uid_validity, copied.uid_validity);
    connection.examine("INBOX").await.unwrap();
    let refused = connection.store_flags(&UidSet::one(2), &SEEN, None).await.unwrap_err();
    assert_eq!(refused.kind, ImapErrorKind::NotPermitted);
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_move_mails_are_copied_and_only_they_are_removed() {
    let dovecot = Dovecot::start(&PLAIN);
    let mailbox = dovecot.mailbox();
    mailbox.seed("INBOX", &mails(4));
    let mut connection = connected(&mailbox).await;
    connection.select("INBOX").await.unwrap();
    let ours = UidSet::range(1..=2);
    assert_eq!(connection.move_mails(&ours, "Archive").await.unwrap_err().kind, ImapErrorKind::NotSupported);
    mailbox.peer().flag("INBOX", &[4], &["\\Deleted"], &[]);

    let copied = connection.copy_mails(&ours, "Archive").await.unwrap().unwrap();
    assert_eq!(copied.pairs.len(), 2);
    connection.store_flags(&ours, &DELETED, Some(1)).await.unwrap();
    assert!(connection.has_other_deleted(&ours).await.unwrap());
    connection.expunge(&ours).await.unwrap();
    let left: Vec<u32> = mailbox.peer().mails("INBOX").iter().map(|mail| mail.uid).collect();
    assert_eq!(left, [3, 4], "somebody else's marked mail is still there");
    assert_eq!(mailbox.peer().counts()["Archive"], 2);
    assert!(!connection.has_other_deleted(&UidSet::one(4)).await.unwrap());
    connection.expunge_all().await.unwrap();
    assert_eq!(mailbox.peer().counts()["INBOX"], 1);
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_connection_hears_of_every_change() {
    let mailbox = Dovecot::shared().mailbox();
    mailbox.seed("INBOX", &mails(2));
    let mut connection = connected(&mailbox).await;
    connection.select("INBOX").await.unwrap();
    let none = connection.idle(Duration::from_millis(1), pending()).await.unwrap();
    assert_eq!(none, IdleEnd::TimedOut);
    assert_eq!(connection.idle(PATIENCE, async {}).await.unwrap(), IdleEnd::Woken);

    let raw = mails(1).remove(0).raw;
    let changes: [&(dyn Fn(&Mailbox<'_>) + Sync); 3] = [
        &|mailbox| mailbox.peer().append("INBOX", std::slice::from_ref(&raw), &[]),
        &|mailbox| mailbox.peer().flag("INBOX", &[1], &["\\Seen"], &[]),
        &|mailbox| mailbox.peer().delete("INBOX", &[2]),
    ];
    for change in changes {
        let waiting = connection.idle(PATIENCE, pending());
        let ((), end) = tokio::join!(async { tokio::task::block_in_place(|| change(&mailbox)) }, waiting);
        assert_eq!(end.unwrap(), IdleEnd::News);
        // What one change makes the server say may come in several pieces.
        while connection.idle(Duration::from_millis(1), pending()).await.unwrap() == IdleEnd::News {}
    }
    assert_eq!(connection.fetch_index(&UidSet::from_uid(1)).await.unwrap().len(), 2);
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_identify_mails_as_the_whole_mails_do() {
    let mailbox = Dovecot::shared().mailbox();
    mailbox.seed("INBOX", &mails(20));
    let long = format!("Subject: long\r\nX-Long: {}\r\n\r\nbody\r\n", "x".repeat(300 * 1024));
    let odd: Vec<Vec<u8>> = [
        "Subject: a header and a blank line\r\n\r\n",
        "Subject: a header alone\r\n",
        "Subject: no end of line",
        "\r\nno header\r\n",
        "Subject: folded\r\n and more\r\n\t \r\nTo: x@y.example\r\n\r\n\r\nbody after blank lines\r\n\r\n",
        "Subject: bare line feeds\nTo: x@y.example\n\nbody\n\nmore\n",
        "Subject: mixed\r\nTo: x@y.example\n\r\nbody\n",
        "Subject: a bare \r return\r\n\r\nbody\r\n",
        "no colon in here\r\nSubject: x\r\n\r\nbody\r\n",
        "Subject: caf\u{e9} \u{6c5f}\r\n\r\nbody\r\n",
        &long,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    mailbox.peer().append("INBOX", &odd, &[]);
    let mut connection = connected(&mailbox).await;
    connection.examine("INBOX").await.unwrap();
    let all = connection.uid_search_all().await.unwrap();
    assert_eq!(all.len(), 31);
    let heads = connection.fetch_heads(&all).await.unwrap();
    let left_out: Vec<u32> = all.iter().filter(|uid| heads.iter().all(|(entry, _)| entry.uid != *uid)).collect();
    assert_eq!(left_out, [31], "the one whose header is too long");
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    connection.fetch_bodies([all], 1, sender).await.unwrap();
    let whole = receiver.recv().await.unwrap().mails;
    for (entry, head) in &heads {
        let mail = whole.iter().find(|mail| mail.uid == entry.uid).unwrap();
        let expected = mail::identity(mail::header_block(&mail.raw), mail.raw.len() as u64);
        assert_eq!(mail::identity(mail::header_block(head), entry.size), expected, "mail {}: {head:?}", entry.uid);
    }
    assert_eq!(digest_of(&whole[0].raw), mailbox.peer().mails("INBOX")[0].sha256);
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_found_by_its_message_id() {
    let mailbox = Dovecot::shared().mailbox();
    let sent = mails(3);
    mailbox.seed("INBOX", &sent);
    mailbox.peer().append("INBOX", &[b"Message-ID: <we\"ird\\id@x.example>\r\n\r\nbody\r\n".to_vec()], &[]);
    let mut connection = connected(&mailbox).await;
    connection.examine("INBOX").await.unwrap();
    let found = connection.uid_search_message_id(&sent[1].message_id).await.unwrap();
    let head = connection.fetch_head(found.first().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.len(), 1);
    assert!(sent[1].raw.starts_with(&head));
    assert_eq!(connection.uid_search_message_id("<we\"ird\\id@x.example>").await.unwrap(), UidSet::one(4));
    assert!(connection.uid_search_message_id("nobody@x.example").await.unwrap().is_empty());
    connection.uid_search_message_id("ünknown@x.example").await.unwrap();
    connection.logout().await;
}

/// A mail of about so many octets, as a line and how often it comes.
fn large(octets: usize) -> (Bytes, usize) {
    let line = Bytes::from(format!("{}\r\n", "x".repeat(998)));
    let count = octets / line.len();
    (line, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_put_into_folders_whatever_their_size_and_found_there() {
    for capability in [None, Some("IMAP4rev1 UIDPLUS"), Some("IMAP4rev1 LITERAL+")] {
        let dovecot = Dovecot::start(&DovecotOptions { capability, ..DovecotOptions::default() });
        let mailbox = dovecot.mailbox();
        let mut connection = connected(&mailbox).await;
        let folder = encode_folder_name("Entw\u{fc}rfe");
        let raw = b"Message-ID: <odd\"one@x.example>\r\nSubject: x\r\n\r\n.\r\nbody\r\n";
        let size = raw.len() as u64;
        let body = || stream::iter(raw.chunks(3)).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)));
        let flags = [Flag::Draft, Flag::Seen];
        let missing = connection.append(&folder, &flags, None, size, body()).await;
        assert!(matches!(&missing, Err(AppendError::Imap(e)) if e.kind == ImapErrorKind::TryCreate), "{missing:?}");
        connection.create_folder(&folder).await.unwrap();
        let date = Utc.with_ymd_and_hms(2026, 2, 7, 3, 4, 5).unwrap();
        let told = connection.append(&folder, &flags, Some(date), size, body()).await.unwrap();

        let (line, count) = large(27_000_000);
        let size = (line.len() * count) as u64;
        let lines = stream::iter(std::iter::repeat_n(line.clone(), count)).map(Ok::<_, Infallible>);
        let large_told = connection.append(&folder, &[], None, size, lines).await.unwrap();
        let opened = connection.select(&folder).await.unwrap();
        // Dovecot tells also when it was not to say that it can.
        assert_eq!(told, Some((opened.uid_validity, 1)));
        assert_eq!(large_told, Some((opened.uid_validity, 2)));

        let there = mailbox.peer().mails("Entw\u{fc}rfe");
        assert_eq!(
            there.iter().map(|mail| mail.sha256.clone()).collect::<Vec<_>>(),
            [digest_of(raw), digest_of(&line.repeat(count))]
        );
        let mut has = there[0].flags.clone();
        has.retain(|flag| flag != "\\Recent");
        has.sort();
        assert_eq!(has, ["\\Draft", "\\Seen"]);
        let found = connection.uid_search_message_id("<odd\"one@x.example>").await.unwrap();
        assert_eq!(found, UidSet::one(1));
        assert_eq!(connection.fetch_index(&found).await.unwrap()[0].internal_date, Some(date));
        connection.logout().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_breaks_off_is_not_put_and_a_full_mailbox_says_so() {
    let dovecot = Dovecot::start(&DovecotOptions { quota: Some(1), ..DovecotOptions::default() });
    let mailbox = dovecot.mailbox();
    for pieces in [&["a\r\n"][..], &["a\r\n", "b\r\nc\r\n"]] {
        let mut connection = connected(&mailbox).await;
        let body = stream::iter(pieces).map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes())));
        let put = connection.append("Sent", &[Flag::Seen], None, 6, body).await;
        assert_eq!(put, Err(AppendError::WrongSize));
        connection.logout().await;
    }
    assert_eq!(mailbox.peer().counts()["Sent"], 0);
    let mut connection = connected(&mailbox).await;
    for full in [false, true] {
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a\r\nb\r\n"))]);
        let put = connection.append("Sent", &[Flag::Seen], None, 6, body).await;
        match put {
            Err(AppendError::Imap(error)) => assert_eq!((full, error.kind), (true, ImapErrorKind::OverQuota)),
            other => assert!(!full && other.is_ok(), "{other:?}"),
        }
    }
    connection.logout().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_mails_are_removed_on_every_server() {
    for capability in [None, Some("IMAP4rev1 LITERAL+")] {
        let dovecot = Dovecot::start(&DovecotOptions { capability, ..DovecotOptions::default() });
        let mailbox = dovecot.mailbox();
        mailbox.seed("INBOX", &mails(4));
        let mut connection = connected(&mailbox).await;
        connection.select("INBOX").await.unwrap();
        connection.remove(&UidSet::one(2)).await.unwrap();
        connection.remove(&UidSet::one(2)).await.unwrap();
        mailbox.peer().flag("INBOX", &[4], &["\\Deleted"], &[]);
        let removed = connection.remove(&UidSet::one(1)).await;
        let left: Vec<u32> = mailbox.peer().mails("INBOX").iter().map(|mail| mail.uid).collect();
        if capability.is_none() {
            removed.unwrap();
            assert_eq!(left, [3, 4]);
        } else {
            assert_eq!(removed.unwrap_err().kind, ImapErrorKind::OthersMarked);
            assert_eq!((left, flagged(&mailbox, "INBOX", "\\Deleted")), (vec![1, 3, 4], vec![4]));
        }
        connection.logout().await;
    }
}
