use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::date_time_ymd;
use reqwest::{Method, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::support_tests::{TestCertificate, local_net};
use super::*;

fn strict_net() -> Net {
    Net::new(NetOptions::default()).unwrap()
}

/// A listener that must never be connected to, and how often it was.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&hits);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, hits)
}

/// Greets every connection under the given certificate; gives the port.
async fn tls_server(certificate: &TestCertificate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = certificate.acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(b"hello").await.ok();
                    stream.shutdown().await.ok();
                }
            });
        }
    });
    port
}

async fn handshake(net: &Net, port: u16, name: &str) -> Result<String, NetError> {
    let stream = net.connect("127.0.0.1", port).await?;
    let mut tls = net.tls(stream, name).await?;
    let mut text = String::new();
    tls.read_to_string(&mut text).await.unwrap();
    Ok(text)
}

async fn cause(certificate: &TestCertificate, net: &Net, name: &str) -> TlsCause {
    let port = tls_server(certificate).await;
    match handshake(net, port, name).await {
        Err(NetError::Tls { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn private_hosts_in_every_disguise_are_refused_without_a_packet() {
    let (port, hits) = canary().await;
    let net = strict_net();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "x.localhost",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "::",
        "64:ff9b::7f00:1",
        "127.1.2.3",
    ] {
        let error = net.connect(host, port).await.unwrap_err();
        assert!(matches!(error, NetError::Private { .. }), "{host}: {error}");
    }
    for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1 ", "a\u{2044}b"] {
        assert!(net.connect(host, port).await.is_err(), "{host}");
    }
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn web_addresses_of_private_hosts_are_refused_without_a_packet() {
    let (port, hits) = canary().await;
    let net = strict_net();
    for host in ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let failed = match net.request(Method::GET, url) {
            Ok(request) => request.send().await.is_err(),
            Err(_refused) => true,
        };
        assert!(failed, "{host}");
    }
    let file = Url::parse("file:///etc/passwd").unwrap();
    assert!(net.request(Method::GET, file).is_err());
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _count = stream.read(&mut request).await.unwrap_or_default();
            let answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    let sent = local_net().request(Method::GET, url).unwrap().send().await;
    assert!(sent.unwrap_err().is_redirect());
}

#[tokio::test]
async fn allowed_private_hosts_are_reached_by_name_and_by_address() {
    let certificate = TestCertificate::local();
    let port = tls_server(&certificate).await;
    let net = certificate.trusting_net();
    net.connect("localhost", port).await.unwrap();
    assert_eq!(handshake(&net, port, "localhost").await.unwrap(), "hello");
    assert_eq!(handshake(&net, port, "127.0.0.1").await.unwrap(), "hello");
}

#[tokio::test]
async fn web_pages_are_fetched_under_the_same_authorities() {
    let certificate = TestCertificate::local();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = certificate.acceptor();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 1024];
            let _count = stream.read(&mut request).await.unwrap_or_default();
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    let get = |net: Net| {
        let request = net.request(Method::GET, url.clone()).unwrap();
        async { request.send().await }
    };
    let response = get(certificate.trusting_net()).await.unwrap();
    assert_eq!(read_body(response, 5).await.unwrap(), b"hello");
    let response = get(certificate.trusting_net()).await.unwrap();
    assert!(read_body(response, 4).await.is_err());
    assert!(get(local_net()).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = local_net().connect("127.0.0.1", port).await.unwrap_err();
    assert!(matches!(error, NetError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_refused_certificate_is_told_in_plain_words() {
    let plain = TestCertificate::local();
    assert_eq!(cause(&plain, &local_net(), "localhost").await, TlsCause::SelfSigned);
    assert_eq!(cause(&plain, &plain.trusting_net(), "mail.example.org").await, TlsCause::WrongName);
    let old = TestCertificate::with(|params| params.not_after = date_time_ymd(2001, 1, 1));
    assert_eq!(cause(&old, &old.trusting_net(), "localhost").await, TlsCause::Expired);
    let early = TestCertificate::with(|params| params.not_before = date_time_ymd(2090, 1, 1));
    assert_eq!(cause(&early, &early.trusting_net(), "localhost").await, TlsCause::NotYetValid);
}

#[tokio::test]
async fn a_listed_server_certificate_is_trusted_even_if_it_claims_to_be_an_authority() {
    let certificate = TestCertificate::with(|params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let net = certificate.trusting_net();
    let port = tls_server(&certificate).await;
    assert_eq!(handshake(&net, port, "localhost").await.unwrap(), "hello");
    assert_eq!(cause(&certificate, &net, "other.example.org").await, TlsCause::WrongName);
    assert_eq!(cause(&certificate, &local_net(), "localhost").await, TlsCause::SelfSigned);
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"* OK IMAP ready\r\n").await.ok();
            held.push(stream);
        }
    });
    let error = handshake(&local_net(), port, "localhost").await.unwrap_err();
    assert!(matches!(error, NetError::Tls { cause: TlsCause::NotTls, .. }), "{error}");
}

#[tokio::test]
async fn a_silent_tls_port_costs_a_bounded_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let net = Net::new(NetOptions {
        allow_private_networks: true,
        connect_timeout: Duration::from_millis(100),
        ..NetOptions::default()
    })
    .unwrap();
    let error = handshake(&net, port, "localhost").await.unwrap_err();
    assert!(matches!(error, NetError::Timeout { .. }), "{error}");
}

#[test]
fn a_missing_file_of_authorities_is_an_error() {
    let error =
        Net::new(NetOptions { extra_ca_certs: Some("/nowhere/ca.pem".into()), ..NetOptions::default() }).unwrap_err();
    assert!(error.to_string().contains("EXTRA_CA_CERTS"), "{error}");
}
