//! From nothing to a logged-in connection.

use data_encoding::BASE64;

use super::command::Command;
use super::connection::{Use, refusal};
use super::response::{Response, Status, Verdict};
use super::wire::Wire;
use super::{ImapConnection, ImapError, ImapErrorKind, ImapSettings, Limits, Security};
use crate::net::{Net, NetStream};

/// What the server greeted us with.
enum Greeting {
    LogIn,
    LoggedIn,
}

impl ImapConnection {
    /// Connects and logs in with the usual limits.
    ///
    /// # Errors
    /// [`ImapError`] of any class; its text names the next step and never holds the password.
    pub async fn connect(net: &Net, settings: &ImapSettings) -> Result<Self, ImapError> {
        Self::connect_with(net, settings, Limits::default()).await
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// As [`ImapConnection::connect`].
    pub async fn connect_with(net: &Net, settings: &ImapSettings, limits: Limits) -> Result<Self, ImapError> {
        let attempt = log_in(net, settings, limits);
        match tokio::time::timeout(limits.login, attempt).await {
            Ok(result) => result.map_err(|error| without_secrets(error, settings)),
            Err(_elapsed) => Err(ImapError::new(
                ImapErrorKind::Timeout,
                "the mail server did not let us in in time (is the security setting right for \
                 this port?)",
            )),
        }
    }
}

async fn log_in(net: &Net, settings: &ImapSettings, limits: Limits) -> Result<ImapConnection, ImapError> {
    let tcp = net.connect(&settings.host, settings.port).await?;
    let stream = match settings.security {
        Security::Tls => NetStream::Tls(Box::new(net.tls(tcp, &settings.host).await?)),
        Security::StartTls | Security::None => NetStream::Plain(tcp),
    };
    let mut connection = ImapConnection::over(Wire::new(stream, limits));
    let greeting = greet(&mut connection).await?;
    if settings.security == Security::StartTls {
        if matches!(greeting, Greeting::LoggedIn) {
            // Logged in before TLS, STARTTLS is no longer possible: somebody strips it (RFC 8314).
            return Err(insecure("it greets us as logged in before the connection is secure"));
        }
        connection = start_tls(net, connection, settings, limits).await?;
    }
    connection.ask_capabilities().await?;
    if matches!(greeting, Greeting::LogIn) {
        let done = connection.authenticate(settings).await?;
        if done.code_name() == "CAPABILITY" {
            connection.capabilities = super::Capabilities::parse(done.code_argument());
        } else {
            connection.ask_capabilities().await?;
        }
    }
    connection.introduce().await?;
    connection.enable().await?;
    Ok(connection)
}

async fn greet(connection: &mut ImapConnection) -> Result<Greeting, ImapError> {
    match connection.read().await? {
        Response::Status(status) if status.tag.is_none() => match status.verdict {
            Verdict::Ok => Ok(Greeting::LogIn),
            Verdict::PreAuth => Ok(Greeting::LoggedIn),
            _ => {
                let mut error = refusal(&status);
                if error.kind != ImapErrorKind::AuthFailed {
                    error.kind = ImapErrorKind::Unavailable;
                }
                Err(error)
            }
        },
        _ => Err(ImapError::protocol("the server does not speak IMAP on this port")),
    }
}

/// Upgrades to TLS (RFC 3501 §6.2.1). Nothing that was said before counts afterwards.
async fn start_tls(
    net: &Net,
    mut connection: ImapConnection,
    settings: &ImapSettings,
    limits: Limits,
) -> Result<ImapConnection, ImapError> {
    connection.ask_capabilities().await?;
    if !connection.capabilities.starttls {
        return Err(insecure("it does not offer STARTTLS on this port"));
    }
    let upgrade = connection.run(Command::new("STARTTLS"), |_| Ok(Use::Unasked));
    upgrade.await.map_err(|error| match error.kind {
        ImapErrorKind::Rejected | ImapErrorKind::NotUnderstood => insecure("it refused STARTTLS"),
        _ => error,
    })?;
    let (stream, early) = connection.wire.into_parts();
    let NetStream::Plain(tcp) = stream else {
        return Err(insecure("the connection is in an unexpected state"));
    };
    if !early.is_empty() {
        // Commands injected by somebody on the way would be taken for the server's own.
        return Err(insecure("something was slipped in before the connection was secure"));
    }
    let tls = net.tls(tcp, &settings.host).await?;
    let stream = NetStream::Tls(Box::new(tls));
    Ok(ImapConnection::over(Wire::new(stream, limits)))
}

fn insecure(reason: &str) -> ImapError {
    ImapError::new(ImapErrorKind::Tls, format!("no secure connection to the mail server: {reason}"))
}

impl ImapConnection {
    async fn ask_capabilities(&mut self) -> Result<(), ImapError> {
        self.capabilities = super::Capabilities::default();
        // The response itself is taken note of where it is read.
        self.run(Command::new("CAPABILITY"), |_| Ok(Use::Unasked)).await?;
        Ok(())
    }

    async fn authenticate(&mut self, settings: &ImapSettings) -> Result<Status, ImapError> {
        let attempt = if self.capabilities.auth_plain {
            match self.authenticate_plain(settings).await {
                // Some servers announce PLAIN and then do not know it.
                Err(error) if error.kind == ImapErrorKind::NotUnderstood && !self.capabilities.login_disabled => {
                    self.login(settings).await
                }
                other => other,
            }
        } else if self.capabilities.login_disabled {
            return Err(ImapError::new(
                ImapErrorKind::LoginDisabled,
                if self.is_encrypted() {
                    "the mail server takes no password: it may want OAuth, or IMAP must be switched \
                     on in its settings"
                } else {
                    "the mail server takes no password on an unencrypted connection: choose TLS or \
                     STARTTLS"
                },
            ));
        } else {
            self.login(settings).await
        };
        attempt.map_err(|mut error| {
            if error.keeps_connection() {
                error.kind = ImapErrorKind::AuthFailed;
            }
            if error.kind == ImapErrorKind::AuthFailed {
                error.detail.push_str(" (check name and password; many providers want an app password here)");
            }
            error
        })
    }

    /// AUTHENTICATE PLAIN (RFC 4616), in one step where the server allows it (RFC 4959).
    async fn authenticate_plain(&mut self, settings: &ImapSettings) -> Result<Status, ImapError> {
        let name = &settings.username;
        let password = settings.password.expose();
        if name.contains('\0') || password.contains('\0') {
            return Err(ImapError::new(ImapErrorKind::AuthFailed, "a name or password cannot hold a NUL character"));
        }
        let credentials = plain_credentials(settings);
        if self.capabilities.sasl_ir {
            let command = Command::new("AUTHENTICATE PLAIN ").words(&credentials);
            return self.run(command, |_| Ok(Use::Unasked)).await;
        }
        let tag = self.start(Command::new("AUTHENTICATE PLAIN")).await?;
        self.await_go_ahead(&tag).await?;
        self.wire.send(format!("{credentials}\r\n").as_bytes()).await?;
        self.finish(&tag, |_| Ok(Use::Unasked)).await
    }

    async fn login(&mut self, settings: &ImapSettings) -> Result<Status, ImapError> {
        let command = Command::new("LOGIN ").value(&settings.username, &self.capabilities, false).words(" ").value(
            settings.password.expose(),
            &self.capabilities,
            false,
        );
        self.run(command, |_| Ok(Use::Unasked)).await
    }

    /// Says who we are (RFC 2971): some providers open no folder before.
    async fn introduce(&mut self) -> Result<(), ImapError> {
        if !self.capabilities.id {
            return Ok(());
        }
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        let command = Command::new(&format!("ID (\"name\" \"Duplex\" \"version\" \"{VERSION}\")"));
        self.optional(command).await
    }

    /// Switches on what changes the server's answers for the better (RFC 5161).
    async fn enable(&mut self) -> Result<(), ImapError> {
        let offered = &self.capabilities;
        if !offered.enable {
            return Ok(());
        }
        let mut words = String::from("ENABLE");
        for (has, word) in
            [(offered.condstore, " CONDSTORE"), (offered.qresync, " QRESYNC"), (offered.utf8_accept, " UTF8=ACCEPT")]
        {
            words.push_str(if has { word } else { "" });
        }
        if words == "ENABLE" {
            return Ok(());
        }
        let mut utf8 = false;
        let done = self
            .run(Command::new(&words), |response| {
                if let Response::Enabled(features) = response {
                    utf8 |= features.iter().any(|feature| feature == "UTF8=ACCEPT");
                }
                Ok(Use::Unasked)
            })
            .await;
        self.utf8 = utf8;
        tolerate(done.map(|_| ()))
    }

    async fn optional(&mut self, command: Command) -> Result<(), ImapError> {
        let done = self.run(command, |_| Ok(Use::Unasked)).await;
        tolerate(done.map(|_| ()))
    }
}

fn plain_credentials(settings: &ImapSettings) -> String {
    let password = settings.password.expose();
    BASE64.encode(format!("\0{}\0{password}", settings.username).as_bytes())
}

/// A refused nicety is no reason to give up.
fn tolerate(result: Result<(), ImapError>) -> Result<(), ImapError> {
    match result {
        Err(error) if matches!(error.kind, ImapErrorKind::Rejected | ImapErrorKind::NotUnderstood) => {
            tracing::debug!(%error, "the IMAP server refused an optional command");
            Ok(())
        }
        other => other,
    }
}

/// A server may repeat what it was sent.
fn without_secrets(mut error: ImapError, settings: &ImapSettings) -> ImapError {
    let password = settings.password.expose();
    let encoded = plain_credentials(settings);
    let repeats = |secret: &str| !secret.is_empty() && error.detail.contains(secret);
    if repeats(password) || repeats(&encoded) {
        "the mail server refused the login".clone_into(&mut error.detail);
    }
    error
}
