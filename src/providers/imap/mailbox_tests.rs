use super::fake_server_tests::logged_in;
use super::*;

#[tokio::test]
async fn folders_come_with_roles_and_counters_in_one_round() {
    let (mut connection, server) = logged_in("LIST-EXTENDED SPECIAL-USE LIST-STATUS", |mut peer| async move {
        peer.answer(
            "a4 LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (UIDVALIDITY UIDNEXT MESSAGES))",
            "* LIST () \".\" inbox\n* STATUS inbox (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 1)\n\
             * LIST (\\NonExistent) \".\" Kunden\n* LIST () \".\" \"Kunden.M&APw-ller\"\n\
             * LIST (\\Sent) \".\" \"Gesendet\"\n* LIST (\\All) \".\" Alle\na4 OK done\n",
        )
        .await;
    })
    .await;
    let folders = connection.list_folders().await.unwrap();
    server.done().await;
    let told: Vec<_> = folders.iter().map(|f| (f.raw_name.as_str(), f.name.as_str(), f.role, f.selectable)).collect();
    assert_eq!(
        told,
        [
            ("INBOX", "INBOX", Some(FolderRole::Inbox), true),
            ("Kunden", "Kunden", None, false),
            ("Kunden.M&APw-ller", "Kunden/Müller", None, true),
            ("Gesendet", "Gesendet", Some(FolderRole::Sent), true),
            ("Alle", "Alle", Some(FolderRole::All), true),
        ]
    );
    assert_eq!(folders[0].status.as_ref().unwrap().messages, Some(3));
    assert!(folders[4].is_view && !folders[3].is_view);
}

#[tokio::test]
async fn a_server_that_cannot_do_what_it_announces_is_asked_plainly() {
    let (mut connection, server) = logged_in("LIST-EXTENDED SPECIAL-USE", |mut peer| async move {
        peer.answer("a4 LIST \"\" \"*\" RETURN (SPECIAL-USE)", "a4 BAD what?\n").await;
        peer.answer("a5 LIST \"\" \"*\"", "* LIST () NIL INBOX\na5 OK done\n").await;
    })
    .await;
    let folders = connection.list_folders().await.unwrap();
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].delimiter, None);
    server.done().await;
}

#[tokio::test]
async fn a_vanished_folder_is_an_error_of_its_own() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        peer.answer("a4 EXAMINE \"Gone\"", "a4 NO Mailbox doesn't exist\n").await;
        peer.answer("a5 EXAMINE \"Gone\"", "a5 NO [NONEXISTENT] no\n").await;
        peer.answer("a6 EXAMINE \"Busy\"", "a6 NO [INUSE] locked\n").await;
        peer.answer("a7 STATUS \"Gone\" (UIDVALIDITY UIDNEXT MESSAGES)", "a7 NO no\n").await;
        peer.answer("a8 EXAMINE \"Odd\"", "* 1 EXISTS\na8 OK done\n").await;
        peer.answer("a9 SELECT \"Secret\"", "a9 NO [NOPERM] no\n").await;
    })
    .await;
    let mut kinds = Vec::new();
    for name in ["Gone", "Gone", "Busy"] {
        kinds.push(connection.examine(name).await.unwrap_err().kind);
    }
    kinds.push(connection.status("Gone").await.unwrap_err().kind);
    kinds.push(connection.examine("Odd").await.unwrap_err().kind);
    kinds.push(connection.select("Secret").await.unwrap_err().kind);
    use ImapErrorKind::{NoSuchFolder, Protocol, Unavailable};
    assert_eq!(kinds, [NoSuchFolder, NoSuchFolder, Unavailable, NoSuchFolder, Protocol, NoSuchFolder]);
    server.done().await;
}

#[tokio::test]
async fn an_index_holds_what_was_asked_for_and_nothing_else() {
    let (mut connection, server) = logged_in("OBJECTID", |mut peer| async move {
        peer.open("a4").await;
        peer.answer(
            "a5 UID FETCH 5:* (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID)",
            "* 9 FETCH (UID 7 RFC822.SIZE 10 FLAGS (\\Seen) EMAILID (M7))\n\
             * 2 FETCH (FLAGS (\\Deleted))\n* 3 EXPUNGE\n* 8 EXISTS\n\
             * 7 FETCH (UID 5 RFC822.SIZE 20 INTERNALDATE \"01-Jan-2024 00:00:00 +0000\")\n\
             * 7 FETCH (UID 5 FLAGS (\\Flagged))\n\
             * 6 FETCH (UID 4 RFC822.SIZE 30 FLAGS ())\n\
             * 8 FETCH (UID 6 FLAGS (\\Seen))\na5 OK done\n",
        )
        .await;
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    let index = connection.fetch_index(&UidSet::from_uid(5)).await.unwrap();
    server.done().await;
    let told: Vec<_> = index.iter().map(|e| (e.uid, e.size, e.flags.seen, e.flags.flagged)).collect();
    assert_eq!(told, [(5, 20, false, true), (7, 10, true, false)]);
    assert_eq!(index[1].email_id.as_deref(), Some("M7"));
    assert!(index[0].internal_date.is_some());
}

#[tokio::test]
async fn changes_since_a_point_bring_flags_and_the_vanished() {
    let (mut connection, server) = logged_in("QRESYNC", |mut peer| async move {
        let open = "* OK [UIDVALIDITY 7] ok\na4 OK [READ-ONLY] open\n";
        peer.answer("a4 EXAMINE \"INBOX\" (CONDSTORE)", open).await;
        peer.answer(
            "a5 UID FETCH 1:* (UID FLAGS MODSEQ) (CHANGEDSINCE 99 VANISHED)",
            "* VANISHED (EARLIER) 2:3\n* VANISHED 8\n\
             * 1 FETCH (UID 4 MODSEQ (101) FLAGS (\\Answered))\na5 OK done\n",
        )
        .await;
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    let flow = connection.fetch_flags(&UidSet::from_uid(1), Some(99)).await.unwrap();
    server.done().await;
    assert_eq!(flow.vanished.to_string(), "2:3");
    assert_eq!(flow.changed.len(), 1);
    assert!(flow.changed[0].flags.answered);
    assert_eq!(flow.changed[0].mod_seq, Some(101));
}

#[tokio::test]
async fn all_uids_are_found_with_and_without_the_compact_answer() {
    for (capabilities, command, answer) in [
        ("", "a5 UID SEARCH ALL", "* SEARCH 3 1 2 9\na5 OK done\n"),
        ("ESEARCH", "a5 UID SEARCH RETURN (ALL) ALL", "* ESEARCH (TAG \"a5\") UID ALL 1:3,9\na5 OK done\n"),
    ] {
        let (mut connection, server) = logged_in(capabilities, move |mut peer| async move {
            peer.open("a4").await;
            peer.answer(command, answer).await;
            peer.line().await;
        })
        .await;
        connection.examine("INBOX").await.unwrap();
        assert_eq!(connection.uid_search_all().await.unwrap().to_string(), "1:3,9");
        drop(connection);
        server.done().await;
    }
}

#[tokio::test]
async fn uids_from_a_point_leave_out_the_last_mail_below_it() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        peer.open("a4").await;
        peer.answer("a5 UID SEARCH UID 7:*", "* SEARCH 6\na5 OK done\n").await;
        peer.answer("a6 UID SEARCH UID 5:*", "* SEARCH 5 6\na6 OK done\n").await;
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    assert!(connection.uid_search_from(7).await.unwrap().is_empty());
    assert_eq!(connection.uid_search_from(5).await.unwrap().to_string(), "5:6");
    server.done().await;
}

#[tokio::test]
async fn a_long_set_is_asked_for_in_several_commands() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        peer.open("a4").await;
        for tag in ["a5", "a6"] {
            let line = peer.line().await;
            assert!(line.len() < 4100);
            let first = line.split([' ', ',']).nth(3).unwrap_or_default().to_owned();
            let answer = format!("* 1 FETCH (UID {first} RFC822.SIZE 9)\r\n{tag} OK done\r\n");
            peer.send(answer).await;
        }
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    let sparse: UidSet = (1000..3400).step_by(2).collect();
    assert_eq!(connection.fetch_index(&sparse).await.unwrap().len(), 2);
    server.done().await;
}

#[tokio::test]
async fn a_head_is_read_alone_and_a_missing_mail_has_none() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        peer.open("a4").await;
        let answer = "* 1 FETCH (UID 3 BODY[HEADER]<0> {6}\nA: b\n)\na5 OK done\n";
        peer.answer("a5 UID FETCH 3 (UID BODY.PEEK[HEADER]<0.262144>)", answer).await;
        peer.answer("a6 UID FETCH 4 (UID BODY.PEEK[HEADER]<0.262144>)", "a6 OK done\n").await;
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    assert_eq!(connection.fetch_head(3).await.unwrap().unwrap(), "A: b\r\n");
    assert_eq!(connection.fetch_head(4).await.unwrap(), None);
    server.done().await;
}

#[tokio::test]
async fn an_open_folder_tells_which_flags_it_keeps() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        for (tag, verb, permanent, access) in [
            ("a4", "SELECT", "* OK [PERMANENTFLAGS (\\Seen \\deleted [odd])] limited\n", "READ-WRITE"),
            ("a5", "SELECT", "* OK [PERMANENTFLAGS (\\Seen \\*)] limited\n", "READ-WRITE"),
            ("a6", "SELECT", "* OK [PERMANENTFLAGS ()] none\n", "READ-WRITE"),
            ("a7", "SELECT", "", "READ-WRITE"),
            ("a8", "SELECT", "", "READ-ONLY"),
            ("a9", "EXAMINE", "", "READ-ONLY"),
        ] {
            let answer = format!("* OK [UIDVALIDITY 7] ok\n{permanent}{tag} OK [{access}] open\n");
            peer.answer(&format!("{tag} {verb} \"INBOX\""), &answer).await;
        }
    })
    .await;
    let mut kept = Vec::new();
    for _ in 0..5 {
        let mailbox = connection.select("INBOX").await.unwrap();
        let flags = [Flag::Seen, Flag::Deleted, Flag::Flagged, Flag::Forwarded];
        kept.push(flags.map(|flag| mailbox.can_store(flag)));
    }
    assert_eq!(kept, [[true, true, false, false], [true, false, false, true], [false; 4], [true; 4], [false; 4]]);
    assert!(!connection.examine("INBOX").await.unwrap().can_store(Flag::Seen));
    server.done().await;
}

#[tokio::test]
async fn folders_have_ids_where_the_server_gives_them() {
    let (mut connection, server) = logged_in("LIST-EXTENDED LIST-STATUS OBJECTID CONDSTORE", |mut peer| async move {
        peer.answer(
            "a4 LIST \"\" \"*\" RETURN (STATUS (UIDVALIDITY UIDNEXT MESSAGES HIGHESTMODSEQ MAILBOXID))",
            "* LIST () \"/\" A\n* STATUS A (MESSAGES 1 MAILBOXID (F22-x))\n\
             * LIST () \"/\" B\n* STATUS B (MESSAGES 1 MAILBOXID ())\na4 OK done\n",
        )
        .await;
        let answer = "* OK [UIDVALIDITY 7] ok\n* OK [MAILBOXID (F22-x)] ok\na5 OK [READ-WRITE] open\n";
        peer.answer("a5 SELECT \"A\" (CONDSTORE)", answer).await;
    })
    .await;
    let folders = connection.list_folders().await.unwrap();
    let ids: Vec<_> = folders.into_iter().map(|folder| folder.status.unwrap().mailbox_id).collect();
    assert_eq!(ids, [Some("F22-x".to_owned()), None]);
    assert_eq!(connection.select("A").await.unwrap().mailbox_id.as_deref(), Some("F22-x"));
    server.done().await;
}

#[tokio::test]
async fn mails_are_found_by_their_message_id_and_the_id_stays_a_value() {
    let (mut connection, server) = logged_in("", |mut peer| async move {
        peer.open("a4").await;
        for (tag, value) in [("a5", "<x@y>"), ("a6", "<x@y>"), ("a7", "<a\\\"b\\\\c>")] {
            let answer = format!("* SEARCH 3\n{tag} OK done\n");
            peer.answer(&format!("{tag} UID SEARCH HEADER Message-ID \"{value}\""), &answer).await;
        }
        peer.expect("a8 UID SEARCH CHARSET UTF-8 HEADER Message-ID {6}").await;
        peer.send("+ go on\r\n").await;
        peer.answer("<ü@y>", "* SEARCH\na8 OK done\n").await;
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    for id in ["x@y", " <x@y> ", "<a\"b\\c>"] {
        assert_eq!(connection.uid_search_message_id(id).await.unwrap(), UidSet::one(3));
    }
    assert!(connection.uid_search_message_id("<ü@y>").await.unwrap().is_empty());
    for bad in ["", "<>", "a\r\nb", "a\0b", "a\nb"] {
        assert_eq!(connection.uid_search_message_id(bad).await.unwrap_err().kind, ImapErrorKind::Rejected);
    }
    server.done().await;
}

#[tokio::test]
async fn only_news_that_nobody_asked_for_are_news() {
    let (mut connection, server) = logged_in("QRESYNC", |mut peer| async move {
        let open = "* 9 EXISTS\n* 1 RECENT\n* OK [UIDVALIDITY 7] ok\na4 OK [READ-ONLY] open\n";
        peer.answer("a4 EXAMINE \"INBOX\" (CONDSTORE)", open).await;
        let flow = "* VANISHED (EARLIER) 2:3\n* 1 FETCH (UID 4 MODSEQ (101) FLAGS ())\na5 OK done\n";
        peer.answer("a5 UID FETCH 1:5 (UID FLAGS MODSEQ) (CHANGEDSINCE 99 VANISHED)", flow).await;
        let other = "* 7 FETCH (UID 12 MODSEQ (102) FLAGS (\\Seen))\na6 OK done\n";
        peer.answer("a6 UID FETCH 1:5 (UID FLAGS MODSEQ)", other).await;
        for (tag, told) in [
            ("a7", "OK still here"),
            ("a8", "10 EXISTS"),
            ("a9", "3 EXPUNGE"),
            ("a10", "VANISHED 4"),
            ("a11", "2 FETCH (FLAGS (\\Seen))"),
            ("a12", "1 RECENT"),
            ("a13", "FLAGS (\\Seen)"),
        ] {
            peer.answer(&format!("{tag} NOOP"), &format!("* {told}\n{tag} OK done\n")).await;
        }
    })
    .await;
    connection.examine("INBOX").await.unwrap();
    let some = UidSet::range(1..=5);
    connection.fetch_flags(&some, Some(99)).await.unwrap();
    assert!(!connection.take_news());
    connection.fetch_flags(&some, None).await.unwrap();
    assert!(connection.take_news() && !connection.take_news());
    let mut told = Vec::new();
    for _ in 0..7 {
        connection.noop().await.unwrap();
        told.push(connection.take_news());
    }
    assert_eq!(told, [false, true, true, true, true, false, false]);
    server.done().await;
}
