use super::fake_server_tests::FakeServer;
use super::*;
use crate::net::support_tests::{TestCertificate, local_net};

async fn refused(server: &FakeServer) -> ImapError {
    ImapConnection::connect(&local_net(), &server.settings).await.unwrap_err()
}

#[tokio::test]
async fn a_full_login_discovers_introduces_and_enables() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("* OK [CAPABILITY IMAP4rev1] ready\r\n").await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\na1 OK done\n").await;
        peer.answer(
            "a2 AUTHENTICATE PLAIN AGFubmEAaHVudGVyMg==",
            "a2 OK [CAPABILITY IMAP4rev1 ID ENABLE QRESYNC UTF8=ACCEPT] in\n",
        )
        .await;
        let id = format!("a3 ID (\"name\" \"Duplex\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
        peer.answer(&id, "* ID NIL\na3 OK done\n").await;
        peer.answer(
            "a4 ENABLE CONDSTORE QRESYNC UTF8=ACCEPT",
            "* ENABLED CONDSTORE QRESYNC UTF8=ACCEPT\na4 OK done\n",
        )
        .await;
        peer.answer(
            "a5 EXAMINE \"Entwürfe\" (CONDSTORE)",
            "* 3 EXISTS\n* OK [UIDVALIDITY 9] x\n* OK [UIDNEXT 8] x\n* OK [HIGHESTMODSEQ 77] x\na5 OK [READ-ONLY] open\n",
        )
        .await;
        peer.answer("a6 LOGOUT", "* BYE bye\na6 OK done\n").await;
    })
    .await;
    let mut connection = ImapConnection::connect(&local_net(), &server.settings).await.unwrap();
    assert!(connection.capabilities().condstore && connection.capabilities().qresync);
    let mailbox = connection.examine("Entw&APw-rfe").await.unwrap();
    assert_eq!(mailbox.uid_validity, 9);
    assert_eq!(mailbox.uid_next, Some(8));
    assert_eq!(mailbox.exists, 3);
    assert_eq!(mailbox.highest_modseq, Some(77));
    assert!(mailbox.read_only);
    connection.logout().await;
    server.done().await;
}

#[tokio::test]
async fn odd_names_and_passwords_travel_as_literals() {
    let mut server = FakeServer::play(|mut peer| async move {
        peer.send("* OK ready\r\n").await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\na1 OK done\n").await;
        peer.answer("a2 LOGIN \"an\\\"na\" {7}", "+ go\n").await;
        peer.answer("pässwd", "a2 OK in\n").await;
        peer.answer("a3 CAPABILITY", "* CAPABILITY IMAP4rev1\na3 OK done\n").await;
    })
    .await;
    server.settings.username = "an\"na".to_owned();
    server.settings.password = crate::secret::Secret::new("pässwd");
    ImapConnection::connect(&local_net(), &server.settings).await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn authenticate_waits_to_be_asked_where_the_server_wants_it_so() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("* OK ready\r\n").await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\na1 OK done\n").await;
        peer.answer("a2 AUTHENTICATE PLAIN", "+ \n").await;
        peer.answer("AGFubmEAaHVudGVyMg==", "a2 BAD what?\n").await;
        peer.answer("a3 LOGIN \"anna\" \"hunter2\"", "a3 OK in\n").await;
        peer.answer("a4 CAPABILITY", "* CAPABILITY IMAP4rev1\na4 OK done\n").await;
    })
    .await;
    ImapConnection::connect(&local_net(), &server.settings).await.unwrap();
    server.done().await;
}

#[tokio::test]
async fn every_refused_login_has_its_class() {
    for (verdict, kind, code) in [
        ("a2 NO [AUTHENTICATIONFAILED] nope\n", ImapErrorKind::AuthFailed, "imap_login_failed"),
        ("a2 NO nope\n", ImapErrorKind::AuthFailed, "imap_login_failed"),
        ("a2 NO [UNAVAILABLE] later\n", ImapErrorKind::Unavailable, "imap_unavailable"),
        ("a2 NO [ALERT] Too many simultaneous connections\n", ImapErrorKind::Unavailable, "imap_unavailable"),
        ("* BYE overloaded, try again later\n", ImapErrorKind::Unavailable, "imap_unavailable"),
        ("* BYE sorry\na2 NO [AUTHENTICATIONFAILED] no\n", ImapErrorKind::AuthFailed, "imap_login_failed"),
        ("", ImapErrorKind::ConnectionLost, "imap_connection_lost"),
    ] {
        let server = FakeServer::play(move |mut peer| async move {
            peer.send("* OK ready\r\n").await;
            peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\na1 OK done\n").await;
            peer.answer("a2 LOGIN \"anna\" \"hunter2\"", verdict).await;
        })
        .await;
        let error = refused(&server).await;
        assert_eq!((error.kind, error.code()), (kind, code), "{verdict}");
        server.done().await;
    }
}

#[tokio::test]
async fn an_echoed_password_does_not_reach_the_error() {
    for echo in ["a2 NO LOGIN anna hunter2 is wrong\n", "a2 NO AGFubmEAaHVudGVyMg== is wrong\n"] {
        let server = FakeServer::play(move |mut peer| async move {
            peer.send("* OK ready\r\n").await;
            peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\na1 OK done\n").await;
            peer.answer("a2 LOGIN \"anna\" \"hunter2\"", echo).await;
        })
        .await;
        let error = refused(&server).await;
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert!(!format!("{error} {error:?}").contains("AGFub"));
    }
}

#[tokio::test]
async fn a_password_is_not_sent_where_login_is_disabled() {
    let server = FakeServer::play(|mut peer| async move {
        peer.send("* OK ready\r\n").await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\na1 OK done\n").await;
        peer.expect("").await;
    })
    .await;
    let error = refused(&server).await;
    assert_eq!(error.kind, ImapErrorKind::LoginDisabled);
    assert!(error.detail.contains("STARTTLS"));
    server.done().await;
}

#[tokio::test]
async fn what_is_no_imap_server_is_told_so() {
    for greeting in ["220 mail ESMTP\r\n", "HTTP/1.1 400 Bad\r\n\r\n", "* LIST () \"/\" a\r\n"] {
        let server = FakeServer::play(move |mut peer| async move { peer.send(greeting).await }).await;
        let error = refused(&server).await;
        assert_eq!(error.kind, ImapErrorKind::Protocol, "{greeting}");
    }
    let server = FakeServer::play(|mut peer| async move { peer.send("* BYE full\r\n").await }).await;
    assert_eq!(refused(&server).await.kind, ImapErrorKind::Unavailable);
}

#[tokio::test]
async fn starttls_forgets_what_was_said_before() {
    let certificate = TestCertificate::local();
    let net = certificate.trusting_net();
    let server = FakeServer::play(|mut peer| async move {
        peer.send("* OK ready\r\n").await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR\na1 OK done\n").await;
        peer.answer("a2 STARTTLS", "a2 OK go\n").await;
        let mut peer = peer.upgrade(&certificate).await;
        peer.answer("a1 CAPABILITY", "* CAPABILITY IMAP4rev1\na1 OK done\n").await;
        peer.answer("a2 LOGIN \"anna\" \"hunter2\"", "a2 OK in\n").await;
        peer.answer("a3 CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\na3 OK done\n").await;
    })
    .await
    .with_security(Security::StartTls);
    let connection = ImapConnection::connect(&net, &server.settings).await.unwrap();
    assert!(connection.is_encrypted() && connection.capabilities().idle);
    server.done().await;
}

#[tokio::test]
async fn starttls_cannot_be_stripped_or_injected() {
    for (greeting, capability, answer) in [
        ("* PREAUTH welcome\r\n", "", ""),
        ("* OK ready\r\n", "* CAPABILITY IMAP4rev1\na1 OK done\n", ""),
        ("* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\na1 OK done\n", "a2 NO no\n"),
        ("* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\na1 OK done\n", "a2 BAD no\n"),
        (
            "* OK ready\r\n",
            "* CAPABILITY IMAP4rev1 STARTTLS\na1 OK done\n",
            "a2 OK go\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\n",
        ),
    ] {
        let server = FakeServer::play(move |mut peer| async move {
            peer.send(greeting).await;
            if !capability.is_empty() {
                peer.answer("a1 CAPABILITY", capability).await;
            }
            if !answer.is_empty() {
                peer.answer("a2 STARTTLS", answer).await;
            }
            // Neither a password nor anything else comes in plain.
            peer.expect("").await;
        })
        .await
        .with_security(Security::StartTls);
        let error = refused(&server).await;
        assert_eq!((error.kind, error.code()), (ImapErrorKind::Tls, "imap_tls_failed"), "{answer}");
        server.done().await;
    }
}

#[tokio::test]
async fn hosts_that_cannot_be_had_have_their_codes() {
    let server = FakeServer::play(|_peer| async {}).await;
    let strict = crate::net::Net::new(crate::net::NetOptions::default()).unwrap();
    let error = ImapConnection::connect(&strict, &server.settings).await.unwrap_err();
    assert_eq!((error.kind, error.code()), (ImapErrorKind::Refused, "host_not_allowed"));
    let mut settings = server.settings.clone();
    settings.security = Security::Tls;
    settings.port = 1;
    let error = ImapConnection::connect(&local_net(), &settings).await.unwrap_err();
    assert_eq!((error.kind, error.code()), (ImapErrorKind::Unreachable, "imap_unreachable"));
}

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_password_is_not_logged_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::trace!("the log is on");
    for (capability, login, verdict) in [
        ("", "a2 LOGIN \"anna\" \"hunter2\"", "a2 NO hunter2 AGFubmEAaHVudGVyMg==\n"),
        ("AUTH=PLAIN SASL-IR", "a2 AUTHENTICATE PLAIN AGFubmEAaHVudGVyMg==", "a2 NO no\n"),
    ] {
        let server = FakeServer::play(move |mut peer| async move {
            peer.send("* OK ready\r\n").await;
            let listed = format!("* CAPABILITY IMAP4rev1 {capability}\na1 OK done\n");
            peer.answer("a1 CAPABILITY", &listed).await;
            peer.answer(login, verdict).await;
        })
        .await;
        refused(&server).await;
        server.done().await;
    }
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("the log is on"));
    assert!(!written.contains("hunter2") && !written.contains("AGFub"), "{written}");
}
