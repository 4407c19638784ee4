use super::fake_server_tests::selected;
use super::*;

const SEEN: FlagSet = FlagSet { flag: Flag::Seen, on: true };

fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap()
}

#[tokio::test]
async fn flags_are_set_and_cleared_silently() {
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        peer.answer("a5 UID STORE 1:3,9 +FLAGS.SILENT (\\Seen)", "a5 OK done\n").await;
        peer.answer("a6 UID STORE 4 -FLAGS.SILENT (\\Flagged)", "a6 OK done\n").await;
        peer.answer("a7 UID STORE 4 +FLAGS.SILENT ($Forwarded)", "a7 OK done\n").await;
    })
    .await;
    // Without CONDSTORE the condition cannot be put.
    let stored = connection.store_flags(&set("1:3,9"), &SEEN, Some(5)).await.unwrap();
    assert_eq!(stored, Stored::default());
    let starred = FlagSet { flag: Flag::Flagged, on: false };
    connection.store_flags(&UidSet::one(4), &starred, None).await.unwrap();
    let forwarded = FlagSet { flag: Flag::Forwarded, on: true };
    connection.store_flags(&UidSet::one(4), &forwarded, None).await.unwrap();
    assert_eq!(connection.store_flags(&UidSet::new(), &SEEN, None).await.unwrap(), Stored::default());
    server.done().await;
}

#[tokio::test]
async fn mails_that_somebody_else_changed_are_left_alone_and_named() {
    let (mut connection, server) = selected("CONDSTORE", Limits::default(), |mut peer| async move {
        peer.answer(
            "a5 UID STORE 1:9 (UNCHANGEDSINCE 320) +FLAGS.SILENT (\\Seen)",
            "* 1 FETCH (UID 1 MODSEQ (325))\n* 2 FETCH (UID 2 MODSEQ (325))\n\
             * 5 FETCH (UID 5 MODSEQ (321) FLAGS (\\Seen))\n* 7 FETCH (UID 70 MODSEQ (325))\n\
             a5 OK [MODIFIED 5,7:8] done as far as possible\n",
        )
        .await;
        let refused = "* 5 FETCH (UID 5 MODSEQ (321))\na6 NO [MODIFIED 5,77] none of it\n";
        peer.answer("a6 UID STORE 5 (UNCHANGEDSINCE 320) +FLAGS.SILENT (\\Seen)", refused).await;
    })
    .await;
    let stored = connection.store_flags(&set("1:9"), &SEEN, Some(320)).await.unwrap();
    assert_eq!(stored.modseqs, [(1, 325), (2, 325)]);
    assert_eq!(stored.modified, set("5,7:8"));
    assert!(connection.take_news(), "the flags of somebody else's change");
    let stored = connection.store_flags(&UidSet::one(5), &SEEN, Some(320)).await.unwrap();
    assert_eq!(stored, Stored { modseqs: vec![], modified: UidSet::one(5) });
    server.done().await;
}

#[tokio::test]
async fn a_long_set_is_changed_in_several_commands() {
    let (mut connection, server) = selected("CONDSTORE", Limits::default(), |mut peer| async move {
        for tag in ["a5", "a6"] {
            let line = peer.line().await;
            assert!(line.len() < 4100);
            let first = line.split([' ', ',']).nth(3).unwrap_or_default().to_owned();
            let told = format!("* 1 FETCH (UID {first} MODSEQ (9))\r\n{tag} OK [MODIFIED 1002,3398] done\r\n");
            peer.send(told).await;
        }
    })
    .await;
    let sparse: UidSet = (1000..3400).step_by(2).collect();
    let stored = connection.store_flags(&sparse, &SEEN, Some(8)).await.unwrap();
    assert_eq!(stored.modseqs.len(), 2);
    assert_eq!(stored.modified, set("1002,3398"));
    server.done().await;
}

#[tokio::test]
async fn nothing_is_changed_in_a_folder_that_is_open_for_reading() {
    let (mut connection, server) = selected("MOVE UIDPLUS", Limits::default(), |mut peer| async move {
        peer.open("a5").await;
        let read_only = "* OK [UIDVALIDITY 7] ok\na6 OK [READ-ONLY] open\n";
        peer.answer("a6 SELECT \"Public\"", read_only).await;
        peer.answer("a7 UID COPY 1 \"A\"", "a7 OK done\n").await;
    })
    .await;
    let one = UidSet::one(1);
    connection.examine("INBOX").await.unwrap();
    let mut kinds = vec![connection.store_flags(&one, &SEEN, None).await.unwrap_err().kind];
    connection.select("Public").await.unwrap();
    kinds.push(connection.store_flags(&one, &SEEN, None).await.unwrap_err().kind);
    kinds.push(connection.move_mails(&one, "A").await.unwrap_err().kind);
    kinds.push(connection.expunge(&one).await.unwrap_err().kind);
    kinds.push(connection.expunge_all().await.unwrap_err().kind);
    assert_eq!(kinds, [ImapErrorKind::NotPermitted; 5]);
    connection.copy_mails(&one, "A").await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn a_refused_change_says_why() {
    let (mut connection, server) = selected("", Limits::default(), |mut peer| async move {
        for (tag, answer) in [
            ("a5", "NO [READ-ONLY] no"),
            ("a6", "NO Mailbox is read-only"),
            ("a7", "NO [NOPERM] no"),
            ("a8", "NO [CANNOT] no"),
            ("a9", "BAD what?"),
            ("a10", "NO [EXPUNGEISSUED] some are gone"),
            ("a11", "NO [OVERQUOTA] full"),
        ] {
            let line = format!("{tag} UID STORE 1 +FLAGS.SILENT (\\Seen)");
            peer.answer(&line, &format!("{tag} {answer}\n")).await;
        }
    })
    .await;
    use ImapErrorKind::{NotPermitted, NotUnderstood, Rejected};
    for kind in [NotPermitted, NotPermitted, NotPermitted, Rejected, NotUnderstood] {
        let error = connection.store_flags(&UidSet::one(1), &SEEN, None).await.unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.keeps_connection());
    }
    connection.store_flags(&UidSet::one(1), &SEEN, None).await.unwrap();
    let full = connection.store_flags(&UidSet::one(1), &SEEN, None).await.unwrap_err();
    assert_eq!(full.code(), "imap_over_quota");
    server.done().await;
}
