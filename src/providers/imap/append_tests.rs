use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeZone, Utc};
use futures_util::{Stream, StreamExt, stream};

use super::fake_server_tests::{Peer, logged_in, selected};
use super::*;

type Put = Result<Option<(u32, u32)>, AppendError<&'static str>>;

fn pieces(pieces: &[&'static str]) -> impl Stream<Item = Result<Bytes, &'static str>> + Unpin + use<> {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    stream::iter(pieces)
}

/// Puts the mail `a CRLF b CRLF` into a folder.
async fn put(connection: &mut ImapConnection, size: u64, body: &[&'static str]) -> Put {
    connection.append("Sent", &[Flag::Seen], None, size, pieces(body)).await
}

#[tokio::test]
async fn a_mail_is_put_where_the_server_tells() {
    let (mut connection, server) = logged_in("UIDPLUS", |mut peer| async move {
        let line = "a4 APPEND \"Entw&APw-rfe\" (\\Draft \\Seen) \" 7-Feb-2026 03:04:05 +0000\" {6}";
        peer.answer(line, "* 3 EXISTS\n+ go on\n").await;
        peer.expect("a").await;
        peer.expect("b").await;
        peer.answer("", "a4 OK [APPENDUID 7 12] done\n").await;
        for (tag, code) in
            [("a5", ""), ("a6", "[APPENDUID 7 0] "), ("a7", "[APPENDUID 7] "), ("a8", "[APPENDUID 7 1:2] ")]
        {
            peer.answer(&format!("{tag} APPEND \"Sent\" (\\Seen) {{6}}"), "+ go on\n").await;
            peer.expect("a").await;
            peer.expect("b").await;
            peer.answer("", &format!("{tag} OK {code}done\n")).await;
        }
        peer.answer("a9 NOOP", "a9 OK done\n").await;
    })
    .await;
    let date = Utc.with_ymd_and_hms(2026, 2, 7, 3, 4, 5).unwrap();
    let flags = [Flag::Draft, Flag::Seen];
    let put_draft = connection.append("Entw&APw-rfe", &flags, Some(date), 6, pieces(&["a\r", "", "\nb\r\n"]));
    assert_eq!(put_draft.await.unwrap(), Some((7, 12)));
    for _ in 0..4 {
        assert_eq!(put(&mut connection, 6, &["a\r\nb", "\r\n"]).await.unwrap(), None);
    }
    connection.noop().await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn small_mails_go_without_asking_where_that_is_understood() {
    for (capabilities, size, line) in [
        ("LITERAL+", 6, "a4 APPEND \"Sent\" (\\Seen) {6+}"),
        ("LITERAL-", 6, "a4 APPEND \"Sent\" (\\Seen) {6+}"),
        ("LITERAL+", 64 * 1024 + 1, "a4 APPEND \"Sent\" (\\Seen) {65537}"),
        ("LITERAL-", 4097, "a4 APPEND \"Sent\" (\\Seen) {4097}"),
    ] {
        let (mut connection, server) = logged_in(capabilities, move |mut peer| async move {
            peer.expect(line).await;
            if !line.contains('+') {
                peer.send("+ go on\r\n").await;
            }
            let mut left = size + 2;
            while left > 0 {
                left -= peer.line().await.len() + 2;
            }
            peer.send("a4 OK done\r\n").await;
        })
        .await;
        let lines = stream::iter(std::iter::repeat_n("1234\r\n".as_bytes(), size / 6)).map(Bytes::from_static);
        let rest = Bytes::from_static(&b"12345\r\n"[..size % 6]);
        let body = lines.chain(stream::iter([rest])).map(Ok::<_, &str>);
        connection.append("Sent", &[Flag::Seen], None, size as u64, body).await.unwrap();
        server.done().await;
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_in_the_way_before_the_mail_is_sent_and_after() {
    use ImapErrorKind as Kind;
    for early in [true, false] {
        for (answer, kind) in [
            ("NO [TRYCREATE] no such folder", Kind::TryCreate),
            ("NO [NONEXISTENT] no such folder", Kind::TryCreate),
            ("NO [OVERQUOTA] full", Kind::OverQuota),
            ("NO [TOOBIG] too big", Kind::TooLarge),
            ("NO [NOPERM] not yours", Kind::NotPermitted),
            ("NO never", Kind::Rejected),
            ("BAD what", Kind::NotUnderstood),
        ] {
            let (mut connection, server) = logged_in("", move |mut peer| async move {
                peer.expect("a4 APPEND \"Sent\" (\\Seen) {6}").await;
                if !early {
                    peer.send("+ go on\r\n").await;
                    peer.expect("a").await;
                    peer.expect("b").await;
                    peer.expect("").await;
                }
                peer.send(format!("a4 {answer}\r\n")).await;
                peer.answer("a5 NOOP", "a5 OK done\n").await;
            })
            .await;
            let Err(AppendError::Imap(error)) = put(&mut connection, 6, &["a\r\nb\r\n"]).await else { panic!() };
            assert_eq!(error.kind, kind, "{answer}");
            connection.noop().await.unwrap();
            server.done().await;
        }
    }
}

/// Reads what comes of a mail until the client is gone.
async fn come_of(mut peer: Peer) -> String {
    peer.answer("a4 APPEND \"Sent\" (\\Seen) {6}", "+ go on\n").await;
    let mut all = String::new();
    loop {
        match peer.line().await {
            line if line.is_empty() => return all,
            line => all.push_str(&line),
        }
    }
}

#[tokio::test]
async fn a_mail_of_another_length_is_never_put_and_the_connection_is_given_up() {
    for body in [&["a\r\n"][..], &["a\r\nb\r\n", "c"], &["a\r\nb\r\nc\r\n"], &[]] {
        let (mut connection, server) = logged_in("", |peer| async move {
            let came = come_of(peer).await;
            assert!(came == "a" || came.is_empty(), "{came}");
        })
        .await;
        assert_eq!(put(&mut connection, 6, body).await, Err(AppendError::WrongSize));
        assert_eq!(connection.noop().await.unwrap_err().kind, ImapErrorKind::ConnectionLost);
        connection.logout().await;
        server.done().await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_is_never_put() {
    let (mut connection, server) = logged_in("", |peer| async move {
        assert_eq!(come_of(peer).await, "a");
    })
    .await;
    let body = pieces(&["a\r\n", "b"]).chain(stream::iter([Err("unreadable")]));
    let put = connection.append("Sent", &[Flag::Seen], None, 6, body).await;
    assert_eq!(put, Err(AppendError::Body("unreadable")));
    connection.logout().await;
    server.done().await;
}

#[tokio::test]
async fn a_mail_that_is_given_up_on_the_way_spoils_nothing_else() {
    let (mut connection, server) = logged_in("", |peer| async move {
        assert_eq!(come_of(peer).await, "");
    })
    .await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let body = Box::pin(stream::once(async move {
        begun.send(()).unwrap();
        std::future::pending::<Result<Bytes, &str>>().await
    }));
    tokio::select! {
        _ = connection.append("Sent", &[Flag::Seen], None, 6, body) => panic!(),
        begun = has_begun => begun.unwrap(),
    }
    connection.logout().await;
    server.done().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_or_stops_reading_is_left() {
    let large = || {
        let piece = || Ok::<_, &str>(Bytes::from_static(&[b'x'; 64 * 1024]));
        Box::pin(stream::repeat_with(piece).take(1024))
    };
    let limits = Limits { stall: Duration::from_millis(300), ..Limits::default() };
    for (says, kind) in [
        ("", ImapErrorKind::ConnectionLost),
        ("* BYE restarting\r\n", ImapErrorKind::Unavailable),
        ("a5 NO [OVERQUOTA] full\r\n", ImapErrorKind::OverQuota),
        ("a5 NO never\r\n", ImapErrorKind::ConnectionLost),
        ("silent", ImapErrorKind::Timeout),
    ] {
        let (gone, is_gone) = tokio::sync::oneshot::channel::<()>();
        let (mut connection, server) = selected("", limits, move |mut peer| async move {
            peer.answer("a5 APPEND \"Sent\" (\\Seen) {67108864}", "+ go on\n").await;
            if says == "silent" {
                is_gone.await.unwrap_err();
            } else {
                peer.send(says).await;
            }
        })
        .await;
        let put = connection.append("Sent", &[Flag::Seen], None, 64 << 20, large()).await;
        let Err(AppendError::Imap(error)) = put else { panic!() };
        // What was said may be lost when the other side hangs up with mail unread.
        assert!(
            error.kind == kind || (says != "silent" && error.kind == ImapErrorKind::ConnectionLost),
            "{says}: {error}"
        );
        drop((connection, gone));
        server.done().await;
    }
}
