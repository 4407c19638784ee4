use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::net::support_tests::{TestCertificate, local_net};
use crate::net::{Net, NetOptions};
use crate::providers::Security;
use crate::providers::imap::fake_server_tests::{FakeServer, Peer};
use crate::secret::Secret;

const EHLO: &str = "EHLO [127.0.0.1]";

fn settings(server: &FakeServer) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: server.settings.port,
        security: server.settings.security,
        username: Some("anna".to_owned()),
        password: Some(Secret::new("hunter2")),
        only_if_offered: false,
    }
}

/// The error that a check ends with when the server plays this script.
async fn refused<F>(security: Security, script: impl FnOnce(Peer) -> F + Send + 'static) -> SmtpError
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(script).await.with_security(security);
    let error = check(&local_net(), &settings(&server)).await.unwrap_err();
    server.done().await;
    error
}

#[tokio::test]
async fn a_login_tells_what_the_server_can_do() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("220-welcome\r\n220 mail ESMTP\r\n").await;
        peer.answer(
            EHLO,
            "250-mail\n250-SIZE 35882577\n250-8BITMIME\n250-smtputf8\n250-PIPELINING\n250-DSN\n250 AUTH LOGIN PLAIN XOAUTH2\n",
        )
        .await;
        peer.answer("AUTH PLAIN AGFubmEAaHVudGVyMg==", "235 2.7.0 in\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    let can = check(&local_net(), &settings(&server)).await.unwrap();
    assert_eq!(can.size, Some(35_882_577));
    assert!(can.smtputf8 && can.eight_bit_mime && can.pipelining && can.dsn && can.auth_xoauth2);
    assert!(!can.chunking && !can.starttls);
    server.done().await;
}

#[tokio::test]
async fn a_server_with_login_only_is_served_step_by_step() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250-mail\n250 AUTH=LOGIN\n").await;
        peer.answer("AUTH LOGIN", "334 VXNlcm5hbWU6\n").await;
        peer.answer("YW5uYQ==", "334 UGFzc3dvcmQ6\n").await;
        peer.answer("aHVudGVyMg==", "235 in\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    check(&local_net(), &settings(&server)).await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn without_a_user_name_no_login_is_tried() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "500 what?\n").await;
        peer.answer("HELO [127.0.0.1]", "250 mail\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    let anonymous = SmtpSettings { username: None, password: None, ..settings(&server) };
    check(&local_net(), &anonymous).await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn a_login_that_nobody_asked_for_is_left_out_where_none_is_offered() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250 mail\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await;
    let lenient = SmtpSettings { only_if_offered: true, ..settings(&server) };
    check(&local_net(), &lenient).await.unwrap();
    server.done().await;
    let asked_for = refused(Security::None, |mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250 mail\n").await;
    });
    assert_eq!(asked_for.await.code(), "smtp_login_disabled");
}

#[tokio::test]
async fn every_refused_login_has_its_class() {
    use SmtpErrorKind as Kind;
    for (verdict, kind, code) in [
        ("535 5.7.8 wrong\n", Kind::AuthFailed, "smtp_login_failed"),
        ("534 app password\n", Kind::AuthFailed, "smtp_login_failed"),
        ("538 encrypt\n", Kind::LoginDisabled, "smtp_login_disabled"),
        ("454 later\n", Kind::Unavailable, "smtp_unavailable"),
        ("421 too many\n", Kind::Unavailable, "smtp_unavailable"),
        ("nonsense\n", Kind::Protocol, "smtp_protocol_error"),
        ("", Kind::ConnectionLost, "smtp_connection_lost"),
    ] {
        let error = refused(Security::None, move |mut peer| async move {
            peer.send("220 mail\r\n").await;
            peer.answer(EHLO, "250-mail\n250 AUTH PLAIN\n").await;
            peer.answer("AUTH PLAIN AGFubmEAaHVudGVyMg==", verdict).await;
        })
        .await;
        assert_eq!((error.kind, error.code()), (kind, code), "{verdict}");
    }
}

#[tokio::test]
async fn a_password_neither_leaks_nor_goes_where_it_is_not_wanted() {
    let error = refused(Security::None, |mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250-mail\n250 AUTH PLAIN\n").await;
        peer.answer("AUTH PLAIN AGFubmEAaHVudGVyMg==", "535 AGFubmEAaHVudGVyMg== is wrong\n").await;
    })
    .await;
    assert!(!format!("{error:?}").contains("AGFub"));
    let error = refused(Security::None, |mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250 mail\n").await;
        peer.expect("").await;
    })
    .await;
    assert_eq!(error.kind, SmtpErrorKind::LoginDisabled);
}

#[tokio::test]
async fn starttls_uses_our_authorities_and_forgets_what_was_said_before() {
    let certificate = TestCertificate::local();
    let net = certificate.trusting_net();
    let server = FakeServer::play(|mut peer| async move {
        peer.send("220 mail\r\n").await;
        peer.answer(EHLO, "250-mail\n250-AUTH LOGIN\n250 STARTTLS\n").await;
        peer.answer("STARTTLS", "220 go\n").await;
        let mut peer = peer.upgrade(&certificate).await;
        peer.answer(EHLO, "250-mail\n250 AUTH PLAIN\n").await;
        peer.answer("AUTH PLAIN AGFubmEAaHVudGVyMg==", "235 in\n").await;
        peer.answer("QUIT", "221 bye\n").await;
    })
    .await
    .with_security(Security::StartTls);
    let can = check(&net, &settings(&server)).await.unwrap();
    assert!(can.auth_plain && !can.auth_login);
    server.done().await;
}

#[tokio::test]
async fn starttls_cannot_be_stripped_or_injected() {
    for (hello, answer) in [
        ("250 mail\n", ""),
        ("250-mail\n250 STARTTLS\n", "454 no\n"),
        ("250-mail\n250 STARTTLS\n", "220 go\n250-mail\n250 AUTH PLAIN\n"),
    ] {
        let error = refused(Security::StartTls, move |mut peer| async move {
            peer.send("220 mail\r\n").await;
            peer.answer(EHLO, hello).await;
            if !answer.is_empty() {
                peer.answer("STARTTLS", answer).await;
            }
            peer.expect("").await;
        })
        .await;
        assert_eq!((error.kind, error.code()), (SmtpErrorKind::Tls, "smtp_tls_failed"), "{answer}");
    }
}

#[tokio::test]
async fn odd_servers_are_left_without_harm() {
    for flood in [&b"x"[..], b"250-more\r\n", b"220-\r\n"] {
        let error =
            refused(Security::None, move |mut peer| async move { while peer.try_send(&flood.repeat(4096)).await {} })
                .await;
        assert_eq!(error.kind, SmtpErrorKind::Protocol);
    }
    let error = refused(Security::None, |mut peer| async move {
        peer.send("554 no service\r\n").await;
    })
    .await;
    assert_eq!(error.kind, SmtpErrorKind::Unavailable);
}

#[tokio::test]
async fn hosts_that_cannot_be_had_have_their_codes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = SmtpSettings {
        host: "localhost".to_owned(),
        port: listener.local_addr().unwrap().port(),
        security: Security::Tls,
        username: None,
        password: None,
        only_if_offered: false,
    };
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail\r\n").await.unwrap();
    });
    assert_eq!(check(&local_net(), &wanted).await.unwrap_err().code(), "smtp_tls_failed");
    let strict = Net::new(NetOptions::default()).unwrap();
    assert_eq!(check(&strict, &wanted).await.unwrap_err().code(), "host_not_allowed");
    wanted.port = 1;
    assert_eq!(check(&local_net(), &wanted).await.unwrap_err().code(), "smtp_unreachable");
}
