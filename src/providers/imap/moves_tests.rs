use super::fake_server_tests::selected;
use super::*;

fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap()
}

#[tokio::test]
async fn moved_mails_are_found_again_where_they_went() {
    let (mut connection, server) = selected("MOVE UIDPLUS", Limits::default(), |mut peer| async move {
        let untagged = "* OK [COPYUID 4 1:2,9 30:32] moved\n* 1 EXPUNGE\n* 1 EXPUNGE\n* 1 EXPUNGE\na5 OK done\n";
        peer.answer("a5 UID MOVE 1:2,8:9 \"Kunden.M&APw-ller\"", untagged).await;
        peer.answer("a6 UID MOVE 3 \"A\\\"B\"", "* 1 EXPUNGE\na6 OK [COPYUID 4 3 33] done\n").await;
        peer.answer("a7 UID MOVE 4 \"A\"", "a7 OK no such mail\n").await;
    })
    .await;
    let moved = connection.move_mails(&set("1:2,8:9"), "Kunden.M&APw-ller").await.unwrap();
    assert_eq!(moved.copied, Some(CopyMap { uid_validity: 4, pairs: vec![(1, 30), (2, 31), (9, 32)] }));
    let moved = connection.move_mails(&UidSet::one(3), "A\"B").await.unwrap();
    assert_eq!(moved.copied.unwrap().pairs, [(3, 33)]);
    assert_eq!(connection.move_mails(&UidSet::one(4), "A").await.unwrap(), Moved::default());
    server.done().await;
}

#[tokio::test]
async fn our_own_moves_are_no_news_where_the_server_names_them() {
    let (mut connection, server) = selected("MOVE UIDPLUS QRESYNC", Limits::default(), |mut peer| async move {
        let ours = "* OK [COPYUID 4 1:3 7:9] moved\n* VANISHED 1:3\na5 OK [HIGHESTMODSEQ 99] done\n";
        peer.answer("a5 UID MOVE 1:3 \"A\"", ours).await;
        peer.answer("a6 UID EXPUNGE 4:5", "* VANISHED 4,6\na6 OK done\n").await;
    })
    .await;
    let moved = connection.move_mails(&set("1:3"), "A").await.unwrap();
    assert_eq!(moved.gone, set("1:3"));
    assert!(!connection.take_news());
    assert_eq!(connection.expunge(&set("4:5")).await.unwrap(), UidSet::one(4));
    assert!(connection.take_news(), "mail 6 was somebody else's");
    server.done().await;
}

#[tokio::test]
async fn a_long_set_moves_in_several_commands() {
    let (mut connection, server) = selected("MOVE UIDPLUS", Limits::default(), |mut peer| async move {
        for (tag, to) in [("a5", 1), ("a6", 2)] {
            let line = peer.line().await;
            assert!(line.len() < 4100);
            let first = line.split([' ', ',']).nth(3).unwrap_or_default().to_owned();
            peer.send(format!("* OK [COPYUID 4 {first} {to}] ok\r\n{tag} OK done\r\n")).await;
        }
    })
    .await;
    let sparse: UidSet = (1000..3400).step_by(2).collect();
    let moved = connection.move_mails(&sparse, "A").await.unwrap();
    assert_eq!(moved.copied.unwrap().pairs.len(), 2);
    server.done().await;
}

#[tokio::test]
async fn a_refused_move_says_what_is_in_the_way() {
    let (mut connection, server) = selected("MOVE", Limits::default(), |mut peer| async move {
        for (tag, answer) in [
            ("a5", "NO [TRYCREATE] no such folder"),
            ("a6", "NO [NONEXISTENT] no such folder"),
            ("a7", "NO [NOPERM] no"),
            ("a8", "NO Permission denied"),
            ("a9", "NO not today"),
            ("a10", "BAD what?"),
            ("a11", "NO [OVERQUOTA] full"),
        ] {
            peer.answer(&format!("{tag} UID MOVE 1 \"A\""), &format!("{tag} {answer}\n")).await;
        }
    })
    .await;
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(connection.move_mails(&UidSet::one(1), "A").await.unwrap_err().code());
    }
    assert_eq!(
        codes,
        [
            "imap_target_missing",
            "imap_target_missing",
            "imap_not_permitted",
            "imap_not_permitted",
            "imap_rejected",
            "imap_protocol_error",
            "imap_over_quota",
        ]
    );
    server.done().await;
}

#[tokio::test]
async fn a_server_without_extensions_is_served_step_by_step() {
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        peer.answer("a5 UID COPY 1:2 \"A\"", "a5 OK done\n").await;
        peer.answer("a6 UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "a6 OK done\n").await;
        peer.answer("a7 UID SEARCH DELETED", "* SEARCH 1 2 7\na7 OK done\n").await;
        peer.answer("a8 UID SEARCH DELETED", "* SEARCH 2\na8 OK done\n").await;
        peer.answer("a9 EXPUNGE", "* 1 EXPUNGE\n* 1 EXPUNGE\na9 OK done\n").await;
    })
    .await;
    let both = set("1:2");
    let missing = connection.move_mails(&both, "A").await.unwrap_err();
    assert_eq!((missing.code(), missing.keeps_connection()), ("imap_not_supported", true));
    assert_eq!(connection.copy_mails(&both, "A").await.unwrap(), None);
    connection.store_flags(&both, &FlagSet { flag: Flag::Deleted, on: true }, None).await.unwrap();
    assert_eq!(connection.expunge(&both).await.unwrap_err().kind, ImapErrorKind::NotSupported);
    assert!(connection.has_other_deleted(&both).await.unwrap());
    assert!(!connection.has_other_deleted(&both).await.unwrap());
    connection.expunge_all().await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn a_copy_and_a_removal_of_just_these_mails() {
    let (mut connection, server) = selected("UIDPLUS", Limits::default(), |mut peer| async move {
        peer.answer("a5 UID COPY 1:2 \"A\"", "a5 OK [COPYUID 4 1:2 8:9] done\n").await;
        peer.answer("a6 UID EXPUNGE 1:2", "* 1 EXPUNGE\n* 1 EXPUNGE\na6 OK done\n").await;
    })
    .await;
    let both = set("1:2");
    let copied = connection.copy_mails(&both, "A").await.unwrap().unwrap();
    assert_eq!(copied.pairs, [(1, 8), (2, 9)]);
    assert!(connection.expunge(&both).await.unwrap().is_empty());
    server.done().await;
}

#[tokio::test]
async fn mails_are_removed_and_nobody_elses_with_them() {
    let (mut connection, server) = selected("UIDPLUS", Limits::default(), |mut peer| async move {
        peer.answer("a5 UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "a5 OK done\n").await;
        peer.answer("a6 UID EXPUNGE 1:2", "* 1 EXPUNGE\n* 1 EXPUNGE\na6 OK done\n").await;
    })
    .await;
    connection.remove(&set("1:2")).await.unwrap();
    server.done().await;
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        peer.answer("a5 UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "a5 OK done\n").await;
        peer.answer("a6 UID SEARCH DELETED", "* SEARCH 1 2\na6 OK done\n").await;
        peer.answer("a7 EXPUNGE", "* 1 EXPUNGE\n* 1 EXPUNGE\na7 OK done\n").await;
        peer.answer("a8 UID STORE 3 +FLAGS.SILENT (\\Deleted)", "a8 OK done\n").await;
        peer.answer("a9 UID SEARCH DELETED", "* SEARCH 3 7\na9 OK done\n").await;
        peer.answer("a10 UID STORE 3 -FLAGS.SILENT (\\Deleted)", "a10 NO no\n").await;
        peer.answer("a11 UID STORE 3 +FLAGS.SILENT (\\Deleted)", "a11 NO [NOPERM] no\n").await;
    })
    .await;
    connection.remove(&set("1:2")).await.unwrap();
    let others = connection.remove(&UidSet::one(3)).await.unwrap_err();
    assert_eq!((others.kind, others.keeps_connection()), (ImapErrorKind::OthersMarked, true));
    assert_eq!(connection.remove(&UidSet::one(3)).await.unwrap_err().kind, ImapErrorKind::NotPermitted);
    server.done().await;
}

#[tokio::test]
async fn a_folder_is_there_after_it_was_created_whoever_did_it() {
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        for (create, created, subscribe, subscribed) in [
            ("a5", "OK done", "a6", "OK done"),
            ("a7", "NO [ALREADYEXISTS] no", "a8", "NO [OVERQUOTA] no"),
            ("a9", "NO Mailbox exists.", "a10", "BAD what?"),
        ] {
            peer.answer(&format!("{create} CREATE \"&AMQ-\""), &format!("{create} {created}\n")).await;
            peer.answer(&format!("{subscribe} SUBSCRIBE \"&AMQ-\""), &format!("{subscribe} {subscribed}\n")).await;
        }
        peer.answer("a11 CREATE \"B\"", "a11 NO [NOPERM] no\n").await;
    })
    .await;
    let name = encode_folder_name("Ä");
    for _ in 0..3 {
        connection.create_folder(&name).await.unwrap();
    }
    assert_eq!(connection.create_folder("B").await.unwrap_err().kind, ImapErrorKind::NotPermitted);
    server.done().await;
}
