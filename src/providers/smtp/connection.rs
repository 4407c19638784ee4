//! Connects to a submission server and logs in.

use std::time::Duration;

use bytes::BytesMut;
use data_encoding::BASE64;
use tokio::io::AsyncWriteExt;

use super::reply::{self, Reply};
use super::{SmtpCapabilities, SmtpError, SmtpErrorKind, SmtpLimits, SmtpSettings};
use crate::net::{GOODBYE, Net, NetStream};
use crate::providers::Security;

/// A connection to a submission server that is ready for a mail.
#[derive(Debug)]
pub struct SmtpConnection {
    pub(super) stream: NetStream,
    pub(super) buffer: BytesMut,
    pub(super) capabilities: SmtpCapabilities,
    pub(super) limits: SmtpLimits,
    /// Whether the server is known to wait for a new command. It is not while one is under way, so that one that was
    /// given up in its middle leaves a connection that is refused instead of one that misunderstands.
    pub(super) ready: bool,
    /// Whether it speaks SMTP.
    greeted: bool,
    hello: String,
}

/// Connects, logs in and leaves again: whether mail could be sent with these settings.
///
/// # Errors
/// [`SmtpError`] of any class; its text names the next step and never holds the password.
pub async fn check(net: &Net, settings: &SmtpSettings) -> Result<SmtpCapabilities, SmtpError> {
    let connection = SmtpConnection::connect(net, settings).await?;
    let capabilities = *connection.capabilities();
    connection.quit().await;
    Ok(capabilities)
}

impl SmtpConnection {
    /// Connects and, when there is a user name, logs in.
    ///
    /// # Errors
    /// As [`check`].
    pub async fn connect(net: &Net, settings: &SmtpSettings) -> Result<Self, SmtpError> {
        Self::connect_with(net, settings, SmtpLimits::default()).await
    }

    /// As [`Self::connect`], with bounds of one's own.
    ///
    /// # Errors
    /// As [`check`].
    pub async fn connect_with(net: &Net, settings: &SmtpSettings, limits: SmtpLimits) -> Result<Self, SmtpError> {
        match tokio::time::timeout(limits.login, Self::log_in(net, settings, limits)).await {
            Ok(result) => result.map_err(|error| without_secrets(error, settings)),
            Err(_elapsed) => Err(SmtpError::timeout()),
        }
    }

    async fn log_in(net: &Net, settings: &SmtpSettings, limits: SmtpLimits) -> Result<Self, SmtpError> {
        let tcp = net.connect(&settings.host, settings.port).await?;
        let hello = address_literal(&tcp);
        let stream = match settings.security {
            Security::Tls => NetStream::Tls(Box::new(net.tls(tcp, &settings.host).await?)),
            Security::StartTls | Security::None => NetStream::Plain(tcp),
        };
        let mut connection = Self {
            stream,
            buffer: BytesMut::with_capacity(1024),
            capabilities: SmtpCapabilities::default(),
            limits,
            ready: false,
            greeted: false,
            hello,
        };
        let greeting = connection.reply(limits.reply).await?;
        connection.greeted = true;
        if greeting.code != 220 {
            return Err(SmtpError::said(SmtpErrorKind::Unavailable, &greeting));
        }
        connection.say_hello().await?;
        if settings.security == Security::StartTls {
            connection = connection.start_tls(net, &settings.host).await?;
            connection.say_hello().await?;
        }
        let offered = connection.capabilities.offers_login();
        let name = settings.username.as_deref().filter(|name| !name.is_empty());
        if let Some(name) = name.filter(|_| offered || !settings.only_if_offered) {
            let password = settings.password.as_ref().map_or("", |secret| secret.expose());
            connection.authenticate(name, password).await?;
        }
        connection.ready = true;
        Ok(connection)
    }

    /// What the server can do, as told on the connection in use.
    pub fn capabilities(&self) -> &SmtpCapabilities {
        &self.capabilities
    }

    /// Whether what is sent and received is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.stream.is_encrypted()
    }

    /// The largest mail that the server takes, in octets; none when it names no limit.
    pub fn max_size(&self) -> Option<u64> {
        self.capabilities.size
    }

    /// Whether another mail can be sent on this connection, as far as is known on this side.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Reads one reply that begins within `wait`.
    pub(super) async fn reply(&mut self, wait: Duration) -> Result<Reply, SmtpError> {
        let beginning = async {
            if self.buffer.is_empty() { reply::fill(&mut self.stream, &mut self.buffer).await } else { Ok(()) }
        };
        tokio::time::timeout(wait, beginning).await.map_err(|_elapsed| self.timed_out())??;
        let reading = reply::read(&mut self.stream, &mut self.buffer);
        let rest = self.limits.reply.min(wait);
        tokio::time::timeout(rest, reading).await.map_err(|_elapsed| self.timed_out())?
    }

    /// Writes octets, all of them within `wait`.
    pub(super) async fn write(&mut self, octets: &[u8], wait: Duration) -> Result<(), SmtpError> {
        let writing = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(wait, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(SmtpError::lost(&error.to_string())),
            Err(_elapsed) => Err(self.timed_out()),
        }
    }

    pub(super) fn timed_out(&self) -> SmtpError {
        if self.greeted { SmtpError::slow() } else { SmtpError::timeout() }
    }

    async fn command(&mut self, line: &str) -> Result<Reply, SmtpError> {
        let wait = self.limits.reply;
        self.write(format!("{line}\r\n").as_bytes(), wait).await?;
        self.reply(wait).await
    }

    async fn say_hello(&mut self) -> Result<(), SmtpError> {
        let hello = self.hello.clone();
        let reply = self.command(&format!("EHLO {hello}")).await?;
        if reply.is_positive() {
            self.capabilities = SmtpCapabilities::parse(reply.lines.iter().map(String::as_str));
            return Ok(());
        }
        // A server from before 1995 knows only HELO, and can do nothing special.
        self.capabilities = SmtpCapabilities::default();
        let reply = self.command(&format!("HELO {hello}")).await?;
        if reply.is_positive() { Ok(()) } else { Err(SmtpError::said(SmtpErrorKind::Protocol, &reply)) }
    }

    /// Upgrades to TLS (RFC 3207). Nothing that was said before counts afterwards.
    async fn start_tls(mut self, net: &Net, host: &str) -> Result<Self, SmtpError> {
        if !self.capabilities.starttls {
            return Err(SmtpError::insecure("it does not offer STARTTLS on this port"));
        }
        let reply = self.command("STARTTLS").await?;
        if reply.code != 220 {
            return Err(SmtpError::insecure("it refused STARTTLS"));
        }
        if !self.buffer.is_empty() {
            // Replies injected by somebody on the way would be taken for the server's own.
            return Err(SmtpError::insecure("something was slipped in before the connection was secure"));
        }
        let NetStream::Plain(tcp) = self.stream else {
            return Err(SmtpError::insecure("the connection is in an unexpected state"));
        };
        Ok(Self {
            stream: NetStream::Tls(Box::new(net.tls(tcp, host).await?)),
            buffer: self.buffer,
            capabilities: SmtpCapabilities::default(),
            limits: self.limits,
            ready: false,
            greeted: true,
            hello: self.hello,
        })
    }

    /// AUTH PLAIN or, where the server has only that, LOGIN (RFC 4954).
    async fn authenticate(&mut self, name: &str, password: &str) -> Result<(), SmtpError> {
        let reply = if self.capabilities.auth_plain {
            let credentials = plain_credentials(name, password);
            self.command(&format!("AUTH PLAIN {credentials}")).await?
        } else if self.capabilities.auth_login {
            let mut reply = self.command("AUTH LOGIN").await?;
            for answer in [name, password] {
                if reply.code == 334 {
                    reply = self.command(&BASE64.encode(answer.as_bytes())).await?;
                }
            }
            reply
        } else {
            return Err(self.no_login());
        };
        match reply.code {
            235 => Ok(()),
            // Encryption required, or the mechanism is too weak for this connection.
            530 | 538 => Err(SmtpError::said(SmtpErrorKind::LoginDisabled, &reply)),
            _ => {
                let mut error = SmtpError::said(SmtpErrorKind::AuthFailed, &reply);
                if error.kind == SmtpErrorKind::AuthFailed {
                    error.detail.push_str(" (check name and password; many providers want an app password here)");
                }
                Err(error)
            }
        }
    }

    fn no_login(&self) -> SmtpError {
        SmtpError::new(
            SmtpErrorKind::LoginDisabled,
            if self.is_encrypted() {
                "the server for outgoing mail takes no password: it may want OAuth, or no user \
                 name at all"
            } else {
                "the server for outgoing mail takes no password on an unencrypted connection: \
                 choose TLS or STARTTLS"
            },
        )
    }

    /// Says goodbye and closes the connection; errors no longer matter then. In the middle of a mail it only closes:
    /// the goodbye would become a part of the mail.
    pub async fn quit(mut self) {
        if self.ready {
            match tokio::time::timeout(GOODBYE, self.command("QUIT")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::trace!(%error, "leaving an SMTP server"),
                Err(_elapsed) => tracing::trace!("leaving an SMTP server took too long"),
            }
        }
        match tokio::time::timeout(GOODBYE, self.stream.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::trace!(%error, "closing an SMTP connection"),
            Err(_elapsed) => tracing::trace!("closing an SMTP connection took too long"),
        }
    }
}

/// How we introduce ourselves: a client need not have a name of its own (RFC 5321 §4.1.3).
fn address_literal(tcp: &tokio::net::TcpStream) -> String {
    match tcp.local_addr().map(|address| address.ip()) {
        Ok(std::net::IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Ok(std::net::IpAddr::V4(ip)) => format!("[{ip}]"),
        Err(_unknown) => "[127.0.0.1]".to_owned(),
    }
}

fn plain_credentials(name: &str, password: &str) -> String {
    BASE64.encode(format!("\0{name}\0{password}").as_bytes())
}

/// A server may repeat what it was sent.
fn without_secrets(mut error: SmtpError, settings: &SmtpSettings) -> SmtpError {
    let password = settings.password.as_ref().map_or("", |secret| secret.expose());
    let name = settings.username.as_deref().unwrap_or_default();
    let forms = [password.to_owned(), BASE64.encode(password.as_bytes()), plain_credentials(name, password)];
    if !password.is_empty() && forms.iter().any(|form| error.detail.contains(form)) {
        "the server for outgoing mail refused the login".clone_into(&mut error.detail);
    }
    error
}
