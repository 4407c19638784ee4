//! Servers that answer changes with what cannot be true.

use std::time::Duration;

use super::fake_server_tests::selected;
use super::*;

const SEEN: FlagSet = FlagSet { flag: Flag::Seen, on: true };

fn tight() -> Limits {
    Limits {
        stall: Duration::from_millis(300),
        command: Duration::from_secs(2),
        entries: 100,
        unsolicited: 500,
        ..Limits::default()
    }
}

fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap()
}

#[tokio::test]
async fn billions_of_copied_mails_are_not_believed() {
    let (mut connection, server) = selected("MOVE UIDPLUS QRESYNC", tight(), |mut peer| async move {
        for (tag, code) in [
            ("a5", "COPYUID 4 1:4294967295 1:4294967295"),
            ("a6", "COPYUID 4 1:2 1:4294967295"),
            ("a7", "COPYUID 4 1:3 5:6"),
            ("a8", "COPYUID 4 9 5"),
            ("a9", "COPYUID 4 1:* 5:*"),
            ("a10", "COPYUID"),
        ] {
            let answer = format!("* OK [{code}] moved\n* VANISHED 1:4294967295\n{tag} OK [{code}] done\n");
            peer.answer(&format!("{tag} UID MOVE 1:3 \"A\""), &answer).await;
        }
    })
    .await;
    for _ in 0..6 {
        let moved = connection.move_mails(&set("1:3"), "A").await.unwrap();
        assert_eq!(moved, Moved { copied: None, gone: set("1:3") });
    }
    server.done().await;
}

#[tokio::test]
async fn nonsense_about_refused_changes_claims_nothing_as_done() {
    let (mut connection, server) = selected("CONDSTORE", tight(), |mut peer| async move {
        for (tag, code) in [
            ("a5", "MODIFIED nonsense"),
            ("a6", "MODIFIED"),
            ("a7", "MODIFIED 77:99"),
            ("a8", "MODIFIED 1:4294967295"),
            ("a9", "MODIFIED 99999999999"),
        ] {
            let answer = format!("* 1 FETCH (UID 1 MODSEQ (9))\n{tag} OK [{code}] done\n");
            peer.answer(&format!("{tag} UID STORE 1:3 (UNCHANGEDSINCE 8) +FLAGS.SILENT (\\Seen)"), &answer).await;
        }
    })
    .await;
    for all in [false, false, false, true, false] {
        let stored = connection.store_flags(&set("1:3"), &SEEN, Some(8)).await.unwrap();
        let expected = if all {
            Stored { modseqs: vec![], modified: set("1:3") }
        } else {
            Stored { modseqs: vec![(1, 9)], modified: set("2:3") }
        };
        assert_eq!(stored, expected);
    }
    server.done().await;
}

#[tokio::test]
async fn more_words_about_changes_than_mails_are_left() {
    let (mut connection, server) = selected("CONDSTORE", tight(), |mut peer| async move {
        peer.line().await;
        for uid in 1..=200 {
            peer.try_send(format!("* 1 FETCH (UID {uid} MODSEQ (9))\r\n").as_bytes()).await;
        }
        peer.until_gone().await;
    })
    .await;
    let error = connection.store_flags(&UidSet::from_uid(1), &SEEN, None).await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::TooLarge);
    drop(connection);
    server.done().await;

    let (mut connection, server) = selected("CONDSTORE", tight(), |mut peer| async move {
        peer.line().await;
        while peer.try_send(&b"* 1 FETCH (UID 1 MODSEQ (9))\r\n".repeat(100)).await {}
    })
    .await;
    let error = connection.store_flags(&UidSet::one(1), &SEEN, None).await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::Protocol);
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn a_move_without_end_is_left() {
    let (mut connection, server) = selected("MOVE", tight(), |mut peer| async move {
        peer.line().await;
        while peer.try_send(&b"* OK [COPYUID 4 1 5] moved\r\n".repeat(100)).await {}
    })
    .await;
    let error = connection.move_mails(&UidSet::one(1), "A").await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::Protocol);
    drop(connection);
    server.done().await;
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_of_a_move_is_told_as_such() {
    let (mut connection, server) = selected("MOVE", tight(), |mut peer| async move {
        peer.line().await;
        peer.send("* OK [COPYUID 4 1 5] moved\r\n* BYE restarting\r\n").await;
    })
    .await;
    let error = connection.move_mails(&UidSet::one(1), "A").await.unwrap_err();
    assert_eq!((error.kind, error.is_transient()), (ImapErrorKind::Unavailable, true));
    server.done().await;
}

#[tokio::test]
async fn a_folders_name_cannot_become_a_command() {
    let (mut connection, server) = selected("MOVE", tight(), |mut peer| async move {
        peer.expect("a5 UID MOVE 1 {10}").await;
        peer.send("+ go on\r\n").await;
        peer.expect("A").await;
        peer.answer("a6 NOOP", "a5 NO no\n").await;
    })
    .await;
    let error = connection.move_mails(&UidSet::one(1), "A\r\na6 NOOP").await.unwrap_err();
    assert_eq!(error.kind, ImapErrorKind::Rejected);
    server.done().await;
}
