//! Why a connection could not be had, in words that a user can act on.

/// A failed attempt to reach a host; never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The name has no address.
    #[error("the host name {host} could not be resolved: check its spelling")]
    Dns {
        /// The name that was asked for.
        host: String,
    },
    /// The name leads to an address that may not be reached.
    #[error(
        "{host} leads to a private or reserved network address, which this server does not \
         connect to (an operator can set ALLOW_PRIVATE_NETWORKS)"
    )]
    Private {
        /// The name or address that was asked for.
        host: String,
    },
    /// Nobody answered at the address, or the connection was refused.
    #[error("{host} port {port} cannot be reached: {detail}")]
    Unreachable {
        /// The host that was tried.
        host: String,
        /// The port that was tried.
        port: u16,
        /// The system's reason.
        detail: String,
    },
    /// The host did not answer in time.
    #[error("{host} did not answer in time")]
    Timeout {
        /// The host that was tried.
        host: String,
    },
    /// The encrypted connection could not be set up.
    #[error("no secure connection to {host}: {cause}")]
    Tls {
        /// The host that was tried.
        host: String,
        /// What was wrong.
        cause: TlsCause,
    },
    /// An HTTP request or its answer was no good.
    #[error("the request to {host} failed: {detail}")]
    Http {
        /// The host that was asked.
        host: String,
        /// The reason.
        detail: String,
    },
    /// The process's own settings are wrong.
    #[error("network settings: {0}")]
    Config(String),
}

/// What was wrong with a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsCause {
    /// The certificate's time is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate's time has not come.
    #[error("the server's certificate is not valid yet (is a clock wrong?)")]
    NotYetValid,
    /// Nobody we trust has signed the certificate.
    #[error("the server's certificate was issued by an unknown authority (an operator can add it with EXTRA_CA_CERTS)")]
    UnknownIssuer,
    /// The server has signed its certificate itself.
    #[error("the server's certificate is self-signed (an operator can trust it with EXTRA_CA_CERTS)")]
    SelfSigned,
    /// The certificate belongs to another name.
    #[error("the server's certificate belongs to another host name")]
    WrongName,
    /// The issuer took the certificate back.
    #[error("the server's certificate has been revoked")]
    Revoked,
    /// The other side does not speak TLS on this port.
    #[error("the server does not speak TLS on this port (try STARTTLS, or another port)")]
    NotTls,
    /// The other side hung up during the handshake.
    #[error("the server closed the connection during the handshake")]
    Closed,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
