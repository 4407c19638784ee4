//! One connection to the sink.

use super::plan::{Act, Phase, Step};
use super::transaction::Envelope;
use super::{Offers, PASSWORD, SmtpSecurity, State};
use crate::support::pki::pki;
use data_encoding::BASE64;
use std::io;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The longest command; a login may take more than the others.
const LONGEST_COMMAND: usize = 4096;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) struct Session<'a> {
    stream: Box<dyn Stream>,
    /// Bytes read and not yet used.
    pub(super) ahead: Vec<u8>,
    pub(super) state: &'a State,
    pub(super) number: usize,
    encrypted: bool,
    offers_starttls: bool,
    pub(super) greeted: bool,
    pub(super) offers: Offers,
    pub(super) user: Option<String>,
    pub(super) mail: Option<Envelope>,
    pub(super) taken: usize,
}

/// What follows a command.
enum Next {
    Continue,
    StartTls,
    Quit,
}

/// What follows a moment at which something may have been planned.
#[derive(PartialEq)]
pub(super) enum Course {
    /// As usual.
    GoOn,
    /// The answer was given.
    Answered,
}

pub(super) async fn serve(stream: TcpStream, security: SmtpSecurity, state: &State, number: usize) -> io::Result<()> {
    let encrypted = security == SmtpSecurity::Tls;
    let stream: Box<dyn Stream> =
        if encrypted { Box::new(acceptor(state).accept(stream).await?) } else { Box::new(stream) };
    let mut session = Session {
        stream,
        ahead: Vec::new(),
        state,
        number,
        encrypted,
        offers_starttls: security == SmtpSecurity::StartTls,
        greeted: false,
        offers: *state.offers.lock().unwrap(),
        user: None,
        mail: None,
        taken: 0,
    };
    if session.at(Phase::Connect).await? == Course::GoOn {
        if session.offers.connections.is_some_and(|most| state.open.load(Ordering::SeqCst) > most) {
            return session.leave("421 4.7.0 too many connections").await;
        }
        session.say("220 sink.example ESMTP").await?;
    }
    loop {
        let line = session.line(LONGEST_COMMAND).await?;
        match session.command(&line).await? {
            Next::Continue => {}
            Next::Quit => return Ok(()),
            Next::StartTls => {
                // What came before the handshake was sent in the clear and must not count (RFC 3207, section 4).
                session.ahead.clear();
                let plain = std::mem::replace(&mut session.stream, Box::new(tokio::io::empty()));
                session.stream = Box::new(acceptor(state).accept(plain).await?);
                (session.encrypted, session.greeted, session.user) = (true, false, None);
            }
        }
    }
}

fn acceptor(state: &State) -> TlsAcceptor {
    if state.expired.load(Ordering::Relaxed) { pki().expired_acceptor() } else { pki().acceptor() }
}

impl Session<'_> {
    pub(super) async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// Says a last word and sees to it that it arrives.
    pub(super) async fn leave(&mut self, line: &str) -> io::Result<()> {
        self.say(line).await?;
        self.stream.shutdown().await?;
        self.hang().await
    }

    /// Reads on until the client leaves.
    async fn hang(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; 16 * 1024];
        while self.stream.read(&mut chunk).await? > 0 {}
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Refuses to go on with a client that breaks the protocol.
    pub(super) async fn violated(&mut self, words: &str) -> io::Error {
        self.note_violation(words);
        let left = self.leave(&format!("500 5.5.2 {words}")).await;
        left.err().unwrap_or_else(|| io::ErrorKind::InvalidData.into())
    }

    pub(super) fn note_violation(&self, words: &str) {
        self.state.violations.lock().unwrap().push(words.to_owned());
    }

    /// Does what was planned for this moment. An error ends the connection.
    pub(super) async fn at(&mut self, phase: Phase) -> io::Result<Course> {
        let step = self.state.plans.lock().unwrap().take(phase);
        match step {
            None => Ok(Course::GoOn),
            Some(Step::Act(Act::Close)) => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Step::Act(Act::Hang)) => self.hang().await.map(|()| Course::Answered),
            Some(Step::Act(Act::Say(words))) if words.starts_with("421") => {
                self.leave(words).await.map(|()| Course::Answered)
            }
            Some(Step::Act(Act::Say(words))) if phase == Phase::Body => {
                self.say(words).await?;
                self.hang().await.map(|()| Course::Answered)
            }
            Some(Step::Act(Act::Say(words))) => self.say(words).await.map(|()| Course::Answered),
            Some(Step::Pause(point)) => {
                if point.wait().await {
                    Ok(Course::GoOn)
                } else {
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
            }
        }
    }

    /// The next line without its CRLF. A bare CR or LF inside is refused: it is how mails are smuggled.
    pub(super) async fn line(&mut self, longest: usize) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        loop {
            let unseen = self.ahead.get(seen..).unwrap_or_default();
            let end = unseen.windows(2).position(|pair| pair == b"\r\n").map(|at| seen + at);
            if end.unwrap_or(self.ahead.len()) > longest + 1 {
                return Err(self.violated("a line that is too long").await);
            }
            if let Some(at) = end {
                let mut line: Vec<u8> = self.ahead.drain(..at + 2).collect();
                line.truncate(at);
                if line.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
                    return Err(self.violated("a line end that is not CRLF, or a NUL").await);
                }
                return Ok(line);
            }
            seen = self.ahead.len().saturating_sub(1);
            let mut chunk = vec![0; 16 * 1024];
            let count = self.stream.read(&mut chunk).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.ahead.extend_from_slice(&chunk[..count]);
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let Ok(line) = String::from_utf8(line.to_vec()) else {
            return Err(self.violated("a command that is not UTF-8").await);
        };
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let verb = verb.to_ascii_uppercase();
        let logged = if verb == "AUTH" { verb.clone() } else { line.clone() };
        self.state.commands.lock().unwrap().push(logged);
        let may_follow = self.offers.pipelining && matches!(verb.as_str(), "MAIL" | "RCPT" | "RSET");
        if !may_follow && !self.ahead.is_empty() && verb != "STARTTLS" {
            return Err(self.violated("the client does not wait for its turn").await);
        }
        match verb.as_str() {
            "EHLO" => self.greet().await?,
            "HELO" => {
                self.greeted = true;
                self.say("250 sink.example").await?;
            }
            "STARTTLS" if self.offers_starttls && !self.encrypted => {
                self.say("220 2.0.0 go ahead").await?;
                return Ok(Next::StartTls);
            }
            "AUTH" => self.sign_in(rest).await?,
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => self.data().await?,
            "RSET" => {
                self.mail = None;
                self.say("250 2.0.0 forgotten").await?;
            }
            "NOOP" => self.say("250 2.0.0 still here").await?,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::Quit);
            }
            _ => {
                self.note_violation("an unknown command");
                self.say("502 5.5.1 no such command").await?;
            }
        }
        Ok(Next::Continue)
    }

    async fn greet(&mut self) -> io::Result<()> {
        self.offers = *self.state.offers.lock().unwrap();
        if self.at(Phase::Ehlo).await? == Course::Answered {
            return Ok(());
        }
        (self.greeted, self.mail) = (true, None);
        let mut lines = vec!["sink.example".to_owned(), "ENHANCEDSTATUSCODES".to_owned()];
        lines.extend(self.offers.size.map(|limit| format!("SIZE {limit}")));
        for (offered, word) in [
            (self.offers.pipelining, "PIPELINING"),
            (self.offers.eight_bit_mime, "8BITMIME"),
            (self.offers.smtputf8, "SMTPUTF8"),
            (self.offers.dsn, "DSN"),
        ] {
            lines.extend(offered.then(|| word.to_owned()));
        }
        let login = if self.offers_starttls && !self.encrypted { "STARTTLS" } else { "AUTH PLAIN LOGIN" };
        lines.push(login.to_owned());
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
        if !self.greeted || self.user.is_some() {
            return self.out_of_order("503 5.5.1 not now").await;
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
        let answer = self.line(LONGEST_COMMAND).await?;
        Ok(unpack(&String::from_utf8_lossy(&answer)))
    }

    pub(super) async fn out_of_order(&mut self, words: &str) -> io::Result<()> {
        self.note_violation(words);
        self.say(words).await
    }
}

fn unpack(packed: &str) -> String {
    BASE64
        .decode(packed.trim().as_bytes())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
