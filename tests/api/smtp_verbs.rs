//! The SMTP client against a strict server that fails at every moment there is.

use crate::support::pki::pki;
use crate::support::{Act, Dovecot, Phase, SmtpSecurity, SmtpSink};
use bytes::Bytes;
use duplex::net::{Net, NetOptions};
use duplex::providers::Security;
use duplex::providers::smtp::{
    Delivery, Envelope, RecipientReply, SendError, SmtpConnection, SmtpError, SmtpErrorKind, SmtpLimits, SmtpSettings,
};
use duplex::secret::Secret;
use futures_util::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;

const MAIL: &str = "Message-ID: <m1@x.example>\r\nSubject: dots\r\n\r\n.one\r\n..\r\n.\r\n";

async fn connect(sink: &SmtpSink, security: Security, limits: SmtpLimits) -> Result<SmtpConnection, SmtpError> {
    let net = Net::new(NetOptions {
        allow_private_networks: true,
        extra_ca_certs: Some(pki().authority.clone()),
        ..NetOptions::default()
    });
    let settings = SmtpSettings {
        host: "localhost".to_owned(),
        port: sink.port,
        security,
        username: Some("olga".to_owned()),
        password: Some(Secret::new("pw")),
        only_if_offered: false,
    };
    SmtpConnection::connect_with(&net.unwrap(), &settings, limits).await
}

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        from: "olga@x.example".to_owned(),
        recipients: recipients.iter().map(|name| format!("{name}@y.example")).collect(),
        size: MAIL.len() as u64,
        smtputf8: false,
        envelope_id: Some("m1".to_owned()),
    }
}

fn pieces(mail: &str) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
    stream::iter(mail.as_bytes().chunks(5).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect::<Vec<_>>())
}

async fn send(connection: &mut SmtpConnection, envelope: &Envelope) -> Result<Delivery, SendError<Infallible>> {
    connection.send(envelope, pieces(MAIL), async |_: &[RecipientReply]| Ok(())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_as_it_was_written_on_every_kind_of_connection() {
    for (offered, used) in [
        (SmtpSecurity::None, Security::None),
        (SmtpSecurity::StartTls, Security::StartTls),
        (SmtpSecurity::Tls, Security::Tls),
    ] {
        for whole in [true, false] {
            let sink = SmtpSink::start(offered).await;
            if !whole {
                sink.offer(|offers| (offers.pipelining, offers.dsn, offers.size) = (false, false, None));
            }
            sink.refuse_recipient("b@y.example", "550 5.1.1 no such user");
            let mut connection = connect(&sink, used, SmtpLimits::default()).await.unwrap();
            for _ in 0..2 {
                let delivery = send(&mut connection, &envelope(&["a", "b", "c"])).await.unwrap();
                assert_eq!([0, 1, 2].map(|at| delivery.is_accepted(at)), [true, false, true]);
            }
            connection.reset().await.unwrap();
            connection.quit().await;
            let accepted = sink.accepted();
            assert_eq!(accepted.len(), 2);
            assert_eq!(String::from_utf8_lossy(&accepted[1].raw), MAIL);
            assert_eq!(accepted[0].to, ["a@y.example", "c@y.example"]);
            assert_eq!(accepted[0].envelope_id.as_deref(), whole.then_some("m1"));
            assert_eq!(sink.times_taken("<m1@x.example>", "a@y.example"), 2);
            assert_eq!((sink.connections(), sink.violations()), (1, Vec::new()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_believes_agrees_with_what_the_server_did() {
    let brief = SmtpLimits {
        envelope: Duration::from_millis(500),
        data: Duration::from_millis(500),
        end: Duration::from_millis(500),
        ..SmtpLimits::default()
    };
    for act in [Act::Close, Act::Hang, Act::Say("421 4.3.2 shutting down"), Act::Say("451 4.3.0 later")] {
        for phase in [Phase::Mail, Phase::Rcpt, Phase::Data, Phase::Body, Phase::Dot, Phase::Taken, Phase::Answered] {
            let sink = SmtpSink::start(SmtpSecurity::None).await;
            let limits = if matches!(act, Act::Hang) { brief } else { SmtpLimits::default() };
            let mut connection = connect(&sink, Security::None, limits).await.unwrap();
            sink.plan(phase, act.clone());
            let sent = send(&mut connection, &envelope(&["a"])).await;
            let taken = sink.accepted().len();
            assert_eq!(taken, usize::from(phase.is_taken()));
            match sent {
                Ok(delivery) if phase.is_taken() && matches!(act, Act::Say(_)) && phase != Phase::Answered => {
                    // A server that lies about what it did cannot be seen through.
                    assert!(!delivery.is_accepted(0), "{phase:?} {act:?}");
                }
                Ok(delivery) => assert_eq!(delivery.is_accepted(0), taken == 1, "{phase:?} {act:?}"),
                Err(SendError::BeforeEnd(_)) => assert_eq!(taken, 0, "{phase:?} {act:?}"),
                Err(SendError::Unknown(_)) => {
                    // A short mail is written as a whole, so that only the answer tells that the server left within it.
                    assert!(matches!(phase, Phase::Body | Phase::Dot | Phase::Taken), "{phase:?} {act:?}");
                    assert!(!matches!(act, Act::Say(_)), "{phase:?} {act:?}");
                }
                Err(SendError::Caller(never)) => match never {},
            }
            assert_eq!(sink.violations(), [""; 0], "{phase:?} {act:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_server_goes_on_or_leaves_as_the_test_wants() {
    let sink = SmtpSink::start(SmtpSecurity::None).await;
    for resumed in [true, false] {
        let mut pause = sink.pause(Phase::Taken);
        let mut connection = connect(&sink, Security::None, SmtpLimits::default()).await.unwrap();
        let task = tokio::spawn(async move { send(&mut connection, &envelope(&["a"])).await });
        pause.reached().await;
        assert!(!task.is_finished());
        if resumed {
            pause.resume()
        } else {
            pause.close()
        }
        let sent = task.await.unwrap();
        assert!(if resumed { sent.unwrap().is_accepted(0) } else { matches!(sent, Err(SendError::Unknown(_))) });
    }
    assert_eq!(sink.accepted().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_moods_of_a_server_are_told_apart() {
    let sink = SmtpSink::start(SmtpSecurity::None).await;
    sink.offer(|offers| {
        (offers.recipients, offers.mails_a_connection, offers.size) = (Some(2), Some(2), Some(1000));
    });
    sink.answer_recipient("grey@y.example", &["451 4.7.1 greylisted"]);
    let mut connection = connect(&sink, Security::None, SmtpLimits::default()).await.unwrap();
    assert_eq!(connection.max_size(), Some(1000));
    let first = send(&mut connection, &envelope(&["grey", "a", "b", "c"])).await.unwrap();
    assert!(first.recipients[0].is_temporary() && !first.recipients[0].is_too_many_recipients());
    assert!(first.is_accepted(1) && first.is_accepted(2) && first.recipients[3].is_too_many_recipients());
    assert!(send(&mut connection, &envelope(&["grey"])).await.unwrap().is_accepted(0));
    let SendError::BeforeEnd(error) = send(&mut connection, &envelope(&["a"])).await.unwrap_err() else { panic!() };
    assert_eq!((error.kind, error.reply.unwrap().code), (SmtpErrorKind::Unavailable, 421));

    let mut connection = connect(&sink, Security::None, SmtpLimits::default()).await.unwrap();
    let large = Envelope { size: 1001, ..envelope(&["a"]) };
    let SendError::BeforeEnd(error) = send(&mut connection, &large).await.unwrap_err() else { panic!() };
    assert_eq!(error.kind, SmtpErrorKind::TooLarge);
    sink.cut_connections();
    crate::support::wait_until("the connection is closed", async || sink.open_connections() == 0).await;
    let error = send(&mut connection, &envelope(&["a"])).await.unwrap_err();
    assert!(matches!(&error, SendError::BeforeEnd(error) if error.kind == SmtpErrorKind::ConnectionLost), "{error}");
    assert_eq!((sink.accepted().len(), sink.violations()), (2, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_in_utf8_and_large_ones_go_where_they_are_taken() {
    let sink = SmtpSink::start(SmtpSecurity::Tls).await;
    let mut connection = connect(&sink, Security::Tls, SmtpLimits::default()).await.unwrap();
    let text = "Subject: gr\u{fc}\u{df}e\r\n\r\nschm\u{e4}h\r\n";
    let mail = Envelope { size: text.len() as u64, smtputf8: true, ..envelope(&["bj\u{f6}rn"]) };
    let sent = connection.send(&mail, pieces(text), async |_: &[RecipientReply]| Ok(())).await.unwrap();
    assert!(sent.is_accepted(0));
    let line = Bytes::from(format!(".{}\r\n", "x".repeat(76)));
    let count = 5 * 1024 * 1024 / line.len();
    let lines = stream::iter(std::iter::repeat_n(line.clone(), count)).map(Ok::<_, Infallible>);
    let mail = Envelope { size: (count * line.len()) as u64, ..envelope(&["a"]) };
    let sent = connection.send(&mail, lines, async |_: &[RecipientReply]| Ok(())).await.unwrap();
    assert!(sent.is_accepted(0));
    let accepted = sink.accepted();
    assert!(accepted[0].smtputf8 && accepted[0].raw == text.as_bytes());
    assert_eq!(accepted[0].to, ["bj\u{f6}rn@y.example"]);
    assert_eq!(accepted[1].raw, line.repeat(count));
    sink.let_certificate_expire(true);
    let expired = connect(&sink, Security::Tls, SmtpLimits::default()).await.unwrap_err();
    assert_eq!(expired.code(), "smtp_tls_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_files_what_it_took_does_so_before_it_answers() {
    let mailbox = Dovecot::shared().mailbox();
    let sink = SmtpSink::start(SmtpSecurity::None).await;
    sink.save_sent(mailbox.peer(), "Sent");
    sink.deliver("a@y.example", mailbox.peer(), "INBOX");
    sink.plan(Phase::Taken, Act::Close);
    let mut connection = connect(&sink, Security::None, SmtpLimits::default()).await.unwrap();
    let sent = send(&mut connection, &envelope(&["a"])).await;
    assert!(matches!(sent, Err(SendError::Unknown(_))));
    let peer = mailbox.peer();
    assert_eq!(peer.raw("Sent", 1), MAIL.as_bytes());
    assert!(peer.mails("Sent")[0].flags.contains(&"\\Seen".to_owned()));
    assert!(peer.raw("INBOX", 1).starts_with(b"Return-Path: <olga@x.example>\r\nMessage-ID:"));
}
