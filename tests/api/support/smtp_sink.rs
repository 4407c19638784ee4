//! A small, strict SMTP submission server that keeps what it is given.

use super::dovecot::PASSWORD;
use super::pki::pki;
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Not at all.
    None,
    /// After STARTTLS; passwords are refused before it.
    StartTls,
    /// From the first byte.
    Tls,
}

/// A mail that the sink accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail as sent, dots unstuffed.
    pub raw: Vec<u8>,
}

#[derive(Default)]
struct State {
    refuse_logins: AtomicBool,
    logins: Mutex<Vec<String>>,
    accepted: Mutex<Vec<Accepted>>,
}

/// The server; it ends with this value. Any user signs in with the password of the mailboxes.
pub struct SmtpSink {
    /// Its loopback port.
    pub port: u16,
    security: SmtpSecurity,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    /// Listens on a free port.
    pub async fn start(security: SmtpSecurity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                // A client that goes away is its own affair.
                tokio::spawn(async move { drop(serve(stream, security, &state).await) });
            }
        });
        Self { port, security, state, task }
    }

    /// From now on every password is wrong, or right again.
    pub fn refuse_logins(&self, refuse: bool) {
        self.state.refuse_logins.store(refuse, Ordering::Relaxed);
    }

    /// The users who signed in, in order.
    pub fn logins(&self) -> Vec<String> {
        self.state.logins.lock().unwrap().clone()
    }

    /// The mails taken so far.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.state.accepted.lock().unwrap().clone()
    }

    /// The `smtp` part of a request that connects a mailbox.
    pub fn settings(&self, user: &str) -> Value {
        let security = match self.security {
            SmtpSecurity::None => "none",
            SmtpSecurity::StartTls => "starttls",
            SmtpSecurity::Tls => "tls",
        };
        json!({"host": "localhost", "port": self.port, "security": security, "username": user, "password": PASSWORD})
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Session<'a> {
    stream: Box<dyn Stream>,
    /// Bytes read and not yet used.
    ahead: Vec<u8>,
    state: &'a State,
    encrypted: bool,
    offers_starttls: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// What follows a command.
enum Next {
    Continue,
    StartTls,
    Quit,
}

async fn serve(stream: TcpStream, security: SmtpSecurity, state: &State) -> io::Result<()> {
    let encrypted = security == SmtpSecurity::Tls;
    let offers_starttls = security == SmtpSecurity::StartTls;
    let stream: Box<dyn Stream> =
        if encrypted { Box::new(pki().acceptor().accept(stream).await?) } else { Box::new(stream) };
    let mut session = Session {
        stream,
        ahead: Vec::new(),
        state,
        encrypted,
        offers_starttls,
        user: None,
        from: None,
        to: Vec::new(),
    };
    session.say("220 sink.example ESMTP").await?;
    loop {
        let line = session.line().await?;
        match session.command(&line).await? {
            Next::Continue => {}
            Next::Quit => return Ok(()),
            Next::StartTls => {
                // What came before the handshake was sent in the clear and must not count (RFC 3207, section 4).
                session.ahead.clear();
                let plain = std::mem::replace(&mut session.stream, Box::new(tokio::io::empty()));
                session.stream = Box::new(pki().acceptor().accept(plain).await?);
                session.encrypted = true;
                session.user = None;
            }
        }
    }
}

impl Session<'_> {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// The next line without its CRLF. A bare LF inside is an error: it is how mails are smuggled.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let mut line: Vec<u8> = self.ahead.drain(..at + 2).collect();
                line.truncate(at);
                if line.contains(&b'\n') || line.contains(&b'\r') {
                    self.say("500 5.5.2 a line end that is not CRLF").await?;
                    return Err(io::ErrorKind::InvalidData.into());
                }
                return Ok(line);
            }
            let mut chunk = [0; 16 * 1024];
            let count = self.stream.read(&mut chunk).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.ahead.extend_from_slice(&chunk[..count]);
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let line = String::from_utf8_lossy(line).into_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.greet().await?,
            "HELO" => self.say("250 sink.example").await?,
            "STARTTLS" if self.offers_starttls && !self.encrypted => {
                self.say("220 2.0.0 go ahead").await?;
                return Ok(Next::StartTls);
            }
            "AUTH" => self.sign_in(rest).await?,
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => self.data().await?,
            "RSET" => {
                self.forget();
                self.say("250 2.0.0 forgotten").await?;
            }
            "NOOP" => self.say("250 2.0.0 still here").await?,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::Quit);
            }
            _ => self.say("502 5.5.1 no such command").await?,
        }
        Ok(Next::Continue)
    }

    async fn greet(&mut self) -> io::Result<()> {
        let mut lines =
            vec!["sink.example", "PIPELINING", "SIZE 36700160", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        if self.offers_starttls && !self.encrypted {
            lines.push("STARTTLS");
        } else {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            self.say(&format!("250{}{line}", if at == last { ' ' } else { '-' })).await?;
        }
        Ok(())
    }

    async fn sign_in(&mut self, rest: &str) -> io::Result<()> {
        if self.offers_starttls && !self.encrypted {
            return self.say("538 5.7.11 encryption required").await;
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let credentials = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let packed = if initial.is_empty() { self.ask("").await? } else { unpack(initial) };
                let mut parts = packed.split('\0').skip(1).map(str::to_owned);
                parts.next().zip(parts.next())
            }
            "LOGIN" => {
                let user = if initial.is_empty() { self.ask("VXNlcm5hbWU6").await? } else { unpack(initial) };
                Some((user, self.ask("UGFzc3dvcmQ6").await?))
            }
            _ => return self.say("504 5.5.4 no such mechanism").await,
        };
        let refuse = self.state.refuse_logins.load(Ordering::Relaxed);
        match credentials {
            Some((user, password)) if password == PASSWORD && !refuse => {
                self.state.logins.lock().unwrap().push(user.clone());
                self.user = Some(user);
                self.say("235 2.7.0 welcome").await
            }
            _ => self.say("535 5.7.8 wrong user or password").await,
        }
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<String> {
        self.say(&format!("334 {challenge}")).await?;
        let answer = self.line().await?;
        Ok(unpack(&String::from_utf8_lossy(&answer)))
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        match (&self.user, address(rest, "FROM:")) {
            (None, _) => self.say("530 5.7.0 sign in first").await,
            (Some(_), Some(address)) => {
                self.forget();
                self.from = Some(address);
                self.say("250 2.1.0 ok").await
            }
            (Some(_), None) => self.say("501 5.5.4 that is no address").await,
        }
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        match (&self.from, address(rest, "TO:")) {
            (None, _) => self.say("503 5.5.1 MAIL first").await,
            (Some(_), Some(address)) => {
                self.to.push(address);
                self.say("250 2.1.5 ok").await
            }
            (Some(_), None) => self.say("501 5.5.4 that is no address").await,
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            return self.say("503 5.5.1 RCPT first").await;
        };
        self.say("354 end with a dot").await?;
        let mut raw = Vec::new();
        loop {
            let line = self.line().await?;
            if line == b"." {
                break;
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            raw.extend_from_slice(b"\r\n");
        }
        self.state.accepted.lock().unwrap().push(Accepted { from, to: self.to.clone(), raw });
        self.forget();
        self.say("250 2.0.0 kept").await
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

fn unpack(packed: &str) -> String {
    BASE64
        .decode(packed.trim().as_bytes())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The address of `FROM:<a@b> SIZE=1`.
fn address(rest: &str, prefix: &str) -> Option<String> {
    let (given, behind) = rest.split_at_checked(prefix.len())?;
    let inner = behind.trim_start().strip_prefix('<').filter(|_| given.eq_ignore_ascii_case(prefix))?;
    inner.split_once('>').map(|(address, _)| address.to_owned())
}
