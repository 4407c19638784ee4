use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::net::support_tests::local_net;
use crate::net::{Net, NetOptions};
use crate::providers::Security;

const FILE: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="example.org">
  <domain>example.org</domain>
  <incomingServer type="pop3"><hostname>pop.example.org</hostname><port>995</port>
    <socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
  <incomingServer type="imap"><hostname>plain.example.org</hostname><port>143</port>
    <socketType>plain</socketType><username>x</username></incomingServer>
  <incomingServer type="imap"><hostname>start.example.org</hostname><port>143</port>
    <socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></incomingServer>
  <incomingServer type="imap"><hostname>Mail.%EMAILDOMAIN%</hostname><port>993</port>
    <socketType>SSL</socketType><authentication>password-cleartext</authentication>
    <username>%EMAILLOCALPART%</username></incomingServer>
  <outgoingServer type="smtp"><hostname>mail.example.org</hostname><port>587</port>
    <socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>"#;

/// A web server that gives the same answer to everybody, and what it was asked.
async fn web(status: &'static str, body: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..count]).into_owned();
            log.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    (base, asked)
}

fn options(own: &str, public: &str) -> DiscoverOptions {
    DiscoverOptions {
        autoconfig_urls: vec![format!("{own}/own/{{domain}}?emailaddress={{address}}")],
        ispdb_url: format!("{public}/db/{{domain}}"),
        timeout: Duration::from_secs(2),
        probe: false,
    }
}

async fn table(address: &str) -> (MailProvider, String, String, Source) {
    let net = Net::new(NetOptions::default()).unwrap();
    let found = discover(&net, address).await.unwrap();
    let show = |e: Endpoint| format!("{}:{} {} {}", e.host, e.port, e.security, e.username);
    (found.provider, show(found.imap), show(found.smtp), found.source)
}

#[tokio::test]
async fn large_providers_are_known_without_asking_anybody() {
    use MailProvider::{Gmail, Imap, Outlook};
    for (address, provider, imap, smtp) in [
        ("anna@gmail.com", Gmail, "imap.gmail.com:993 tls", "smtp.gmail.com:465 tls"),
        ("anna@hotmail.co.uk", Outlook, "outlook.office365.com:993 tls", "smtp.office365.com:587 starttls"),
        ("anna@live.fr", Outlook, "outlook.office365.com:993 tls", "smtp.office365.com:587 starttls"),
        ("anna@yahoo.de", Imap, "imap.mail.yahoo.com:993 tls", "smtp.mail.yahoo.com:465 tls"),
        ("anna@yahoo.co.jp", Imap, "imap.mail.yahoo.co.jp:993 tls", "smtp.mail.yahoo.co.jp:465 tls"),
        ("anna@me.com", Imap, "imap.mail.me.com:993 tls", "smtp.mail.me.com:587 starttls"),
        ("anna@web.de", Imap, "imap.web.de:993 tls", "smtp.web.de:587 starttls"),
        ("anna@gmx.at", Imap, "imap.gmx.net:993 tls", "mail.gmx.net:465 tls"),
        ("anna@POSTEO.net", Imap, "posteo.de:993 tls", "posteo.de:465 tls"),
    ] {
        let login = address.to_ascii_lowercase();
        let expected = (provider, format!("{imap} {login}"), format!("{smtp} {login}"), Source::Table);
        assert_eq!(table(address).await, expected, "{address}");
    }
    let (_, imap, ..) = table("anna@free.fr").await;
    assert!(imap.ends_with(" anna"), "{imap}");
}

#[test]
fn a_brands_name_is_not_enough() {
    for domain in ["live.example.org", "yahoo.evil.com", "outlook.company", "notyahoo.de", "msn"] {
        assert!(table::by_domain(domain).is_none(), "{domain}");
    }
}

#[test]
fn mail_exchangers_tell_the_provider() {
    for host in ["aspmx.l.google.com", "acme-com.mail.protection.outlook.com", "in1-smtp.messagingengine.com"] {
        assert!(table::by_exchanger(host).is_some(), "{host}");
    }
    assert!(table::by_exchanger("mx.notgoogle.com").is_none());
    assert_eq!(records::base_domain("mx1.mail.example.co.uk").unwrap(), "example.co.uk");
    assert_eq!(records::base_domain("mx.example.org").unwrap(), "example.org");
    assert_eq!(records::base_domain("localhost"), None);
}

#[tokio::test]
async fn the_domains_own_file_goes_before_the_public_one() {
    let (own, asked) = web("200 OK", FILE).await;
    let (public, _) = web("200 OK", FILE).await;
    let found = discover_with(&local_net(), "Anna+x@example.org", &options(&own, &public)).await.unwrap();
    assert_eq!(found.source, Source::Autoconfig);
    assert_eq!(found.provider, MailProvider::Imap);
    let imap = Endpoint {
        host: "mail.example.org".to_owned(),
        port: 993,
        security: Security::Tls,
        username: "Anna+x".to_owned(),
    };
    assert_eq!(found.imap, imap);
    assert_eq!((found.smtp.port, found.smtp.username.as_str()), (587, "Anna+x@example.org"));
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, ["GET /own/example.org?emailaddress=Anna%2Bx%40example.org HTTP/1.1"]);
}

#[tokio::test]
async fn the_public_database_helps_out_and_learns_the_domain_only() {
    let (own, _) = web("404 Not Found", "").await;
    let (public, asked) = web("200 OK", FILE).await;
    let found = discover_with(&local_net(), "anna@example.org", &options(&own, &public)).await.unwrap();
    assert_eq!(found.source, Source::Ispdb);
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, ["GET /db/example.org HTTP/1.1"]);
}

#[tokio::test]
async fn when_nobody_knows_the_guess_says_that_it_is_one() {
    for body in ["", "<clientConfig>", "not xml <<<", "<a type='imap'>&bad;</a>"] {
        let (own, _) = web("200 OK", body).await;
        let found = discover_with(&local_net(), "anna@nowhere.invalid", &options(&own, &own)).await.unwrap();
        assert_eq!((found.source, found.confirmed), (Source::Guess, false));
        assert_eq!(found.imap.host, "imap.nowhere.invalid");
        assert_eq!((found.smtp.port, found.smtp.security), (465, Security::Tls));
    }
}

#[tokio::test]
async fn a_strict_net_asks_no_private_host() {
    let (own, asked) = web("200 OK", FILE).await;
    let strict = Net::new(NetOptions::default()).unwrap();
    let found = discover_with(&strict, "anna@nowhere.invalid", &options(&own, &own)).await.unwrap();
    assert_eq!(found.source, Source::Guess);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for text in [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@localhost",
        "anna@127.0.0.1",
        "anna@[::1]",
        "a b@example.org",
        "anna@exa mple.org",
    ] {
        let found = discover(&local_net(), text).await;
        assert_eq!(found, Err(DiscoverError::NotAnAddress), "{text}");
    }
}
