use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::oneshot;

use super::*;
use crate::net::support_tests::local_net;
use crate::providers::imap::fake_server_tests::{FakeServer, Peer};

pub(super) const MAIL: &str = "MAIL FROM:<anna@x.example>";

/// A connection to a server that offers this and then follows the script.
pub(super) async fn connected<F>(
    offers: &'static str,
    limits: SmtpLimits,
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> (SmtpConnection, FakeServer)
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(move |mut peer| async move {
        peer.send("220 mail\r\n").await;
        let offers: String =
            offers.split_whitespace().map(|word| format!("250-{}\n", word.replace('_', " "))).collect();
        peer.answer("EHLO [127.0.0.1]", &format!("250-mail\n{offers}250 HELP\n")).await;
        script(peer).await;
    })
    .await;
    let settings = SmtpSettings {
        host: "localhost".to_owned(),
        port: server.settings.port,
        security: server.settings.security,
        username: None,
        password: None,
        only_if_offered: false,
    };
    (SmtpConnection::connect_with(&local_net(), &settings, limits).await.unwrap(), server)
}

pub(super) fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        from: "anna@x.example".to_owned(),
        recipients: recipients.iter().map(|name| format!("{name}@y.example")).collect(),
        ..Envelope::default()
    }
}

pub(super) fn body<E>(pieces: &[&'static str]) -> impl Stream<Item = Result<Bytes, E>> + Unpin + use<E> {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    stream::iter(pieces)
}

/// Sends a short mail.
pub(super) async fn send(
    connection: &mut SmtpConnection,
    recipients: &[&str],
) -> Result<Delivery, SendError<Infallible>> {
    connection.send(&envelope(recipients), body(&["a\r\n"]), async |_: &[RecipientReply]| Ok(())).await
}

fn codes(delivery: &Delivery) -> Vec<u16> {
    delivery.recipients.iter().map(|reply| reply.code).collect()
}

/// Takes the short mail after DATA.
async fn take(peer: &mut Peer, answer: &str) {
    peer.answer("DATA", "354 go\n").await;
    peer.expect("a").await;
    peer.answer(".", answer).await;
}

#[tokio::test]
async fn the_final_dot_waits_for_the_step_before_it() {
    let (read, all_read) = oneshot::channel();
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&done);
    let (mut connection, server) = connected("SIZE_1000 DSN", SmtpLimits::default(), |mut peer| async move {
        peer.answer("MAIL FROM:<anna@x.example> SIZE=70 RET=HDRS ENVID=m1", "250 2.1.0 ok\n").await;
        peer.answer("RCPT TO:<b@y.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@y.example", "250 2.1.5 ok\n").await;
        peer.answer("DATA", "354 go\n").await;
        for line in ["Subject: x", "", "..dot", ".."] {
            peer.expect(line).await;
        }
        read.send(()).unwrap();
        peer.expect(".").await;
        assert!(seen.load(Ordering::SeqCst), "the dot came too early");
        peer.send("250-2.0.0 taken\r\n250 2.0.0 as 42\r\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    assert_eq!(connection.max_size(), Some(1000));
    let mail = Envelope { size: 70, envelope_id: Some("m1".to_owned()), ..envelope(&["b"]) };
    let task = tokio::spawn(async move {
        let pieces = body::<Infallible>(&["Subject: x\r", "\n\r\n.do", "t\r\n", "."]);
        let sent = connection.send(&mail, pieces, async move |recipients: &[RecipientReply]| {
            assert_eq!(recipients[0].enhanced.as_deref(), Some("2.1.5"));
            all_read.await.unwrap();
            done.store(true, Ordering::SeqCst);
            Ok(())
        });
        let delivery = sent.await.unwrap();
        assert!(connection.is_ready());
        connection.quit().await;
        delivery
    });
    let delivery = task.await.unwrap();
    assert!(delivery.is_accepted(0) && !delivery.is_accepted(1));
    let data = delivery.data.unwrap();
    assert_eq!((data.code, &*data.text), (250, "taken as 42"));
    server.done().await;
}

#[tokio::test]
async fn recipients_are_named_at_once_where_the_server_allows() {
    let (mut connection, server) = connected("PIPELINING", SmtpLimits::default(), |mut peer| async move {
        let mut answers = "250 ok\r\n".to_owned();
        peer.expect(MAIL).await;
        for number in 0..49 {
            peer.expect(&format!("RCPT TO:<r{number}@y.example>")).await;
            answers.push_str(if number == 3 { "550 5.1.1 unknown\r\n" } else { "250 ok\r\n" });
        }
        peer.send(&answers).await;
        for number in 49..60 {
            peer.expect(&format!("RCPT TO:<r{number}@y.example>")).await;
        }
        peer.send("451 4.7.1 greylisted\r\n".repeat(11)).await;
        take(&mut peer, "250 ok\n").await;
    })
    .await;
    let names: Vec<String> = (0..60).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let delivery = send(&mut connection, &names).await.unwrap();
    assert_eq!(delivery.recipients.len(), 60);
    assert!(delivery.recipients[3].is_permanent() && !delivery.is_accepted(3) && delivery.is_accepted(48));
    assert!(delivery.recipients[49..].iter().all(SmtpReply::is_temporary));
    server.done().await;
}

#[tokio::test]
async fn each_recipient_has_an_answer_of_its_own() {
    let (mut connection, server) = connected("", SmtpLimits::default(), |mut peer| async move {
        peer.answer(MAIL, "250 ok\n").await;
        for (name, answer) in [
            ("a", "250 ok\n"),
            ("b", "550-5.1.1 no\n550 5.1.1 such user\n"),
            ("c", "451 4.7.1 greylisted\n"),
            ("d", "452 4.5.3 too many\n"),
            ("e", "552 too many recipients\n"),
        ] {
            peer.answer(&format!("RCPT TO:<{name}@y.example>"), answer).await;
        }
        take(&mut peer, "250 ok\n").await;
    })
    .await;
    let delivery = send(&mut connection, &["a", "b", "c", "d", "e"]).await.unwrap();
    assert_eq!(codes(&delivery), [250, 550, 451, 452, 552]);
    let [_, unknown, grey, many, old] = &delivery.recipients[..] else { panic!() };
    assert_eq!((unknown.enhanced.as_deref(), &*unknown.text), (Some("5.1.1"), "no such user"));
    assert!(unknown.is_permanent() && grey.is_temporary() && many.is_temporary() && old.is_temporary());
    assert!(!grey.is_too_many_recipients() && many.is_too_many_recipients() && old.is_too_many_recipients());
    server.done().await;
}

#[tokio::test]
async fn a_mail_that_nobody_may_have_is_not_begun_and_the_next_one_goes() {
    let (mut connection, server) = connected("", SmtpLimits::default(), |mut peer| async move {
        peer.answer(MAIL, "250 ok\n").await;
        peer.answer("RCPT TO:<a@y.example>", "550 no\n").await;
        peer.answer("RSET", "250 ok\n").await;
        peer.answer(MAIL, "250 ok\n").await;
        peer.answer("RCPT TO:<b@y.example>", "250 no\n").await;
        peer.answer("DATA", "554 5.7.1 not today\n").await;
        peer.answer("RSET", "250 ok\n").await;
        peer.answer("RSET", "250 ok\n").await;
        peer.answer(MAIL, "250 ok\n").await;
        peer.answer("RCPT TO:<c@y.example>", "250 no\n").await;
        take(&mut peer, "451 4.3.0 disk\n").await;
    })
    .await;
    let refused = send(&mut connection, &["a"]).await.unwrap();
    assert_eq!((codes(&refused), refused.data), (vec![550], None));
    let refused = send(&mut connection, &["b"]).await.unwrap();
    assert!(refused.data.as_ref().is_some_and(SmtpReply::is_permanent) && !refused.is_accepted(0));
    connection.reset().await.unwrap();
    let later = send(&mut connection, &["c"]).await.unwrap();
    assert!(later.data.as_ref().is_some_and(SmtpReply::is_temporary) && connection.is_ready());
    server.done().await;
}

#[tokio::test]
async fn a_refused_sender_leaves_a_connection_that_is_good() {
    use SmtpErrorKind as Kind;
    for offers in ["", "PIPELINING"] {
        for (answer, kind, code) in [
            ("550 5.7.1 not yours\n", Kind::Rejected, "smtp_rejected"),
            ("451 4.7.1 slow down\n", Kind::Unavailable, "smtp_unavailable"),
            ("552 5.3.4 too big\n", Kind::TooLarge, "message_too_large"),
            ("530 5.7.0 sign in\n", Kind::AuthFailed, "smtp_login_failed"),
            ("550 5.6.7 ascii only\n", Kind::Utf8NotSupported, "smtp_utf8_not_supported"),
        ] {
            let (mut connection, server) = connected(offers, SmtpLimits::default(), move |mut peer| async move {
                peer.expect(MAIL).await;
                if !offers.is_empty() {
                    peer.expect("RCPT TO:<b@y.example>").await;
                }
                peer.send(answer.replace('\n', "\r\n")).await;
                if !offers.is_empty() {
                    peer.send("503 MAIL first\r\n").await;
                }
                peer.answer("RSET", "250 ok\n").await;
                peer.answer("QUIT", "221 bye\n").await;
            })
            .await;
            let SendError::BeforeEnd(error) = send(&mut connection, &["b"]).await.unwrap_err() else { panic!() };
            assert_eq!((error.kind, error.code()), (kind, code));
            assert_eq!(error.reply.unwrap().code.to_string(), answer[..3]);
            assert!(connection.is_ready());
            connection.quit().await;
            server.done().await;
        }
    }
}

#[tokio::test]
async fn a_mail_that_the_server_cannot_take_is_not_offered() {
    let (mut connection, server) = connected("SIZE_1000", SmtpLimits::default(), |mut peer| async move {
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    for (mail, kind) in [
        (Envelope { size: 1001, ..envelope(&["b"]) }, SmtpErrorKind::TooLarge),
        (Envelope { smtputf8: true, ..envelope(&["b"]) }, SmtpErrorKind::Utf8NotSupported),
        (envelope(&["b@y.example>\r\nRCPT TO:<c"]), SmtpErrorKind::InvalidMail),
    ] {
        let sent = connection.send(&mail, body::<Infallible>(&[]), async |_: &[RecipientReply]| Ok(())).await;
        let Err(SendError::BeforeEnd(error)) = sent else { panic!() };
        assert_eq!(error.kind, kind);
    }
    assert!(connection.is_ready());
    connection.quit().await;
    server.done().await;
}

/// A server that takes whatever comes after DATA, and in which no line may be the final dot.
async fn without_end(mut peer: Peer) {
    peer.answer(MAIL, "250 ok\n").await;
    peer.answer("RCPT TO:<b@y.example>", "250 ok\n").await;
    peer.answer("DATA", "354 go\n").await;
    loop {
        match &*peer.line().await {
            "" => return,
            line => assert!(line != "." && line != "QUIT", "the mail was ended"),
        }
    }
}

#[tokio::test]
async fn what_fails_on_our_side_never_ends_the_mail() {
    let unreadable = || stream::iter([Ok(Bytes::from_static(b"a\r\n")), Err("unreadable")]);
    for step in ["body", "before the end"] {
        let (mut connection, server) = connected("", SmtpLimits::default(), without_end).await;
        let sent = match step {
            "body" => connection.send(&envelope(&["b"]), unreadable(), async |_: &[RecipientReply]| Ok(())).await,
            _ => {
                connection
                    .send(&envelope(&["b"]), body(&["a\r\n"]), async |_: &[RecipientReply]| Err("unreadable"))
                    .await
            }
        };
        assert_eq!(sent, Err(SendError::Caller("unreadable")));
        assert!(!connection.is_ready());
        let Err(SendError::BeforeEnd(error)) = send(&mut connection, &["b"]).await else { panic!() };
        assert_eq!(error.kind, SmtpErrorKind::ConnectionLost);
        assert!(connection.reset().await.is_err());
        connection.quit().await;
        server.done().await;
    }
}

#[tokio::test]
async fn a_mail_that_is_given_up_on_the_way_never_ends() {
    let (mut connection, server) = connected("", SmtpLimits::default(), without_end).await;
    let asked = AtomicBool::new(false);
    let mail = envelope(&["b"]);
    let sending = connection.send(&mail, body::<Infallible>(&["a\r\n"]), async |_: &[RecipientReply]| {
        asked.store(true, Ordering::SeqCst);
        std::future::pending().await
    });
    tokio::select! {
        _ = sending => panic!(),
        () = async { while !asked.load(Ordering::SeqCst) { tokio::task::yield_now().await } } => {}
    }
    assert!(!connection.is_ready());
    connection.quit().await;
    server.done().await;
}

#[tokio::test]
async fn a_mail_with_a_second_one_inside_is_never_ended() {
    for pieces in
        [&["a\n.\r\nMAIL FROM:<x@y.example>\r\n"][..], &["a\r", ".\r\n"], &["a\r\n.", "\n"], &["a\r"], &["\0\r\n"]]
    {
        let (mut connection, server) = connected("", SmtpLimits::default(), without_end).await;
        let mail = envelope(&["b"]);
        let sent = connection.send(&mail, body::<Infallible>(pieces), async |_: &[RecipientReply]| panic!());
        let Err(SendError::BeforeEnd(error)) = sent.await else { panic!() };
        assert_eq!((error.kind, error.code()), (SmtpErrorKind::InvalidMail, "message_invalid"));
        connection.quit().await;
        server.done().await;
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_has_sent_nothing() {
    use SmtpErrorKind as Kind;
    for (farewell, kind) in
        [("", Kind::ConnectionLost), ("421 4.4.2 idle\r\n", Kind::Unavailable), ("250 what\r\n", Kind::Protocol)]
    {
        let (mut connection, server) = connected("", SmtpLimits::default(), move |mut peer| async move {
            peer.answer(MAIL, "250 ok\n").await;
            peer.answer("RCPT TO:<b@y.example>", "250 ok\n").await;
            take(&mut peer, &format!("250 ok\n{farewell}")).await;
            if !farewell.is_empty() {
                peer.until_gone().await;
            }
        })
        .await;
        let first = send(&mut connection, &["b"]).await.unwrap();
        assert!(first.is_accepted(0));
        // What was said behind the answer may have come with it.
        let error = match send(&mut connection, &["b"]).await.unwrap_err() {
            SendError::BeforeEnd(error) => error,
            other => panic!("{other}"),
        };
        assert!(error.kind == kind || error.kind == Kind::ConnectionLost, "{error}");
        drop(connection);
        server.done().await;
    }
}
