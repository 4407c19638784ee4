//! Servers that fail, lie and dawdle at every step.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::send_tests::{connected, envelope, send};
use super::*;
use crate::providers::imap::fake_server_tests::Peer;

const STEPS: [&str; 5] = ["MAIL", "RCPT", "DATA", "line", "."];

/// Behaves well up to the step, and leaves what came for it unanswered.
async fn behave_until(peer: &mut Peer, step: &str) {
    loop {
        let line = peer.line().await;
        let verb = line.split(' ').next().unwrap_or_default();
        if verb == step || verb.is_empty() {
            return;
        }
        match verb {
            "MAIL" | "RCPT" => peer.send("250 ok\r\n").await,
            "DATA" => peer.send("354 go\r\n").await,
            _ => {}
        }
    }
}

/// A mail that is longer than any buffer on the way.
async fn send_long(connection: &mut SmtpConnection) -> Result<Delivery, SendError<Infallible>> {
    let pieces = stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 900]))).take(100_000);
    let line_end = || Ok(Bytes::from_static(b"\r\nline\r\n"));
    let lines = pieces.flat_map(move |piece| stream::iter([piece, line_end()]));
    connection.send(&envelope(&["b"]), lines, async |_: &[RecipientReply]| Ok(())).await
}

/// What comes of a mail when the server says this at the step, and goes or stays.
async fn outcome(
    step: &'static str,
    offers: &'static str,
    says: &'static str,
    stays: bool,
) -> Result<Delivery, SendError<Infallible>> {
    let limits = match (stays, says) {
        (true, "") => brief(),
        _ => SmtpLimits::default(),
    };
    let (mut connection, server) = connected(offers, limits, move |mut peer| async move {
        behave_until(&mut peer, step).await;
        peer.try_send(says.as_bytes()).await;
        if stays {
            peer.until_gone().await;
        }
    })
    .await;
    let sent = if step == "line" { send_long(&mut connection).await } else { send(&mut connection, &["b"]).await };
    drop(connection);
    server.done().await;
    sent
}

fn brief() -> SmtpLimits {
    let short = Duration::from_millis(60);
    SmtpLimits { envelope: short, data: short, stall: short, end: short, ..SmtpLimits::default() }
}

#[tokio::test]
async fn a_server_that_dies_leaves_no_doubt_before_the_end_and_doubt_after_it() {
    for offers in ["", "PIPELINING"] {
        for step in STEPS {
            for (says, stays) in [("", false), ("", true), ("nonsense\r\n", true), ("3", false), ("25", false)] {
                if step == "line" && says.is_empty() && stays {
                    // It would read the mail to its end.
                    continue;
                }
                match outcome(step, offers, says, stays).await.unwrap_err() {
                    SendError::BeforeEnd(error) => {
                        assert!(step != "." && error.is_transient(), "{step} {says:?}: {error}");
                    }
                    SendError::Unknown(error) => {
                        assert!(step == "." && error.is_transient(), "{step} {says:?}: {error}");
                    }
                    SendError::Caller(never) => match never {},
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_shuts_down_has_accepted_nothing() {
    for offers in ["", "PIPELINING"] {
        for step in ["MAIL", "RCPT", "DATA", "line"] {
            let error = match outcome(step, offers, "421 4.3.2 shutting down\r\n", true).await.unwrap_err() {
                SendError::BeforeEnd(error) => error,
                other => panic!("{step}: {other}"),
            };
            assert_eq!((error.kind, error.reply.unwrap().code), (SmtpErrorKind::Unavailable, 421), "{step}");
        }
        let delivery = outcome(".", offers, "421 4.3.2 shutting down\r\n", false).await.unwrap();
        assert!(delivery.data.unwrap().is_temporary());
    }
}

#[tokio::test]
async fn a_mail_that_is_refused_in_its_middle_is_not_written_to_its_end() {
    let SendError::BeforeEnd(error) = outcome("line", "", "552 5.3.4 too big\r\n", true).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(error.kind, SmtpErrorKind::TooLarge);
    assert_eq!(error.reply.unwrap().enhanced.as_deref(), Some("5.3.4"));
}

#[tokio::test]
async fn an_answer_before_the_question_is_not_taken_for_one() {
    for step in ["MAIL", "RCPT", "DATA"] {
        let says = if step == "DATA" { "354 go\r\n250 taken\r\n" } else { "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n" };
        let error = outcome(step, "", says, true).await.unwrap_err();
        assert!(matches!(&error, SendError::BeforeEnd(e) if e.kind == SmtpErrorKind::Protocol), "{step}: {error}");
    }
}

#[tokio::test]
async fn floods_are_cut_off_at_every_step() {
    for flood in [&b"x"[..], b"250-more\r\n", b"250-"] {
        for step in STEPS {
            let (mut connection, server) = connected("", SmtpLimits::default(), move |mut peer| async move {
                behave_until(&mut peer, step).await;
                // Ten megabytes, if the client were to take them.
                let chunk = flood.repeat(4096);
                for _ in 0..=10_000_000 / chunk.len() {
                    if !peer.try_send(&chunk).await {
                        return;
                    }
                }
            })
            .await;
            let sent =
                if step == "line" { send_long(&mut connection).await } else { send(&mut connection, &["b"]).await };
            let held = connection.buffer.capacity();
            assert!(held < 64 * 1024, "{held} octets held");
            drop(connection);
            server.done().await;
            match sent.unwrap_err() {
                SendError::BeforeEnd(error) => assert!(step != "." && error.kind == SmtpErrorKind::Protocol, "{error}"),
                SendError::Unknown(error) => assert!(step == "." && error.kind == SmtpErrorKind::Protocol, "{error}"),
                SendError::Caller(never) => match never {},
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_drips_or_reads_nothing_is_left() {
    let short = Duration::from_millis(60);
    let limits = SmtpLimits { reply: short, ..SmtpLimits::default() };
    let (mut connection, server) = connected("", limits, |mut peer| async move {
        behave_until(&mut peer, ".").await;
        while peer.try_send(b"2").await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let error = send(&mut connection, &["b"]).await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(e) if matches!(e.kind, SmtpErrorKind::Timeout)), "{error}");
    drop(connection);
    server.done().await;

    for limits in [
        SmtpLimits { stall: short, ..SmtpLimits::default() },
        SmtpLimits { transaction: short, ..SmtpLimits::default() },
    ] {
        let (gone, is_gone) = tokio::sync::oneshot::channel::<()>();
        let (mut connection, server) = connected("", limits, |mut peer| async move {
            behave_until(&mut peer, "line").await;
            is_gone.await.unwrap_err();
        })
        .await;
        let error = send_long(&mut connection).await.unwrap_err();
        assert!(matches!(&error, SendError::BeforeEnd(e) if e.kind == SmtpErrorKind::Timeout), "{error}");
        drop((connection, gone));
        server.done().await;
    }
}
