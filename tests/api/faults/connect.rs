//! Connecting a mailbox that cannot be connected: the answer says which part is to be mended.

use super::sink;
use crate::support::Backend;
use crate::support::{Client, Dovecot, DovecotOptions, Mailbox, SmtpSecurity, SmtpSink, TestApp};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Asks to connect and insists on the refusal; nothing is kept of it.
async fn refused(owner: &Client, request: Value, code: &str, field: &str) {
    let secret = request["imap"]["password"].as_str().unwrap().to_owned();
    let answer = owner.post("/api/email/accounts", request).await;
    let problem = answer.problem(422, code);
    assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    assert!(secret.len() < 3 || !answer.text().contains(&secret), "{problem}");
    assert_eq!(owner.get("/api/email/accounts").await.json(200)["items"], json!([]), "nothing is kept of a refusal");
}

/// The request that would work, changed at one place.
fn changed(mailbox: &Mailbox<'_>, smtp: &SmtpSink, server: &str, changes: Value) -> Value {
    let mut request = mailbox.connect_request(smtp.settings(&mailbox.user));
    for (name, value) in changes.as_object().unwrap() {
        request[server][name] = value.clone();
    }
    request
}

/// A port on which nobody listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A port on which somebody says this to everybody, and nothing more.
async fn port_saying(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(words).await.unwrap();
            kept.push(stream);
        }
    });
    port
}

on_both! {
    async fn a_wrong_password_is_refused_with_its_code(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
        let owner = app.owner().await;
        let wrong = json!({"password": "not the password"});
        refused(&owner, changed(&mailbox, &smtp, "imap", wrong.clone()), "imap_login_failed", "imap.password").await;
        refused(&owner, changed(&mailbox, &smtp, "smtp", wrong), "smtp_login_failed", "smtp.password").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_there_is_refused_with_its_code() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let owner = app.owner().await;
    let nobody = json!({"port": closed_port().await});
    refused(&owner, changed(&mailbox, &smtp, "imap", nobody.clone()), "imap_unreachable", "imap.host").await;
    refused(&owner, changed(&mailbox, &smtp, "smtp", nobody), "smtp_unreachable", "smtp.host").await;
    let unknown = json!({"host": "no such.name.invalid"});
    owner
        .post("/api/email/accounts", changed(&mailbox, &smtp, "imap", unknown))
        .await
        .problem(422, "validation_failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_cannot_be_made_secure_is_refused_with_its_code() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let owner = app.owner().await;
    let plain = json!({"port": Dovecot::shared().imap_port});
    refused(&owner, changed(&mailbox, &smtp, "imap", plain), "imap_tls_failed", "imap.security").await;

    let bare = Dovecot::start(&DovecotOptions { no_tls: true, ..DovecotOptions::default() });
    let stripped = json!({"port": bare.imap_port, "security": "starttls"});
    refused(&owner, changed(&mailbox, &smtp, "imap", stripped), "imap_tls_failed", "imap.security").await;

    let unencrypted = SmtpSink::start(SmtpSecurity::None).await;
    let wanted = json!({"port": unencrypted.port, "security": "tls"});
    refused(&owner, changed(&mailbox, &smtp, "smtp", wanted), "smtp_tls_failed", "smtp.security").await;
    let wanted = json!({"port": unencrypted.port, "security": "starttls"});
    refused(&owner, changed(&mailbox, &smtp, "smtp", wanted), "smtp_tls_failed", "smtp.security").await;

    let stranger = TestApp::start_with(Backend::Sqlite, |settings| {
        settings.unset("EXTRA_CA_CERTS");
    })
    .await;
    let owner = stranger.owner().await;
    refused(&owner, changed(&mailbox, &smtp, "imap", json!({})), "imap_tls_failed", "imap.security").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_passwords_only_encrypted_says_so() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    let smtp = SmtpSink::start(SmtpSecurity::StartTls).await;
    let owner = app.owner().await;
    // Dovecot counts loopback as safe, so the strict IMAP server is a scripted greeting.
    let strict = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n";
    let plain = json!({"port": port_saying(strict).await, "security": "none"});
    let answer = owner.post("/api/email/accounts", changed(&mailbox, &smtp, "imap", plain)).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let plain = json!({"security": "none"});
    refused(&owner, changed(&mailbox, &smtp, "smtp", plain), "smtp_login_disabled", "smtp.security").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_mail_server_is_refused_with_its_code() {
    let app = TestApp::start(Backend::Sqlite).await;
    let mailbox = Dovecot::shared().mailbox();
    let smtp = SmtpSink::start(SmtpSecurity::Tls).await;
    let owner = app.owner().await;
    let silent = json!({"port": port_saying(b"").await});
    let other = json!({"port": port_saying(b"SSH-2.0-OpenSSH_9.2\r\n").await, "security": "none"});
    let flood = json!({"port": port_saying(b"* {99999999999}\r\n").await, "security": "none"});
    refused(&owner, changed(&mailbox, &smtp, "imap", other.clone()), "imap_protocol_error", "imap.host").await;
    refused(&owner, changed(&mailbox, &smtp, "imap", flood), "imap_protocol_error", "imap.host").await;
    refused(&owner, changed(&mailbox, &smtp, "smtp", other), "smtp_protocol_error", "smtp.host").await;
    refused(&owner, changed(&mailbox, &smtp, "imap", silent), "imap_timeout", "imap.host").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_address_is_not_reached_unless_the_operator_allows_it() {
    let app = TestApp::start_with(Backend::Sqlite, |settings| {
        settings.set("ALLOW_PRIVATE_NETWORKS", "false");
    })
    .await;
    let mailbox = Dovecot::shared().mailbox();
    let smtp = sink().await;
    let owner = app.owner().await;
    for host in ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"] {
        let guarded = changed(&mailbox, &smtp, "imap", json!({"host": host}));
        refused(&owner, guarded, "host_not_allowed", "imap.host").await;
    }
}

on_both! {
    async fn a_mailbox_is_connected_once(app: TestApp) {
        let mailbox = Dovecot::shared().mailbox();
        let smtp = sink().await;
        let owner = app.owner().await;
        let request = mailbox.connect_request(smtp.settings(&mailbox.user));
        owner.post("/api/email/accounts", request.clone()).await.json(201);
        owner.post("/api/email/accounts", request.clone()).await.problem(409, "account_exists");
        let mut shouted = request;
        shouted["email_address"] = json!(mailbox.user.to_uppercase());
        owner.post("/api/email/accounts", shouted).await.problem(409, "account_exists");
    }
}
