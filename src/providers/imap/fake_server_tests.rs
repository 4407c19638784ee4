//! A server that says exactly what a test wants, and insists on what it is told.

use std::future::Future;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{ImapConnection, ImapSettings, Limits, Security};
use crate::net::support_tests::{TestCertificate, local_net};
use crate::secret::Secret;

/// Any stream.
pub(in crate::providers) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// The server's side of one connection.
pub(in crate::providers) struct Peer {
    stream: BufReader<Box<dyn Duplex>>,
}

impl Peer {
    /// Sends text; a line end is up to the caller.
    pub(in crate::providers) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends what the client may no longer want to hear.
    pub(in crate::providers) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// The next line without its end; empty when the client is gone.
    pub(in crate::providers) async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }

    /// Insists on a line.
    pub(in crate::providers) async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await, line);
    }

    /// Insists on a line and answers it.
    pub(in crate::providers) async fn answer(&mut self, line: &str, answer: &str) {
        self.expect(line).await;
        self.send(answer.replace('\n', "\r\n")).await;
    }

    /// Waits until the client hangs up.
    pub(in crate::providers) async fn until_gone(&mut self) {
        while self.stream.read_line(&mut String::new()).await.is_ok_and(|count| count > 0) {}
    }

    /// Greets and lets the client log in; it has used tags a1 to a3 then.
    pub(in crate::providers) async fn log_in(&mut self, capabilities: &str) {
        self.send("* OK ready\r\n").await;
        let listed = format!("* CAPABILITY IMAP4rev1 {capabilities}\na1 OK done\n");
        self.answer("a1 CAPABILITY", &listed).await;
        self.answer("a2 LOGIN \"anna\" \"hunter2\"", "a2 OK welcome\n").await;
        let listed = format!("* CAPABILITY IMAP4rev1 {capabilities}\na3 OK done\n");
        self.answer("a3 CAPABILITY", &listed).await;
    }

    /// Opens a folder for the client with this tag.
    pub(in crate::providers) async fn open(&mut self, tag: &str) {
        let answer = format!("* 9 EXISTS\n* OK [UIDVALIDITY 7] ok\n{tag} OK [READ-ONLY] open\n");
        self.answer(&format!("{tag} EXAMINE \"INBOX\""), &answer).await;
    }

    /// Opens INBOX for changes when the client, which has just logged in, asks for it.
    pub(in crate::providers) async fn select(&mut self, capabilities: &str) {
        let condstore = capabilities.contains("CONDSTORE") || capabilities.contains("QRESYNC");
        let condition = if condstore { " (CONDSTORE)" } else { "" };
        let answer = "* 9 EXISTS\n* 2 RECENT\n* OK [UIDVALIDITY 7] ok\na4 OK [READ-WRITE] open\n";
        self.answer(&format!("a4 SELECT \"INBOX\"{condition}"), answer).await;
    }

    /// Goes on under TLS.
    pub(in crate::providers) async fn upgrade(self, certificate: &TestCertificate) -> Self {
        assert!(self.stream.buffer().is_empty(), "the client sent something before TLS");
        let stream = certificate.acceptor().accept(self.stream.into_inner()).await.unwrap();
        Self::over(stream)
    }

    fn over(stream: impl Duplex + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)) }
    }
}

/// A connection that is logged in to a server which then follows the script.
pub(in crate::providers) async fn logged_in<F>(
    capabilities: &'static str,
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> (ImapConnection, FakeServer)
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(move |mut peer| async move {
        peer.log_in(capabilities).await;
        script(peer).await;
    })
    .await;
    let connection = ImapConnection::connect(&local_net(), &server.settings).await;
    (connection.unwrap(), server)
}

/// A connection with INBOX open for changes; the next tag is a5.
pub(in crate::providers) async fn selected<F>(
    capabilities: &'static str,
    limits: Limits,
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> (ImapConnection, FakeServer)
where
    F: Future<Output = ()> + Send,
{
    let server = FakeServer::play(move |mut peer| async move {
        peer.log_in(capabilities).await;
        peer.select(capabilities).await;
        script(peer).await;
    })
    .await;
    let connection = ImapConnection::connect_with(&local_net(), &server.settings, limits).await;
    let mut connection = connection.unwrap();
    connection.select("INBOX").await.unwrap();
    (connection, server)
}

/// A running server: where it is, and what became of its script.
pub(in crate::providers) struct FakeServer {
    pub(in crate::providers) settings: ImapSettings,
    script: JoinHandle<()>,
}

impl FakeServer {
    /// Plays a script for the first connection.
    pub(in crate::providers) async fn play<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        Self::play_raw(|stream| script(Peer::over(stream))).await
    }

    async fn play_raw<F>(script: impl FnOnce(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = ImapSettings {
            host: "localhost".to_owned(),
            port: listener.local_addr().unwrap().port(),
            security: Security::None,
            username: "anna".to_owned(),
            password: Secret::new("hunter2"),
        };
        let script = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            script(stream).await;
        });
        Self { settings, script }
    }

    /// The server as one with STARTTLS.
    pub(in crate::providers) fn with_security(mut self, security: Security) -> Self {
        self.settings.security = security;
        self
    }

    /// Waits for the script to end; a broken expectation fails the test here.
    pub(in crate::providers) async fn done(self) {
        self.script.await.unwrap();
    }
}
